"""One process or three: the same result."""

import subprocess

import pytest

from cluster import BIN, Kinora, Process, Separate, up, write_producers
from conftest import FILM_PRODUCERS


@pytest.fixture
def separate(tmp_path, producers):
    directory = tmp_path / "separate"
    directory.mkdir()
    services = Separate(directory, producers)
    yield services
    assert services.stop() == [0, 0, 0]


def make_film(kinora, blueprint):
    kinora.ok("movie", "create", "film", "--blueprint", blueprint)
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    assert kinora.run("film").end == "run.completed"
    return kinora.manifest_bytes("film")


def test_three_processes_make_the_same_manifest_as_one(kinora, separate, film):
    blueprint = film()
    assert make_film(kinora, blueprint) == make_film(separate.kinora, blueprint)


# F: S0-21 S1-53 B-16 Invariant 6 and 13: the next runner goes on with the run;
# what had finished before the crash is not called again, and the end is the
# same as without a crash.
def test_a_run_goes_on_after_the_kill_of_its_runner(kinora, separate, film):
    blueprint = film("{delay_ms: 150}")
    undisturbed = make_film(kinora, blueprint)

    crashed = separate.kinora
    crashed.ok("movie", "create", "film", "--blueprint", blueprint)
    crashed.ok("input", "set", "film", 'Story="Call me Ishmael."')
    run_id = crashed.json("run", "film", "--detach")["run"]["runId"]
    watch = crashed.start("runs", "watch", run_id, "--json")
    for line in watch.stdout:
        if '"type":"step.completed"' in line and "Picture" in line:
            break
    separate.runner.kill()
    watch.kill()
    watch.communicate()

    separate.start_runner()
    events = separate.kinora.lines("runs", "watch", run_id)
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "run.completed", events[-1]
    types = [event["type"] for event in events]
    assert types.count("run.started") == types.count("run.resumed") == 1
    adopted = types.index("run.resumed")
    finished = jobs_of(events[:adopted], "step.completed")
    assert "Script" in finished
    assert not finished & jobs_of(events[adopted:], "step.started")
    assert not finished & jobs_of(events[adopted:], "step.completed")
    assert separate.kinora.manifest_bytes("film") == undisturbed
    assert len(separate.kinora.json("runs", "list")["runs"]) == 1
    open_runs = ("runs", "list", "--status", "queued,running,waiting")
    assert separate.kinora.json(*open_runs) == {}
    assert "--status" in separate.kinora.fails("runs", "list", "--status", "done")
    assert separate.kinora.run("film").called == set()


# F: B-16 Nobody else can have the lease of a runner that died with its store.
def test_one_process_goes_on_with_its_run_at_once(tmp_path, producers, film):
    first = up(tmp_path, producers, "--lease-seconds", "600")
    kinora = Kinora(first.address)
    kinora.ok("movie", "create", "film", "--blueprint", film("{delay_ms: 150}"))
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    run_id = kinora.json("run", "film", "--detach")["run"]["runId"]
    watch = kinora.start("runs", "watch", run_id, "--json")
    for line in watch.stdout:
        if '"type":"step.completed"' in line and "Picture" in line:
            break
    first.kill()
    watch.kill()
    watch.communicate()

    second = up(tmp_path, producers, "--lease-seconds", "600")
    events = Kinora(second.address).lines("runs", "watch", run_id)
    assert events[-1]["type"] == "run.completed", events[-1]
    assert second.stop() == 0


def jobs_of(events, kind):
    return {event["stepId"] for event in events if event["type"] == kind}


def test_store_restart_keeps_everything(tmp_path, producers, film):
    first = up(tmp_path, producers)
    manifest = make_film(Kinora(first.address), film())
    first.kill()
    second = up(tmp_path, producers)
    kinora = Kinora(second.address)
    assert kinora.manifest_bytes("film") == manifest
    assert kinora.run("film").called == set()
    assert len(kinora.json("runs", "list")["runs"]) == 2
    assert second.stop() == 0


def test_second_store_on_the_same_data_is_refused(tmp_path, server):
    second = subprocess.run(
        [BIN / "kinora-store", "--data", tmp_path / "data",
         "--listen", "127.0.0.1:0"],
        capture_output=True, text=True, timeout=60,
    )
    assert second.returncode != 0
    assert str(server.pid) in second.stderr


def test_watch_resumes_behind_any_event(kinora, film):
    make_film(kinora, film("{log_lines: 3}"))
    run_id = kinora.json("runs", "list")["runs"][0]["runId"]
    events = kinora.lines("runs", "watch", run_id)
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "run.completed"
    for after in (1, len(events) // 2, len(events) - 1):
        rest = kinora.lines("runs", "watch", run_id, "--after", str(after))
        assert rest == events[after:]
    assert kinora.lines("runs", "watch", run_id, "--after", str(len(events))) == []
    said = kinora.fails("runs", "watch", run_id, "--after", "999")
    assert f"the last event of run {run_id} is {len(events)}, got 999" in said


# F: S1-28 Decision 4
def test_second_run_of_a_movie_is_refused_naming_the_first(kinora, film):
    kinora.ok("movie", "create", "film", "--blueprint", film("{delay_ms: 3000}"))
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    run_id = kinora.json("run", "film", "--detach")["run"]["runId"]
    said = kinora.fails("run", "film")
    assert run_id in said
    assert "RUN_ACTIVE" in said
    kinora.ok("runs", "cancel", run_id)
    events = kinora.call("runs", "watch", run_id, "--json")
    assert events.returncode == 1
    assert '"type":"run.cancelled"' in events.stdout


def test_simulated_producer_is_the_same_from_the_command_line(tmp_path):
    process = Process(
        [str(BIN / "kinora"), "sim", "--listen", "127.0.0.1:0"],
        tmp_path / "sim.log",
    )
    producers = write_producers(tmp_path, process.address, *FILM_PRODUCERS)
    assert "dns:///" in producers.read_text()
    assert process.stop() == 0
