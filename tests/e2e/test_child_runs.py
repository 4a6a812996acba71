"""A job starts a run of another movie as a child of its own run."""

import json
import os
import pathlib

import pytest

from cluster import Kinora, python_producer, up, write_producers

# `cutter` has a still made by a run of the movie `teaser`, and uses what that
# has come to; `still` works until it gets a byte from a pipe if it is told to.
CUTTER = """
import os
import pathlib

import grpc

from kinora import Producer, Rejected, serve
from kinora.v1 import runner_pb2, runner_pb2_grpc

cutter = Producer("cutter", version="1")
still = Producer("still", version="1")


@cutter.job
def cut(job):
    address = pathlib.Path(os.environ["ADDRESS_FILE"]).read_text()
    trace = [("traceparent", job.trace_parent)]
    with grpc.insecure_channel(address) as channel:
        runner = runner_pb2_grpc.RunnerServiceStub(channel)
        child = runner.StartRun(
            runner_pb2.StartRunRequest(
                movie_id="teaser", parent_run_id=job.run_id, parent_job_id=job.id
            ),
            metadata=trace,
            timeout=30,
        ).run
        job.log("child " + child.run_id)
        # Until it has ended.
        watch = runner_pb2.WatchRunRequest(run_id=child.run_id)
        for _ in runner.WatchRun(watch, timeout=60):
            pass
        if job.cancelled:
            raise Rejected("called off")
        get = runner_pb2.GetRunRequest(run_id=child.run_id)
        child = runner.GetRun(get, timeout=30).run.record
    job.write("Trailer", "cut from " + child.published_revision)


@still.job
def make_still(job):
    if job.settings.get("hold"):
        with open(os.environ["GATE"], "rb", buffering=0) as gate:
            gate.read(1)
    job.write("Still", "a still")


serve(cutter, still)
"""

FILM = """
blueprint: film
nodes:
  Cut: {producer: cutter, outputs: {Trailer: text/plain}}
outputs: [Trailer]
"""

TEASER = """
blueprint: teaser
nodes:
  Make: {producer: still, settings: {hold: HOLD}, outputs: {Still: text/plain}}
outputs: [Still]
"""


@pytest.fixture
def kinora(tmp_path):
    address = tmp_path / "address.txt"
    os.mkfifo(tmp_path / "gate")
    # Both ends: what is written stays there until it is read.
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    producer = python_producer(
        tmp_path / "cutter.py",
        CUTTER,
        ADDRESS_FILE=str(address),
        GATE=str(tmp_path / "gate"),
    )
    table = write_producers(tmp_path, producer.address, "cutter", "still")
    process = up(tmp_path, table)
    address.write_text(process.address)
    yield Kinora(process.address)
    os.write(gate, b".")
    assert process.stop() == 0, process.log()
    assert producer.stop() == 0, producer.log()
    os.close(gate)


def create(kinora: Kinora, tmp_path: pathlib.Path, hold: bool) -> None:
    teaser = TEASER.replace("HOLD", "true" if hold else "false")
    for movie, blueprint in (("film", FILM), ("teaser", teaser)):
        path = tmp_path / f"{movie}.yaml"
        path.write_text(blueprint)
        kinora.ok("movie", "create", movie, "--blueprint", str(path))


def await_end(kinora: Kinora, run_id: str) -> dict:
    kinora.call("runs", "watch", run_id)
    return kinora.json("runs", "show", run_id)


def await_child(kinora: Kinora, run_id: str) -> str:
    """Returns the id of the child, once its run's job has logged it."""
    watch = kinora.start("runs", "watch", run_id, "--json")
    try:
        for line in watch.stdout:
            for said in json.loads(line).get("lines", []):
                if said.startswith("child "):
                    return said.removeprefix("child ")
    finally:
        watch.kill()
        watch.communicate()
    raise AssertionError(f"{run_id} has ended without a child")


# F: S3-2, S4-20
def test_a_job_starts_a_run_and_uses_what_it_made(kinora, tmp_path):
    create(kinora, tmp_path, hold=False)
    trigger = json.dumps({"id": "event-1", "trace_id": "t-1"})
    done = kinora.run(
        "film", "--trigger", trigger, "--label", "replay_of_event_id=event-0"
    )
    assert done.end == "run.completed", done.events[-1]
    assert "rev-0001" in kinora.ok("artefact", "get", "film", "Trailer")

    shown = kinora.json("runs", "show", done.run_id)
    parent = shown["record"]
    assert json.loads(parent["triggerEventJson"])["trace_id"] == "t-1"
    assert parent["labels"] == {"replay_of_event_id": "event-0"}
    assert parent["rootRunId"] == done.run_id
    (child,) = shown["children"]
    assert child["movieId"] == "teaser" and child["status"] == "completed"
    assert child["parentRunId"] == done.run_id and child["parentJobId"] == "Cut"
    assert child["rootRunId"] == done.run_id
    assert kinora.json("runs", "list", "--parent", done.run_id)["runs"] == [child]

    # One trace, in which each call has a name of its own.
    _, trace, span, _ = parent["traceparent"].split("-")
    _, child_trace, child_span, _ = child["traceparent"].split("-")
    assert child_trace == trace and child_span != span

    said = kinora.ok("runs", "show", done.run_id)
    assert f"child {child['runId']}  completed" in said
    assert f"child of {done.run_id}, job Cut" in kinora.ok(
        "runs", "show", child["runId"]
    )


# F: S3-4
def test_a_child_is_cancelled_with_its_parent(kinora, tmp_path):
    create(kinora, tmp_path, hold=True)
    kinora.ok("run", "film", "--detach")
    (parent,) = kinora.json("runs", "list", "--movie", "film")["runs"]
    child_id = await_child(kinora, parent["runId"])
    (child,) = kinora.json("runs", "list", "--parent", parent["runId"])["runs"]
    assert child["runId"] == child_id
    kinora.ok("runs", "cancel", parent["runId"])
    ended = await_end(kinora, child_id)
    assert ended["record"]["status"] == "cancelled"
    assert parent["runId"] in ended["record"]["error"]
    ended = await_end(kinora, parent["runId"])
    assert ended["record"]["status"] == "cancelled"


def test_only_a_job_that_has_begun_has_children(kinora, tmp_path):
    create(kinora, tmp_path, hold=False)
    done = kinora.run("film")
    said = kinora.fails("run", "teaser", "--parent", done.run_id, "--parent-job", "Cut")
    assert "RUN_TERMINAL" in said
    assert "parent_job_id" in kinora.fails("run", "teaser", "--parent", done.run_id)
    assert "trigger_event_json" in kinora.fails("run", "teaser", "--trigger", "[1]")
    assert len(kinora.json("runs", "list", "--movie", "teaser")["runs"]) == 1
