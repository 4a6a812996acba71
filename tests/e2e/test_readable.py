"""Readable copies of texts: edits by hand that a run takes, and paths that clash."""

import json
import pathlib
import shutil

import pytest

from cluster import Kinora, RunOutcome, sim, up, write_producers

FOLDER = pathlib.Path(__file__).parents[2] / "clients/cpp/import/testdata/film"

# Both writers name the path of their copy themselves.
NOTES = """
blueprint: notes
inputs:
  Topic: {type: text, default: "sea"}
nodes:
  First:
    producer: writer
    settings: {readable_path: note.txt}
    inputs: {topic: "Input:Topic"}
    outputs: {First: text/plain}
  Second:
    producer: writer
    settings: {readable_path: "PATH", cost: 0.02, currency: USD, delay_ms: DELAY}
    inputs: {first: First}
    outputs: {Second: text/plain}
  Last:
    producer: writer
    inputs: {second: Second}
    outputs: {Last: text/plain}
outputs: [Last]
"""


@pytest.fixture
def writer(tmp_path):
    with sim(tmp_path) as process:
        table = write_producers(tmp_path, process.address, "writer")
        server = up(tmp_path, table)
        yield Kinora(server.address)
        assert server.stop() == 0, server.log()


def notes(tmp_path, path, delay_ms=0):
    file = tmp_path / "notes.yaml"
    file.write_text(NOTES.replace("PATH", path).replace("DELAY", str(delay_ms)))
    return str(file)


# F: S1-7
@pytest.mark.parametrize("path", ["note.txt", "note.txt/second.txt"])
def test_result_whose_file_is_taken_fails_its_job_alone(tmp_path, writer, path):
    writer.ok("movie", "create", "film", "--blueprint", notes(tmp_path, path))
    done = writer.call("run", "film", "--json")
    assert done.returncode == 1
    run = RunOutcome([json.loads(line) for line in done.stdout.splitlines()])
    assert run.end == "run.failed"
    assert run.called == {"First", "Second"}
    error = writer.json("runs", "show", run.run_id)["record"]["error"]
    for said in ("job Second", "Artifact:Second", "Artifact:First", "note.txt"):
        assert said in error
    attempts = writer.json("artefact", "history", "film", "Second")["events"]
    failure = attempts[0]["artefact"]["failure"]
    assert failure["reason"] == "output_invalid"
    assert not failure.get("retryable", False)
    assert attempts[0]["artefact"]["cost"]["micros"] == 20000
    assert "REVISION_NOT_FOUND" in writer.fails("manifest", "show", "film")

    writer.ok("movie", "blueprint", "film", notes(tmp_path, "second.txt"))
    run = writer.run("film")
    assert run.end == "run.completed"
    assert run.called == {"Second", "Last"}
    prompts = tmp_path / "data/builds/film/prompts"
    assert sorted(p.name for p in prompts.iterdir()) == ["note.txt", "second.txt"]
    assert writer.json("movie", "scan", "film")["skipped"] == []


