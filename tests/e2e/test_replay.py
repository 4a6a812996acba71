"""A run is proved by its record: carried out again, it comes to the same
manifest, and nobody is called."""

import pytest

from cluster import Kinora, Separate, files_below, sim, up, write_producers
from conftest import FILM_PRODUCERS
from test_incremental import create


def identical(run, revision, jobs):
    return (
        f"identical: {revision} sha256:{run.events[-1]['result']['manifestHash']}; "
        f"{jobs} jobs answered from the record, 0 calls\n"
    )


# F: S3-14 S3-23 (replay works; without the producers, and after restarts)
def test_a_run_is_proved_without_its_producers(film, tmp_path):
    with sim(tmp_path) as producer:
        table = write_producers(tmp_path, producer.address, *FILM_PRODUCERS)
        server = up(tmp_path, table)
        kinora = Kinora(server.address)
        create(kinora, film())
        first = kinora.run("film")
        second = kinora.run("film", "--set", 'Prompt[segment=1]="at night"')
        assert second.called == {"Picture[segment=1]", "Clip[segment=1]", "Film"}
        server.wait_for_log(f'msg="run ended" run={second.run_id}')
        producer.kill()

        before = files_below(tmp_path / "data")
        said = kinora.ok("runs", "replay", first.run_id)
        assert said == identical(first, "rev-0001", 8)
        said = kinora.ok("runs", "replay", second.run_id)
        assert said == identical(second, "rev-0002", 3)
        # What is logged of a replay is not taken for the run.
        log = server.whole_log().splitlines()
        ends = [line for line in log if f'msg="run ended" run={first.run_id} ' in line]
        assert [line.endswith(" replay=true") for line in ends] == [False, True], ends
        adopted = [line for line in log if 'msg="run adopted"' in line]
        assert len(adopted) == 2
        assert all(line.endswith(" replay=true") for line in adopted)
        assert files_below(tmp_path / "data") == before

        server.kill()
        server = up(tmp_path, table)
        kinora = Kinora(server.address)
        said = kinora.ok("runs", "replay", first.run_id)
        assert said == identical(first, "rev-0001", 8)
        last = len(first.events)
        for sequence in (1, last // 2, last):
            replay = kinora.json(
                "runs", "replay", first.run_id, "--from", str(sequence)
            )
            assert replay["identical"] is True, replay
            assert replay["manifestHash"] == replay["recordedManifestHash"]
            jobs = replay.get("answeredJobs", 0) + replay.get("checkpointJobs", 0)
            assert jobs == 8
        assert replay["checkpointJobs"] == 8
        assert server.stop() == 0, server.log()


# What came later, or is not what the run built on, is nothing to it.
def test_damage_elsewhere_in_the_movie_keeps_no_run_from_its_replay(
    tmp_path, producers, film
):
    server = up(tmp_path, producers)
    kinora = Kinora(server.address)
    create(kinora, film())
    runs = [kinora.run("film")]
    for hour in ("dawn", "noon", "dusk", "night"):
        runs.append(kinora.run("film", "--set", f'Prompt[segment=1]="{hour}"'))
        assert runs[-1].end == "run.completed", runs[-1].events[-1]
    server.wait_for_log(f'msg="run ended" run={runs[-1].run_id}')
    assert server.stop() == 0, server.log()
    movie = tmp_path / "data/builds/film"
    for path in (
        movie / "manifests/rev-0001.json",
        movie / "runs" / runs[0].run_id / "record.json",
        movie / "manifests/rev-0004.json",
        movie / "runs" / runs[3].run_id / "record.json",
    ):
        path.write_bytes(b"x" + path.read_bytes()[1:])
    server = up(tmp_path, producers)
    kinora = Kinora(server.address)
    # It built on rev-0002, and published rev-0003.
    replay = kinora.json("runs", "replay", runs[2].run_id)
    assert replay["identical"] is True, replay
    assert replay["recordedRevision"] == "rev-0003"
    assert server.stop() == 0, server.log()


# F: S3-23
def test_a_fork_names_what_it_would_call(server, kinora, film, tmp_path):
    create(kinora, film())
    run_id = kinora.run("film").run_id
    server.wait_for_log(f'msg="run ended" run={run_id}')
    before = files_below(tmp_path / "data")
    edit = ("--set", 'Prompt[segment=2]="fog"')
    fork = kinora.json("runs", "replay", run_id, *edit)
    assert fork["status"] == "completed", fork
    called = {"Picture[segment=2]", "Clip[segment=2]", "Film"}
    assert {call["jobId"] for call in fork["calls"]} == called
    assert fork["answeredJobs"] == 5
    lines = kinora.ok("runs", "replay", run_id, *edit).splitlines()
    assert lines[0] == (
        "fork: completed; 3 jobs would be called; 5 jobs answered from the "
        "record, 0 calls"
    )
    assert lines[1] == "  call  Clip[segment=2]"
    assert files_below(tmp_path / "data") == before
    assert kinora.run("film", *edit).called == called


# F: S3-23
def test_a_fork_can_be_had_beside_the_film(server, kinora, film, tmp_path):
    kinora.ok("movie", "create", "film", "--blueprint", film())
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    first = kinora.run("film")
    kinora.run("film", "--set", 'Story="Call me Ahab."')
    manifest = kinora.manifest_bytes("film")
    edit = ("--set", 'Prompt[segment=2]="fog"')
    fork = kinora.json("runs", "replay", first.run_id, *edit)
    file = str(tmp_path / "run.tar")
    kinora.ok("runs", "export", first.run_id, "-o", file)
    kinora.ok("import", file, "--as", "foggy")
    had = kinora.run("foggy", *edit)
    assert had.end == "run.completed"
    assert had.called == {call["jobId"] for call in fork["calls"]}
    assert kinora.manifest_bytes("film") == manifest
    assert kinora.json("verify", "foggy")["movies"][0]["problems"] == []


def test_what_cannot_be_replayed_says_why(kinora, film):
    create(kinora, film("{delay_ms: 600000}"))
    active = kinora.json("run", "film", "--detach")["run"]["runId"]
    assert "has not ended" in kinora.fails("runs", "replay", active)
    kinora.ok("runs", "cancel", active)
    kinora.call("runs", "watch", active)
    said = kinora.ok("runs", "replay", active)
    assert said.startswith("identical: a run that ended as cancelled; ")
    assert "RUN_NOT_FOUND" in kinora.fails(
        "runs", "replay", "run-01KDV3N3C00000000000000001"
    )
    assert "--from" in kinora.fails("runs", "replay", active, "--from", "x")


@pytest.fixture
def separate(tmp_path):
    with sim(tmp_path) as producer:
        table = write_producers(tmp_path, producer.address, *FILM_PRODUCERS)
        cluster = Separate(tmp_path, table)
        yield cluster
        assert cluster.stop() == [0, 0, 0]


# F: S3-23 Between processes, by another runner than the run's.
def test_any_runner_replays(separate, film):
    create(separate.kinora, film())
    run = separate.kinora.run("film")
    separate.runner.kill()
    separate.start_runner()
    said = separate.kinora.ok("runs", "replay", run.run_id)
    assert said == identical(run, "rev-0001", 8)
