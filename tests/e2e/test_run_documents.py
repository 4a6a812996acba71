"""Run records, as documents, of Kinora's own runs: `kinora runs record`."""

import json

import pytest

from cluster import Kinora, python_producer, up, write_producers

# `writer` notes what it did.
WRITER = """
from kinora import Producer, serve

writer = Producer("writer", version="1")


@writer.job
def write(job):
    job.write("Script", "A night in Rome, for " + job.settings["who"])
    return {
        "branch": "night",
        "worker": {"id": "w1", "name": "typist", "task": "type it"},
        "handoffs": [{"id": "h1", "kind": "review", "task": "cut it"}],
        "words": 5,
    }


serve(writer)
"""

FILM = """
blueprint: film
nodes:
  Write: {producer: writer, settings: {who: WHO}, outputs: {Script: text/plain}}
outputs: [Script]
"""


@pytest.fixture
def kinora(tmp_path):
    producer = python_producer(tmp_path / "writer.py", WRITER)
    table = write_producers(tmp_path, producer.address, "writer")
    process = up(tmp_path, table)
    yield Kinora(process.address)
    assert process.stop() == 0, process.log()
    assert producer.stop() == 0, producer.log()


def create(kinora: Kinora, tmp_path, movie: str, who: str = "Ann") -> None:
    path = tmp_path / f"{movie}.yaml"
    path.write_text(FILM.replace("WHO", who))
    kinora.ok("movie", "create", movie, "--blueprint", str(path))


# F: S4-5, S4-20, S4-21, S4-35
def test_a_run_is_printed_and_saved_as_a_record(kinora, tmp_path):
    create(kinora, tmp_path, "film")
    trigger = json.dumps({"id": "event-1", "trace_id": "t-1"})
    done = kinora.run("film", "--trigger", trigger)
    assert done.end == "run.completed", done.events[-1]

    document = kinora.json("runs", "record", done.run_id)
    assert document["type"] == "run_record" and document["id"] == done.run_id
    assert document["workflow_id"] == "film"
    assert document["root_run_id"] == done.run_id
    assert document["status"] == "completed"
    assert document["started_at"] <= document["finished_at"]
    (stage,) = document["stages"]
    assert (stage["id"], stage["node_id"]) == ("Write", "Write")
    assert (stage["status"], stage["outcome"]) == ("completed", "success")
    assert stage["branch"] == "night" and stage["attempts"] == 1
    assert stage["visible_text"] == "A night in Rome, for Ann"
    assert stage["metadata"]["words"] == 5
    (made,) = stage["artifacts"]
    assert made["id"] == "Artifact:Script" and made["kind"] == "text/plain"
    assert made["metadata"]["size_bytes"] == len(stage["visible_text"])
    (child,) = document["child_runs"]
    assert child["worker_id"] == "w1" and child["parent_stage_id"] == "Write"
    assert [handoff["id"] for handoff in document["handoffs"]] == ["h1"]
    graph = document["observability"]
    assert graph["trace_id"] == "t-1" and graph["trigger"]["id"] == "event-1"
    assert graph["counts"]["jobs"] == 1 and graph["counts"]["handoffs"] == 1

    runs = tmp_path / "deep/runs"
    path = runs / f"{done.run_id}.json"
    save = ("runs", "record", done.run_id, "--dir", str(runs))
    assert kinora.ok(*save) == f"{path}\n"
    saved = path.read_bytes()
    assert json.loads(saved)["persisted_path"] == str(path)
    # Once more is the same: its fixture, too.
    assert kinora.json(*save) == {"path": str(path)}
    assert path.read_bytes() == saved
    assert [entry.name for entry in runs.iterdir()] == [path.name]
    topics = tmp_path / "topics"
    kinora.ok(*save, "--log", str(topics))
    (line,) = (topics / "observability.action_graph.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert told["id"] == 1 and told["kind"] == "action_graph_update"
    assert told["headers"]["run_id"] == done.run_id
    assert told["payload"]["persisted_path"] == str(path)
    assert path.read_bytes() == saved
    loaded = json.loads(kinora.ok("records", "load", str(path)))
    assert loaded == json.loads(saved)


# F: S4-37, S4-38
def test_a_second_run_is_held_to_the_fixture_of_the_first(kinora, tmp_path):
    create(kinora, tmp_path, "film")
    create(kinora, tmp_path, "again")
    create(kinora, tmp_path, "other", who="Bob")
    paths = {}
    for movie in ("film", "again", "other"):
        done = kinora.run(movie)
        assert done.end == "run.completed", done.events[-1]
        paths[movie] = kinora.ok(
            "runs", "record", done.run_id, "--dir", str(tmp_path / "runs")
        ).strip()
    fixture = tmp_path / "fixture.json"
    fixture.write_text(kinora.ok("records", "fixture", paths["film"]))
    evaluate = ("--fixture", str(fixture))
    for movie in ("film", "again"):
        said = kinora.ok("records", "evaluate", paths[movie], *evaluate)
        assert said == "passed\n"
    said = kinora.call("records", "evaluate", paths["other"], *evaluate)
    assert said.returncode == 1
    assert "stage Write visible text does not contain" in said.stdout


def test_nothing_is_written_of_what_is_not_there(kinora, tmp_path):
    runs = tmp_path / "runs"
    run_id = "run-01M80A0TXEJKZYVTJGZRG8RXPV"
    said = kinora.fails("runs", "record", run_id, "--dir", str(runs))
    assert "RUN_NOT_FOUND" in said
    assert not runs.exists()

    # Nor over a file that is no record.
    create(kinora, tmp_path, "film")
    done = kinora.run("film")
    runs.mkdir()
    path = runs / f"{done.run_id}.json"
    path.write_text("torn")
    said = kinora.fails("runs", "record", done.run_id, "--dir", str(runs))
    assert "parse run record" in said
    assert path.read_text() == "torn"
