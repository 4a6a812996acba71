"""Questions of each form, from the producer that asks to whoever answers on the
command line, and what comes of those that nobody answers."""

import json

import pytest

from cluster import python_producer, write_producers
from test_question_terms import events_of, of_type
from test_questions import wait_for_question

PAINTER = """
import json
from datetime import timedelta

from kinora import Producer

painter = Producer("painter", version="1")


@painter.job
def paint(job):
    answer = job.ask(ASKED)
    job.write("Picture", json.dumps(answer))


painter.serve()
"""

BLUEPRINT = """
blueprint: sea
nodes:
  Sea: {producer: painter, outputs: {Picture: text/plain}}
outputs: [Picture]
"""

ASKED = {
    "text": '"name", "Which name?", max_length=8, pattern="[A-Z][a-z]+"',
    "multiple": '"birds", "Which birds?", "multiple", ["gull", "tern", "auk"], '
    "min_choices=1, max_choices=2",
    "json": '"size", "How large?", "json", schema={"type": "object", '
    '"required": ["width"], "properties": {"width": {"type": "integer", '
    '"minimum": 1}}}',
    "escalated": '"tone", "Which tone?", timeout=timedelta(seconds=1), '
    'assignees=["ann"], escalations=[(["bob", "editors"], timedelta(hours=4))]',
    "fail": '"tone", "Which tone?", timeout=timedelta(seconds=1), '
    'on_deadline="fail_job"',
    "cancel": '"tone", "Which tone?", timeout=timedelta(seconds=1), '
    'on_deadline="cancel_run"',
}


@pytest.fixture
def producers(tmp_path, asked):
    """A painter that asks what a test names."""
    code = PAINTER.replace("ASKED", ASKED[asked])
    process = python_producer(tmp_path / "painter.py", code)
    yield write_producers(tmp_path, process.address, "painter")
    assert process.stop() == 0, process.log()


def asks(name: str):
    """Has the painter of a test ask this."""
    return pytest.mark.parametrize("asked", [name])


def start(kinora, tmp_path) -> str:
    path = tmp_path / "sea.yaml"
    path.write_text(BLUEPRINT)
    kinora.ok("movie", "create", "sea", "--blueprint", str(path))
    return kinora.json("run", "sea", "--detach")["run"]["runId"]


def refused(kinora, run_id: str, question: str, *values: str) -> str:
    """What is said of values that are no answer; the ledger is as before."""
    before = kinora.json("runs", "show", run_id)["lastSequence"]
    said = kinora.fails("answer", run_id, question, *values)
    assert "INVALID_FIELD" in said and "answer.value_json" in said
    assert kinora.json("runs", "show", run_id)["lastSequence"] == before
    (waiting,) = kinora.json("questions", run_id)["questions"]
    assert waiting["question"]["questionId"] == question
    return said


def picture(kinora) -> object:
    return json.loads(kinora.ok("artefact", "get", "sea", "Picture"))


@asks("text")
def test_a_text_is_within_its_length_and_pattern(kinora, tmp_path):
    run_id = start(kinora, tmp_path)
    wait_for_question(kinora, run_id, "name")
    assert "8" in refused(kinora, run_id, "name", "Nantucket")
    assert "[A-Z][a-z]+" in refused(kinora, run_id, "name", "ahab")
    assert kinora.ok("answer", run_id, "name", "Ahab") == ""
    (answered,) = of_type(events_of(kinora, run_id), "job.answered")
    assert answered["value"] == "Ahab" == picture(kinora)


@asks("multiple")
def test_of_several_options_as_many_are_taken_as_may_be(kinora, tmp_path):
    run_id = start(kinora, tmp_path)
    wait_for_question(kinora, run_id, "birds")
    said = refused(kinora, run_id, "birds", "gull", "tern", "auk")
    assert "at most 2 of the options" in said and "tern" in said
    assert "crow" in refused(kinora, run_id, "birds", "crow")
    assert kinora.ok("answer", run_id, "birds", "auk", "gull") == ""
    (answered,) = of_type(events_of(kinora, run_id), "job.answered")
    assert answered["value"] == ["auk", "gull"] == picture(kinora)


