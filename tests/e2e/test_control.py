"""Runs that are paused, resumed, queued and replaced."""

import json
import threading

import pytest

from cluster import COMMAND_LIMIT_S, Separate

SLOW = "{delay_ms: 3000}"


@pytest.fixture
def separate(tmp_path, producers):
    directory = tmp_path / "separate"
    directory.mkdir()
    services = Separate(directory, producers)
    yield services
    assert services.stop() == [0, 0, 0]


def create(kinora, blueprint):
    kinora.ok("movie", "create", "film", "--blueprint", blueprint)
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')


def start(kinora, *flags):
    return kinora.json("run", "film", "--detach", *flags)["run"]["runId"]


def wait_for(kinora, run_id, accept):
    """Watches a run until an event is accepted; returns all events to it."""
    watch = kinora.start("runs", "watch", run_id, "--json")
    limit = threading.Timer(COMMAND_LIMIT_S, watch.kill)
    limit.start()
    events = []
    try:
        for line in watch.stdout:
            events.append(json.loads(line))
            if accept(events[-1]):
                return events
    finally:
        limit.cancel()
        watch.kill()
        watch.communicate()
    raise AssertionError(f"never came: {events[-3:]}")


def starts(job):
    return lambda e: e["type"] == "step.started" and e["stepId"] == job


def stands_still(event):
    return (
        event["type"] == "run.waiting"
        and event["reason"] == "paused"
        and "requested" not in event
    )


def called(events):
    return {e["stepId"] for e in events if e["type"] == "step.started"}


def test_a_paused_producer_is_not_called_until_it_is_resumed(kinora, film):
    create(kinora, film(SLOW))
    run_id = start(kinora)
    wait_for(kinora, run_id, starts("Picture[segment=0]"))
    assert kinora.ok("runs", "pause", run_id, "--producer", "clip") == ""
    assert kinora.json("runs", "pause", run_id, "--producer", "clip") == {}
    events = wait_for(kinora, run_id, stands_still)
    asked = [e for e in events if e.get("requested")]
    assert [e["producer"] for e in asked] == ["clip"]
    assert "Picture[segment=2]" in called(events)
    assert not [job for job in called(events) if job.startswith("Clip")]

    run = kinora.json("runs", "show", run_id)
    assert run["record"]["status"] == "waiting"
    assert run["waitReason"] == "paused"
    assert run["pausedProducers"] == ["clip"]
    assert "paused: producer clip\n" in kinora.ok("runs", "show", run_id)

    said = kinora.fails("runs", "pause", run_id, "--producer", "clap")
    assert "clap" in said and "clip, film, picture, script" in said

    resumed = kinora.json("runs", "resume", run_id, "--producer", "clip")
    assert resumed["run"]["runId"] == run_id
    events = kinora.lines("runs", "watch", run_id)
    assert events[-1]["type"] == "run.completed"
    assert "pausedProducers" not in kinora.json("runs", "show", run_id)
    assert kinora.run("film").called == set()


def test_a_run_says_how_long_it_goes_on(kinora, film):
    create(kinora, film(SLOW))
    kinora.ok("run", "film")
    # Its producers have been timed; the pictures take three seconds each.
    run_id = start(kinora, "--set", 'Story="Some years ago."')
    wait_for(kinora, run_id, starts("Picture[segment=0]"))
    assert 0 <= kinora.json("runs", "show", run_id)["etaSeconds"] <= 30
    assert "left: about " in kinora.ok("runs", "show", run_id)
    assert kinora.lines("runs", "watch", run_id)[-1]["type"] == "run.completed"
    assert "etaSeconds" not in kinora.json("runs", "show", run_id)


# F: B-16
def test_a_pause_survives_the_kill_of_the_runner(kinora, separate, film):
    blueprint = film(SLOW)
    create(kinora, blueprint)
    kinora.run("film")

    paused = separate.kinora
    create(paused, blueprint)
    run_id = start(paused)
    wait_for(paused, run_id, starts("Picture[segment=0]"))
    paused.ok("runs", "pause", run_id)
    run = paused.json("runs", "show", run_id)
    assert run["record"]["status"] == "waiting" and run["paused"]
    separate.runner.kill()
    separate.start_runner()

    paused = separate.kinora
    events = wait_for(paused, run_id, stands_still)
    adopted = [e["type"] for e in events].index("run.resumed")
    assert called(events[adopted:]) == set()
    assert paused.json("runs", "show", run_id)["paused"]
    paused.ok("runs", "resume", run_id)
    events = paused.lines("runs", "watch", run_id)
    assert events[-1]["type"] == "run.completed"
    assert paused.manifest_bytes("film") == kinora.manifest_bytes("film")


# F: Decision 4
def test_queued_runs_take_their_turns(kinora, film):
    create(kinora, film(SLOW))
    first = start(kinora)
    second = start(kinora, "--queue")
    third = start(kinora, "--queue")
    queued = ("runs", "list", "--status", "queued")
    listed = [run["runId"] for run in kinora.json(*queued)["runs"]]
    assert listed == [third, second]
    assert kinora.json("runs", "show", second)["record"]["status"] == "queued"
    kinora.ok("runs", "cancel", first)
    ends = kinora.lines("runs", "watch", second)
    assert ends[-1]["type"] == "run.completed"
    events = kinora.lines("runs", "watch", third)
    assert events[-1]["type"] == "run.completed"
    began = next(e for e in events if e["type"] == "run.started")
    assert began["occurredAt"] >= ends[-1]["occurredAt"]
    assert called(events) == set()
    assert kinora.json(*queued) == {}


# F: Decision 4
def test_a_run_replaces_the_one_that_is_active(kinora, film):
    create(kinora, film(SLOW))
    first = start(kinora)
    said = kinora.fails("run", "film", "--queue", "--replace")
    assert "--queue" in said and "--replace" in said
    second = start(kinora, "--replace")
    assert kinora.call("runs", "watch", first).returncode == 1
    ended = kinora.json("runs", "show", first)["record"]
    assert ended["status"] == "cancelled"
    assert second in ended["error"]
    events = kinora.lines("runs", "watch", second)
    assert events[-1]["type"] == "run.completed"


# F: Decision 14, S3-19, S3-20
def test_a_run_that_has_ended_is_resumed_by_a_new_one(kinora, film):
    create(kinora, film(SLOW))
    first = start(kinora)
    wait_for(kinora, first, starts("Picture[segment=0]"))
    kinora.ok("runs", "cancel", first)
    assert kinora.call("runs", "watch", first).returncode == 1
    assert "RUN_TERMINAL" in kinora.fails("runs", "pause", first)
    recovery = kinora.json("runs", "show", first)["recovery"]
    assert (recovery["state"], recovery["action"]) == ("available", "start_anew")
    assert recovery["resumeReady"] and recovery["finishedJobs"] >= 1
    assert f"    kinora runs resume {first}\n" in kinora.ok("runs", "show", first)
    second = kinora.ok("runs", "resume", first).split()[0]
    run = kinora.json("runs", "show", second)["record"]
    assert run["resumesRunId"] == first
    events = kinora.lines("runs", "watch", second)
    assert events[-1]["type"] == "run.completed"
    assert "Script" not in called(events)
    assert kinora.json("runs", "show", first)["record"]["status"] == "cancelled"