# F: B-6 Nobody has to scan before a run.
def test_run_takes_what_was_edited_by_hand(tmp_path, writer):
    writer.ok("movie", "create", "film", "--blueprint", notes(tmp_path, "second.txt"))
    assert writer.run("film").end == "run.completed"
    file = tmp_path / "data/builds/film/prompts/second.txt"
    file.write_text("By hand.\n")

    done = writer.call("run", "film", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "does not count the edit by hand of Artifact:Second" in done.stderr
    assert writer.json("movie", "scan", "film", "--dry-run")["artefactIds"] == ["Artifact:Second"]

    done = writer.call("run", "film", "--json")
    assert done.returncode == 0, done.stderr
    assert "kinora: recorded the edit by hand of Artifact:Second\n" in done.stderr
    for line in done.stdout.splitlines():
        json.loads(line)
    text = writer.ok("artefact", "get", "film", "Second")
    assert text == "By hand.\n" and file.read_text() == text
    run = writer.run("film")
    assert run.called == set()
    assert "edit by hand" not in writer.call("run", "film").stderr

    # A file that cannot be taken is told of, and keeps no run back.
    file.write_bytes(b"caf\xe9")
    done = writer.call("run", "film")
    assert done.returncode == 0
    assert "skipped prompts/second.txt of Artifact:Second: must be UTF-8 text" in done.stderr
    assert file.read_bytes() == b"caf\xe9"


def test_edit_while_a_run_is_active_is_told_and_waits(tmp_path, writer):
    writer.ok("movie", "create", "film", "--blueprint", notes(tmp_path, "second.txt"))
    assert writer.run("film").end == "run.completed"
    file = tmp_path / "data/builds/film/prompts/note.txt"
    writer.ok("movie", "blueprint", "film", notes(tmp_path, "second.txt", delay_ms=60000))
    run_id = writer.json("run", "film", "--detach")["run"]["runId"]
    file.write_text("By hand.\n")
    told = "kinora: does not count the edit by hand of Artifact:First: a run is active\n"
    done = writer.call("run", "film")
    assert done.returncode == 1
    assert told in done.stderr and run_id in done.stderr
    assert told in writer.call("plan", "film").stderr
    writer.ok("runs", "cancel", run_id)
    writer.call("runs", "watch", run_id)
    assert "recorded the edit by hand of Artifact:First" in writer.call("plan", "film").stderr


def test_queued_run_takes_what_was_edited_before_its_turn(tmp_path, writer):
    writer.ok("movie", "create", "film", "--blueprint", notes(tmp_path, "second.txt"))
    assert writer.run("film").end == "run.completed"
    file = tmp_path / "data/builds/film/prompts/note.txt"
    writer.ok("movie", "blueprint", "film", notes(tmp_path, "second.txt", delay_ms=60000))
    active = writer.json("run", "film", "--detach")["run"]["runId"]
    writer.ok("movie", "blueprint", "film", notes(tmp_path, "second.txt"))
    file.write_text("By hand.\n")
    done = writer.call("run", "film", "--queue", "--detach", "--json")
    assert done.returncode == 0, done.stderr
    told = "kinora: will record the edit by hand of Artifact:First, when the run begins\n"
    assert told in done.stderr
    queued = json.loads(done.stdout)["run"]["runId"]
    writer.ok("runs", "cancel", active)
    writer.ok("runs", "watch", queued)
    assert writer.ok("artefact", "get", "film", "First") == "By hand.\n"


# F: S1-20, B-6
def test_edit_of_an_imported_text_outlives_a_repeated_import(tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(FOLDER, folder)
    # Then the last revision has a timeline, and all pictures.
    shutil.rmtree(folder / "revisions/rev-0004")
    with sim(tmp_path) as process:
        table = write_producers(tmp_path, process.address, "picture")
        server = up(tmp_path, table)
        kinora = Kinora(server.address)
        made = kinora.json("movie", "import", "old", str(folder))
        assert [r["artefactId"] for r in made["notKept"]] == ["Artifact:Timeline"]
        kinora.ok("artefact", "set", "old", 'Timeline={"clips":[]}')
        assert server.stop() == 0, server.log()

        table = write_producers(tmp_path, process.address, "picture", "cut")
        server = up(tmp_path, table)
        kinora = Kinora(server.address)
        made = kinora.json("movie", "import", "old", str(folder))
        assert made["keptArtefacts"] == ["Artifact:Timeline"]
        assert made["keptEdits"] == ["Artifact:Timeline"]
        assert kinora.run("old").called == set()
        assert json.loads(kinora.ok("artefact", "get", "old", "Timeline")) == {"clips": []}
        assert kinora.json("verify", "old")["movies"][0]["problems"] == []
        assert server.stop() == 0, server.log()
