"""Revisions made step by step, by the example of docs/stepwise.md."""

import os
import re
import subprocess
import sys

import pytest

from cluster import ROOT, Separate
from test_deferred import scenes

EXAMPLE = ROOT / "examples/stepwise/stepwise.py"


def start(addresses: dict[str, str], *args: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, EXAMPLE, *args],
        env={
            **os.environ,
            **addresses,
            "PYTHONPATH": str(ROOT / "clients/python"),
            "PYTHONUNBUFFERED": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def lines_of(process: subprocess.Popen) -> list[list[str]]:
    """The words of each line of an example that must succeed."""
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, said + errors
    return [line.split() for line in said.splitlines()]


def stepwise(address: str, *args: str) -> list[list[str]]:
    return lines_of(start({"KINORA_ADDR": address}, *args))


def make(kinora, blueprint, *movies):
    for movie in movies:
        kinora.ok("movie", "create", movie, "--blueprint", blueprint)
        kinora.ok("input", "set", movie, 'Story="Call me Ishmael."')


def ended(kinora, run_id) -> dict:
    """The run's record, once a runner has closed it."""
    kinora.call("runs", "watch", run_id)
    return kinora.json("runs", "show", run_id)["record"]


def test_the_page_shows_the_example():
    page = (ROOT / "docs/stepwise.md").read_text()
    shown = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    assert len(shown) == 1
    assert shown[0] in EXAMPLE.read_text()


# F: S1-44 S1-61
@pytest.mark.parametrize("how", [(), ("--each",)], ids=["layers", "jobs"])
def test_steps_make_the_manifest_that_a_run_makes(kinora, server, film, how):
    blueprint = film("{log_lines: 2}")
    make(kinora, blueprint, "film", "twin")
    *jobs, (run_id, revision, _) = stepwise(server.address, "film", *how)
    assert revision == "rev-0001"
    assert len(jobs) == 1 + 3 + 3 + 1
    assert {status for _, _, status, *_ in jobs} == {"completed"}
    kinora.run("twin")
    assert kinora.manifest_bytes("film") == kinora.manifest_bytes("twin")
    record = ended(kinora, run_id)
    assert record["status"] == "completed"
    assert record["stepwise"] is True
    assert record["publishedRevision"] == "rev-0001"
    assert record["jobs"]["succeeded"] == 8
    assert kinora.run("film").called == set()

    # An edit: only what it reaches is called, and the two stay equal.
    for movie in ("film", "twin"):
        kinora.ok("input", "set", movie, 'Prompt[segment=1]="at dawn"')
    *jobs, (_, revision, _) = stepwise(server.address, "film", *how)
    assert revision == "rev-0002"
    assert [job for _, job, *_ in jobs] == [
        "Picture[segment=1]", "Clip[segment=1]", "Film",
    ]
    kinora.run("twin")
    assert kinora.manifest_bytes("film") == kinora.manifest_bytes("twin")


def test_what_was_made_before_is_reused_step_by_step(kinora, server, film):
    make(kinora, film(), "film")
    stepwise(server.address, "film")
    kinora.ok("input", "set", "film", 'Story="It was a dark night."')
    stepwise(server.address, "film")
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    assert [line[1] for line in stepwise(server.address, "film")] == ["rev-0003"]
    assert kinora.run("film").called == set()


# F: B-2
def test_a_list_is_executed_before_what_it_decides(kinora, server, tmp_path):
    path = tmp_path / "scenes.yaml"
    path.write_text(scenes(2, song=True))
    for movie in ("film", "twin"):
        kinora.ok("movie", "create", movie, "--blueprint", str(path))
    *jobs, (last, *_) = stepwise(server.address, "film")
    called = [job for _, job, status, *_ in jobs if status == "completed"]
    assert len(called) == len(set(called)) == 1 + 2 + 4 + 1 + 1
    kinora.run("twin")
    assert kinora.manifest_bytes("film") == kinora.manifest_bytes("twin")
    runs = dict.fromkeys(run_id for run_id, *_ in jobs)
    assert len(runs) > 1
    for run_id in runs:
        expected = "completed" if run_id == last else "cancelled"
        assert ended(kinora, run_id)["status"] == expected


# The runner dies while jobs are under way; the engine repeats with a new run,
# at another runner.
def test_what_a_dead_runner_finished_is_not_called_again(tmp_path, producers, film):
    directory = tmp_path / "separate"
    directory.mkdir()
    services = Separate(directory, producers)
    make(services.kinora, film("{delay_ms: 400}"), "film", "twin")

    def addresses():
        return {
            "KINORA_STORE_ADDR": services.store.address,
            "KINORA_PLANNER_ADDR": services.planner.address,
            "KINORA_RUNNER_ADDR": services.runner.address,
        }

    first = start(addresses(), "film", "--each")
    said = first.stdout.readline().split()
    assert said[1:] == ["Script", "completed"]
    services.runner.kill()
    first.communicate(timeout=120)
    assert first.returncode != 0
    services.start_runner()
    *jobs, _ = lines_of(start(addresses(), "film"))
    assert "Script" not in [job for _, job, *_ in jobs]
    assert len(jobs) == 3 + 3 + 1
    assert ended(services.kinora, said[0])["status"] == "cancelled"
    services.kinora.run("twin")
    assert services.kinora.manifest_bytes("film") == services.kinora.manifest_bytes(
        "twin"
    )
    assert services.stop() == [0, 0, 0]
