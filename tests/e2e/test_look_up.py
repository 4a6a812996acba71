"""A producer on the Python SDK that pays a provider and keeps a record of it:
the one that its README shows. Its runner is killed while the provider works."""

import contextlib
import json
import os
import pathlib
import re
import sqlite3

import pytest

from cluster import ROOT, Separate, python_producer
from file_changes import wait_until

README = ROOT / "clients/python/README.md"

# Works until it gets a byte from the pipe `go`.
PROVIDER = """
import pathlib

here = pathlib.Path(__file__).parent

def buy(text, key):
    with (here / "charges").open("a") as charges:
        charges.write(key + "\\n")
    with (here / "go").open("rb", buffering=0) as go:
        go.read(1)
    return f"a picture of {text}".encode()
"""

BLUEPRINT = """
blueprint: sea
inputs: {Topic: {type: text, default: the sea}}
nodes:
  Sea:
    producer: painter
    inputs: {text: "Input:Topic"}
    outputs: {Picture: text/plain}
outputs: [Picture]
"""

PATIENCE_S = 60


class Painter:
    def __init__(self, tmp: pathlib.Path):
        self._tmp = tmp
        os.mkfifo(tmp / "go")
        # Both ends: what is written stays there until it is read.
        self._go = os.open(tmp / "go", os.O_RDWR)
        (tmp / "provider.py").write_text(PROVIDER)
        (code,) = re.findall(
            r"```python\n(import .*?painter\.serve\(\)\n)```",
            README.read_text(),
            re.DOTALL,
        )
        self.process = python_producer(
            tmp / "painter.py", code, PAINTER_RECORDS=str(tmp / "records.sqlite")
        )
        # Without an answer of the producer the run would wait for a person.
        self.table = tmp / "producers.yaml"
        self.table.write_text(
            "producers:\n"
            f"  painter: {{target: 'dns:///{self.process.address}', in_doubt: wait}}\n"
        )

    def charges(self) -> list[str]:
        path = self._tmp / "charges"
        return path.read_text().splitlines() if path.exists() else []

    def finish(self) -> None:
        os.write(self._go, b"go" * 8)  # for calls that should not be, too

    def stop(self) -> int:
        self.finish()
        os.close(self._go)
        return self.process.stop()

    def has_finished(self) -> bool:
        with contextlib.closing(sqlite3.connect(self._tmp / "records.sqlite")) as db:
            made = "SELECT COUNT(*) FROM work WHERE picture IS NOT NULL"
            return db.execute(made).fetchone() == (1,)


@pytest.fixture
def painter(tmp_path):
    painter = Painter(tmp_path)
    yield painter
    assert painter.stop() == 0, painter.process.log()


def wait_for_recovery(kinora, run_id: str) -> str:
    """What the producer said of the attempt that was lost."""
    with kinora.start("runs", "watch", run_id, "--json") as watch:
        for line in watch.stdout:
            event = json.loads(line)
            message = event.get("message", "")
            if event["type"] == "job.recovering" and "same key" in message:
                watch.kill()
                return message
    raise AssertionError("nobody was asked what became of the attempt")


# F: B-10 (what is paid for is adopted, not paid for again)
@pytest.mark.parametrize("finishes_meanwhile", [False, True])
def test_a_lost_runner_is_not_paid_for_twice(tmp_path, painter, finishes_meanwhile):
    blueprint = tmp_path / "sea.yaml"
    blueprint.write_text(BLUEPRINT)
    servers = Separate(tmp_path, painter.table, lease_seconds=1)
    try:
        kinora = servers.kinora
        kinora.ok("movie", "create", "sea", "--blueprint", str(blueprint))
        run_id = kinora.json("run", "sea", "--detach")["run"]["runId"]
        wait_until(tmp_path, painter.charges, PATIENCE_S)
        servers.runner.kill()
        if finishes_meanwhile:
            painter.finish()
            wait_until(tmp_path, painter.has_finished, PATIENCE_S)
        servers.start_runner(listen=servers.runner.address)
        said = wait_for_recovery(servers.kinora, run_id)
        assert ("has finished it" if finishes_meanwhile else "is at it") in said
        painter.finish()
        servers.kinora.ok("runs", "watch", run_id)
        types = [event["type"] for event in servers.ledger("sea", run_id)]
        assert types[-1] == "run.completed"
        assert types.count("step.started") == 2  # one that was lost
        assert len(painter.charges()) == 1
        artefacts = servers.kinora.json("artefact", "list", "sea")["artefacts"]
        assert "Artifact:Picture" in artefacts
    finally:
        servers.stop()
