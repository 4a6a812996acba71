"""A runner that is stopped (SIGTERM) under a job: what ends in time is kept, what
does not is handed over, and the run has not ended for that."""

import os
import pathlib
import signal

import pytest

from cluster import Separate, python_producer
from file_changes import wait_until

# Each call works until it gets a byte from the pipe.
PRODUCER = """
import os

from kinora import Producer

painter = Producer("painter", version="1")

@painter.job
def paint(job):
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(f"{job.id} {job.attempt} {job.idempotency_key}\\n")
    with open(os.environ["GATE"], "rb", buffering=0) as gate:
        gate.read(1)
    job.write({"First": "Sketch", "Last": "Picture"}[job.node], job.id)

painter.serve()
"""

BLUEPRINT = """
blueprint: sea
nodes:
  First: {producer: painter, outputs: {Sketch: text/plain}}
  Last:
    producer: painter
    inputs: {sketch: Sketch}
    outputs: {Picture: text/plain}
outputs: [Picture]
"""

ENDS = {"run.completed", "run.failed", "run.cancelled"}

PATIENCE_S = 60


class Painter:
    def __init__(self, tmp: pathlib.Path):
        self._calls = tmp / "calls"
        self._calls.touch()
        os.mkfifo(tmp / "gate")
        # Both ends: what is written stays there until it is read.
        self._gate = os.open(tmp / "gate", os.O_RDWR)
        self.process = python_producer(
            tmp / "painter.py",
            PRODUCER,
            CALLS=str(self._calls),
            GATE=str(tmp / "gate"),
        )
        # An attempt that is interrupted is none that failed.
        self.table = tmp / "producers.yaml"
        self.table.write_text(
            "producers:\n"
            f"  painter: {{target: 'dns:///{self.process.address}', max_attempts: 1}}\n"
        )

    def calls(self) -> list[list[str]]:
        """Job, attempt and key of each call."""
        return [line.split() for line in self._calls.read_text().splitlines()]

    def wait_for_calls(self, count: int) -> None:
        wait_until(self._calls, lambda: len(self.calls()) >= count, PATIENCE_S)

    def go_on(self, calls: int = 1) -> None:
        os.write(self._gate, b"." * calls)

    def stop(self) -> None:
        self.go_on(8)
        self.process.stop()
        os.close(self._gate)


@pytest.fixture
def painter(tmp_path):
    painter = Painter(tmp_path)
    yield painter
    painter.stop()


def start_sea(servers: Separate, tmp_path: pathlib.Path) -> str:
    blueprint = tmp_path / "sea.yaml"
    blueprint.write_text(BLUEPRINT)
    servers.kinora.ok("movie", "create", "sea", "--blueprint", str(blueprint))
    return servers.kinora.json("run", "sea", "--detach")["run"]["runId"]


def told(servers: Separate, run_id: str, event_type: str) -> list[str]:
    """The jobs of which the ledger says that."""
    return [
        event.get("stepId") or event.get("jobId")
        for event in servers.ledger("sea", run_id)
        if event["type"] == event_type
    ]


def check_open(servers: Separate, run_id: str) -> None:
    types = {event["type"] for event in servers.ledger("sea", run_id)}
    assert not types & (ENDS | {"step.failed"}), types


def check_end(servers: Separate, run_id: str) -> None:
    events = servers.kinora.lines("runs", "watch", run_id)
    assert events[-1]["type"] == "run.completed", events[-1]
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert servers.kinora.ok("artefact", "get", "sea", "Picture") == "Last"


# F: B-16 (what is under way may end)
def test_a_job_that_ends_in_time_is_kept(tmp_path, painter):
    servers = Separate(tmp_path, painter.table, lease_seconds=1)
    try:
        run_id = start_sea(servers, tmp_path)
        painter.wait_for_calls(1)
        servers.runner.signal(signal.SIGTERM)
        servers.runner.wait_for_log("draining")
        painter.go_on()
        assert servers.runner.wait() == 0
        check_open(servers, run_id)
        assert told(servers, run_id, "step.completed") == ["First"]

        servers.start_runner(listen=servers.runner.address)
        painter.go_on(2)
        check_end(servers, run_id)
        assert [job for job, *_ in painter.calls()].count("First") == 1
    finally:
        servers.stop()


# F: B-16 (what does not is recovering, not failed)
def test_a_job_that_takes_longer_is_handed_over(tmp_path, painter):
    servers = Separate(
        tmp_path, painter.table, "--drain-seconds", "1", lease_seconds=1
    )
    try:
        run_id = start_sea(servers, tmp_path)
        painter.wait_for_calls(1)
        servers.runner.signal(signal.SIGTERM)
        assert servers.runner.wait() == 0
        check_open(servers, run_id)
        assert told(servers, run_id, "step.completed") == []

        servers.start_runner(listen=servers.runner.address)
        painter.wait_for_calls(2)
        assert told(servers, run_id, "job.recovering") == ["First"]
        (_, _, lost), (job, attempt, key) = painter.calls()
        assert (job, attempt, key) == ("First", "2", lost)
        painter.go_on(3)
        check_end(servers, run_id)
        assert told(servers, run_id, "step.completed") == ["First", "Last"]
    finally:
        servers.stop()