@asks("json")
def test_json_is_what_its_schema_says(kinora, tmp_path):
    run_id = start(kinora, tmp_path)
    wait_for_question(kinora, run_id, "size")
    assert "width" in refused(kinora, run_id, "size", '{"width": 0}')
    assert "width" in refused(kinora, run_id, "size", "{}")
    refused(kinora, run_id, "size", "{")
    assert kinora.ok("answer", run_id, "size", '{"width": 3}') == ""
    (answered,) = of_type(events_of(kinora, run_id), "job.answered")
    assert answered["value"] == {"width": 3} == picture(kinora)


def wait_for(kinora, run_id: str, kind: str) -> dict:
    """What the first event of this type tells, once there is one."""
    with kinora.start("runs", "watch", run_id, "--json") as watch:
        for line in watch.stdout:
            event = json.loads(line)
            if event["type"] == kind:
                watch.kill()
                return event["detail"]
    raise AssertionError(f"no {kind}")


@asks("escalated")
def test_those_who_are_asked_next_end_the_wait(kinora, tmp_path):
    run_id = start(kinora, tmp_path)
    escalated = wait_for(kinora, run_id, "job.escalated")
    assert escalated["assignees"] == ["bob", "editors"]
    (waiting,) = kinora.json("questions", run_id)["questions"]
    assert waiting["assignees"] == ["bob", "editors"]
    assert waiting["escalations"] == 1
    listed = kinora.ok("questions")
    assert "for bob, editors" in listed and "for ann" not in listed
    assert kinora.ok("answer", run_id, "tone", "calm", "--by", "bob") == ""
    events = events_of(kinora, run_id)
    (answered,) = of_type(events, "job.answered")
    assert answered["answeredBy"] == "bob" and "assumed" not in answered
    assert len(of_type(events, "job.escalated")) == 1
    assert picture(kinora) == "calm"


def ended(kinora, run_id: str) -> list[dict]:
    """The ledger of a run that does not end well."""
    told = kinora.call("runs", "watch", run_id, "--json")
    assert told.returncode != 0
    return [json.loads(line) for line in told.stdout.splitlines()]


@asks("fail")
def test_a_job_fails_whose_question_nobody_answers(kinora, tmp_path):
    run_id = start(kinora, tmp_path)
    events = ended(kinora, run_id)
    (unanswered,) = of_type(events, "job.unanswered")
    assert unanswered["why"] == "deadline" and unanswered["then"] == "fail_job"
    assert events[-1]["type"] == "run.failed"
    (failed,) = [e for e in events if e["type"] == "step.failed"]
    assert failed["error"].startswith('nobody answered "tone" of job Sea by ')
    assert failed["error"] in events[-1]["error"]
    # For good: nobody would answer the next attempt, either.
    types = [event["type"] for event in events]
    assert types.count("step.started") == 1 and "job.retrying" not in types
    (job,) = kinora.json("runs", "show", run_id)["jobs"]
    assert job["status"] == "failed" and job["detail"] == failed["error"]
    (stage,) = kinora.json("runs", "record", run_id)["stages"]
    assert stage["error"] == failed["error"] and stage["outcome"] == "failure"
    assert kinora.json("questions") == {}
    assert "RUN_TERMINAL" in kinora.fails("answer", run_id, "tone", "calm")


@asks("cancel")
def test_a_run_is_cancelled_whose_question_nobody_answers(kinora, tmp_path):
    run_id = start(kinora, tmp_path)
    events = ended(kinora, run_id)
    (unanswered,) = of_type(events, "job.unanswered")
    assert unanswered["why"] == "deadline" and unanswered["then"] == "cancel_run"
    assert events[-1]["type"] == "run.cancelled"
    assert not [e for e in events if e["type"] == "step.failed"]
    assert kinora.json("runs", "show", run_id)["record"]["status"] == "cancelled"
    assert kinora.json("questions") == {}
