"""A run goes from one installation to another in one file."""

import json

import pytest

from cluster import Kinora, python_producer, up

# Takes no clip: what an installation without the right machine says.
REFUSING = """
import kinora

producer = kinora.Producer("clip", version="1")


@producer.job
def film(job):
    raise kinora.Rejected("there is no camera here")


producer.serve()
"""


@pytest.fixture
def elsewhere(tmp_path, producers):
    """Another installation over the same producers."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    process = up(folder, producers)
    yield Kinora(process.address)
    assert process.stop() == 0, process.log()


def make_film(kinora, blueprint):
    kinora.ok("movie", "create", "film", "--blueprint", blueprint)
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    return kinora.run("film")


# F: S3-2 S3-3 S3-4
def test_a_run_is_verified_elsewhere(tmp_path, server, kinora, film, elsewhere):
    first = make_film(kinora, film())
    assert first.end == "run.completed"
    kinora.ok("input", "set", "film", 'Prompt[segment=0]="dawn"')
    second = kinora.run("film")
    file = str(tmp_path / "run.tar")
    told = kinora.json("runs", "export", second.run_id, "-o", file)
    assert told["runId"] == second.run_id
    assert told["movieId"] == "film"
    assert told["bytes"] == (tmp_path / "run.tar").stat().st_size
    assert "already" in kinora.fails("runs", "export", second.run_id, "-o", file)
    manifest = kinora.manifest_bytes("film")
    ledger = kinora.lines("runs", "watch", second.run_id)
    server.stop()

    checked = elsewhere.json("import", file, "--verify-only")
    assert checked["problems"] == []
    assert checked["checkedObjects"] > 5
    assert elsewhere.json("movie", "list").get("movies", []) == []
    imported = elsewhere.json("import", file)
    assert imported["currentRevision"] == "rev-0002"
    assert imported["runId"] == second.run_id
    assert imported["runElsewhere"] == ""
    assert elsewhere.json("verify", "film")["movies"][0]["problems"] == []
    assert elsewhere.manifest_bytes("film") == manifest
    assert [r["runId"] for r in elsewhere.json("runs", "list")["runs"]] == [
        second.run_id
    ]
    assert elsewhere.lines("runs", "watch", second.run_id) == ledger
    # Nothing is left to do.
    assert elsewhere.run("film").called == set()

    said = elsewhere.fails("import", file)
    assert "MOVIE_EXISTS" in said
    assert "film" in said
    beside = elsewhere.json("import", file, "--as", "copy")
    assert beside["runElsewhere"] == "film"
    assert elsewhere.json("verify", "copy")["movies"][0]["problems"] == []
    copied = str(tmp_path / "copied.tar")
    told = elsewhere.json(
        "runs", "export", second.run_id, "--movie", "copy", "-o", copied
    )
    assert told["movieId"] == "copy"
    assert elsewhere.json("import", copied, "--verify-only")["movieId"] == "copy"


# F: S3-23
def test_a_failed_run_is_continued_elsewhere(tmp_path, producers, film, elsewhere):
    camera = python_producer(tmp_path / "clip.py", REFUSING)
    table = tmp_path / "no_camera.yaml"
    lines = producers.read_text().splitlines()
    table.write_text(
        "\n".join(
            f"  clip: {{target: 'dns:///{camera.address}', concurrency: 4}}"
            if line.strip().startswith("clip:")
            else line
            for line in lines
        )
        + "\n"
    )
    here = tmp_path / "here"
    here.mkdir()
    process = up(here, table)
    file = str(tmp_path / "run.tar")
    try:
        kinora = Kinora(process.address)
        kinora.ok("movie", "create", "film", "--blueprint", film())
        kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
        done = kinora.call("run", "film")
        assert done.returncode == 1
        assert "there is no camera here" in done.stdout + done.stderr
        run_id = kinora.json("runs", "list")["runs"][0]["runId"]
        finished = {
            job["jobId"]
            for job in kinora.json("runs", "show", run_id)["jobs"]
            if job["status"] == "completed"
        }
        kinora.ok("runs", "export", run_id, "-o", file)
    finally:
        process.stop()
        camera.stop()

    elsewhere.ok("import", file)
    assert elsewhere.json("verify", "film")["movies"][0]["problems"] == []
    assert elsewhere.json("runs", "show", run_id)["record"]["status"] == "failed"
    resumed = elsewhere.json("runs", "resume", run_id)["run"]
    assert resumed["resumesRunId"] == run_id
    outcome = elsewhere.lines("runs", "watch", resumed["runId"])
    assert outcome[-1]["type"] == "run.completed"
    called = {e["stepId"] for e in outcome if e["type"] == "step.started"}
    segments = [f"[segment={i}]" for i in range(3)]
    jobs = {name + segment for name in ("Picture", "Clip") for segment in segments}
    assert "Script" in finished
    assert called == (jobs | {"Script", "Film"}) - finished

    diff = elsewhere.json("runs", "diff", run_id, resumed["runId"])
    jobs = {d["job"]["jobId"]: d["job"] for d in diff["differences"] if "job" in d}
    assert jobs["Clip[segment=0]"]["old"]["outcome"] == "failed"
    assert jobs["Clip[segment=0]"]["new"]["outcome"] == "succeeded"
    assert "identical" not in diff["summary"]


def test_a_run_that_goes_on_is_not_gone_on_with_elsewhere(
    tmp_path, kinora, film, elsewhere
):
    kinora.ok("movie", "create", "film", "--blueprint", film("{delay_ms: 600000}"))
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    run_id = kinora.json("run", "film", "--detach")["run"]["runId"]
    watch = kinora.start("runs", "watch", run_id, "--json")
    for line in watch.stdout:
        event = json.loads(line)
        if event["type"] == "step.started" and event["stepId"].startswith("Picture"):
            break
    watch.kill()
    watch.communicate()
    file = str(tmp_path / "run.tar")
    kinora.ok("runs", "export", run_id, "-o", file)
    assert kinora.json("runs", "show", run_id)["record"]["status"] == "running"
    kinora.ok("runs", "cancel", run_id)

    elsewhere.ok("import", file)
    record = elsewhere.json("runs", "show", run_id)["record"]
    assert record["status"] == "cancelled"
    assert "exported while it went on" in record["error"]
    watched = elsewhere.call("runs", "watch", run_id, "--json")
    assert watched.returncode == 1
    assert json.loads(watched.stdout.splitlines()[-1])["type"] == "run.cancelled"
    assert elsewhere.json("verify", "film")["movies"][0]["problems"] == []
    assert elsewhere.json("runs", "list", "--status", "running").get("runs", []) == []


def test_a_damaged_file_is_refused_and_nothing_is_written(
    tmp_path, kinora, film, elsewhere
):
    run_id = make_film(kinora, film()).run_id
    exported = kinora.call_bytes("runs", "export", run_id, "-o", "-")
    assert exported.returncode == 0, exported.stderr
    good = exported.stdout
    at = good.index(b"Call me Ishmael.", good.index(b'"inputId":"Input:Story"'))
    bad = good[:at] + b"c" + good[at + 1 :]
    (tmp_path / "bad.tar").write_bytes(bad)
    for words in ((), ("--verify-only",)):
        said = elsewhere.fails("import", str(tmp_path / "bad.tar"), *words)
        assert "DATA_CORRUPT" in said
        assert "inputs.jsonl" in said
    for bytes_ in (b"", b"no archive", good[: len(good) // 2]):
        done = elsewhere.call_bytes("import", "-", given=bytes_)
        assert done.returncode == 1, done.stdout
    assert elsewhere.json("movie", "list").get("movies", []) == []
    assert elsewhere.call_bytes("import", "-", given=good).returncode == 0

    kinora.ok("backup", "film", str(tmp_path / "whole.tar"))
    said = elsewhere.fails("import", str(tmp_path / "whole.tar"), "--as", "whole")
    assert "kinora restore" in said
    assert "RUN_NOT_FOUND" in kinora.fails(
        "runs", "export", "run-01ARZ3NDEKTSV4RRFFQ69G5FAV", "-o", str(tmp_path / "x")
    )
    assert not (tmp_path / "x").exists()
    nowhere = Kinora("127.0.0.1:1")
    assert nowhere.call("runs", "export", run_id).returncode == 2
    assert nowhere.call("runs", "export", run_id, "-o", "-", "--json").returncode == 2
    assert nowhere.call("import", str(tmp_path)).returncode == 2


def test_the_same_work_is_identical_wherever_it_was_done(
    tmp_path, kinora, film, elsewhere
):
    run_id = make_film(kinora, film()).run_id
    file = str(tmp_path / "run.tar")
    kinora.ok("runs", "export", run_id, "-o", file)
    elsewhere.ok("import", file, "--as", "told")
    again = make_film(elsewhere, film())
    diff = elsewhere.json("runs", "diff", run_id, again.run_id)
    assert diff.get("differences", []) == []
    assert diff["summary"]["identical"] is True
    assert "identical" in elsewhere.ok("runs", "diff", run_id, again.run_id)
    elsewhere.ok("input", "set", "film", 'Story="Call me Ahab."')
    other = elsewhere.run("film")
    said = elsewhere.ok("runs", "diff", run_id, other.run_id)
    assert '"Call me Ishmael." -> "Call me Ahab."' in said
    assert "reads as story: Input:Story" in said
    assert "identical" not in said


def test_a_run_is_found_again_in_another_movie(tmp_path, kinora, film):
    run = make_film(kinora, film())
    ledger = kinora.lines("runs", "watch", run.run_id)
    file = str(tmp_path / "run.tar")
    kinora.ok("runs", "export", run.run_id, "-o", file)
    kinora.ok("movie", "delete", "film", "--yes")
    kinora.fails("runs", "watch", run.run_id)
    kinora.ok("import", file, "--as", "again")
    assert kinora.lines("runs", "watch", run.run_id) == ledger
    shown = kinora.json("runs", "show", run.run_id)["record"]
    assert (shown["movieId"], shown["status"]) == ("again", "completed")
