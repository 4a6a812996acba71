"""What the log says of each result, and what a job is given."""

import hashlib
import json

import pytest

from test_incremental import create


@pytest.fixture
def artefact_events(tmp_path):
    """What the log has of the artefacts of a revision, in its order."""

    def read(revision: str) -> list[dict]:
        log = tmp_path / f"data/builds/film/events/{revision}.artefacts.jsonl"
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert {line["revision"] for line in lines} == {revision}
        return [line["artefact"] for line in lines if "artefact" in line]

    return read


# F: S1-35 S1-12 S1-13
def test_each_output_is_one_event_that_says_all_of_it(kinora, film, artefact_events):
    create(kinora, film("{bytes: 9000, cost: 0.5, currency: USD}"))
    outcome = kinora.run("film")
    assert outcome.end == "run.completed"
    lines = artefact_events("rev-0001")
    events = {event["artefactId"]: event for event in lines}
    assert events.keys() == set(kinora.json("artefact", "list", "film")["artefacts"])
    assert len(events) == len(lines) == 3 + 3 + 3 + 1
    assert {event["status"] for event in events.values()} == {"succeeded"}

    image = events["Artifact:Image[segment=1]"]
    made = kinora.call_bytes("artefact", "get", "film", "Image[segment=1]").stdout
    assert image["output"]["blob"] == {
        "hash": hashlib.sha256(made).hexdigest(),
        "size": 9000,
        "mimeType": "image/png",
    }
    by = image["producedBy"]
    assert by["runId"] == outcome.run_id and by["jobId"] == "Picture[segment=1]"
    assert by["producer"] == {"name": "picture", "version": "1"}
    text = events["Artifact:SegmentText[segment=1]"]["output"]["inline"]
    assert image["dependencies"] == [
        {
            "slot": "prompt",
            "sourceId": "Input:Prompt[segment=1]",
            "hash": hashlib.sha256(b"").hexdigest(),
        },
        {
            "slot": "text",
            "sourceId": "Artifact:SegmentText[segment=1]",
            "hash": hashlib.sha256(text["text"].encode()).hexdigest(),
        },
    ]
    assert image["cost"] == {"currencyCode": "USD", "micros": 500000}
    assert len(image["inputsHash"]) == 64 and image["duration"] > 0


# What a user has said and what was made before come side by side, each under the
# name that the blueprint gives it.
# F: S0-15
def test_inputs_and_artefacts_reach_a_job_under_their_own_names(kinora, film):
    create(kinora, film())
    kinora.ok("input", "set", "film", 'Prompt[segment=1]="at night"')
    assert kinora.run("film").end == "run.completed"
    text = kinora.call_bytes("artefact", "get", "film", "SegmentText[segment=1]").stdout
    # The simulated producer tells what it was given.
    given = kinora.ok("artefact", "get", "film", "Image[segment=1]").splitlines()[2:]
    assert given == [
        f"prompt = Input:Prompt[segment=1] {hashlib.sha256(b'at night').hexdigest()}",
        f"text = Artifact:SegmentText[segment=1] {hashlib.sha256(text).hexdigest()}",
    ]
