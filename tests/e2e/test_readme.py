"""What the README shows is what the files say, and its commands work."""

import os
import re
import subprocess

import pytest

from cluster import ROOT, Process

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def test_blueprint_and_producer_are_those_of_the_example():
    blueprint = (ROOT / "examples/hello/hello.yaml").read_text()
    assert blocks("yaml") == [blueprint[blueprint.index("blueprint:"):]]
    producer = (ROOT / "examples/hello/hello.py").read_text()
    assert blocks("python") == [producer[producer.index("from kinora"):]]


@pytest.fixture
def hello(tmp_path):
    """The server of the second block, on a free port and a fresh directory."""
    command = blocks("sh")[1].replace("/tmp/kinora-hello", str(tmp_path / "data"))
    process = Process(
        ["bash", "-c", f"exec env {command.strip()}"],
        tmp_path / "up.log",
        KINORA_LISTEN="127.0.0.1:0",
    )
    yield process
    assert process.stop() == 0


def test_commands_of_the_first_producer_work_as_shown(hello):
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", blocks("sh")[2]],
        cwd=ROOT,
        env={**os.environ, "KINORA_ADDR": hello.address},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr + hello.log()
    assert "there she blows\nthere she blows\nthere she blows\n" in done.stdout
    # The plan and the second run: exactly the two jobs the README promises.
    assert "2 jobs in 2 layers: 1 must run, 1 may run" in done.stdout
    assert "Input:Mood[line=1]" in done.stdout
    second_run = done.stdout[done.stdout.rindex("run-"):]
    started = re.findall(r"^  start +(\S+)", second_run, re.M)
    assert started == ["Line[line=1]", "Poem"]
