"""Questions with terms, as docs/questions.md shows them: several people agree to
what they look at, an approval holds for it, and nobody answers in time."""

import re

import pytest

from cluster import ROOT, Separate, python_producer, write_producers
from test_questions import wait_for_question

DOCS = (ROOT / "docs/questions.md").read_text()

BLUEPRINT = """
blueprint: sea
inputs:
  Place: {type: text, default: Nantucket}
  Note: {type: text, default: none}
nodes:
  Sea:
    producer: painter
    inputs: {place: "Input:Place", note: "Input:Note"}
    outputs: {Picture: text/plain}
outputs: [Picture]
"""

HASTY = """
from datetime import timedelta

from kinora import Producer

painter = Producer("painter", version="1")


@painter.job
def paint(job):
    tone = job.ask("tone", "Which tone?", "choice", ["calm", "wild"], default="calm",
                   timeout=timedelta(seconds=6))
    job.write("Picture", f"a {tone} sea")


painter.serve()
"""


OPTIONAL = """
from kinora import Producer

painter = Producer("painter", version="1")


@painter.job
def paint(job):
    tone = job.ask("tone", "Which tone?", required=False, metadata={"scene": 3})
    job.write("Picture", f"a {tone} sea")


painter.serve()
"""


def painter_of(tmp_path, code):
    process = python_producer(tmp_path / "painter.py", code)
    yield write_producers(tmp_path, process.address, "painter")
    assert process.stop() == 0, process.log()


@pytest.fixture
def producers(tmp_path):
    """The producer that the page shows."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", DOCS, re.M | re.S)
    yield from painter_of(tmp_path, code)


@pytest.fixture
def hasty_producers(tmp_path):
    """One that does not wait for long."""
    yield from painter_of(tmp_path, HASTY)


@pytest.fixture
def optional_producers(tmp_path):
    """One that goes on without an answer."""
    yield from painter_of(tmp_path, OPTIONAL)


def create(kinora, tmp_path):
    path = tmp_path / "sea.yaml"
    path.write_text(BLUEPRINT)
    kinora.ok("movie", "create", "sea", "--blueprint", str(path))


def start(kinora, *edits: str) -> str:
    flags = [flag for edit in edits for flag in ("--set", edit)]
    return kinora.json("run", "sea", *flags, "--detach")["run"]["runId"]


def events_of(kinora, run_id: str) -> list[dict]:
    """The ledger to the end of the run, which must be a good one."""
    return kinora.lines("runs", "watch", run_id)


def of_type(events: list[dict], kind: str) -> list[dict]:
    return [event["detail"] for event in events if event["type"] == kind]


def test_people_agree_to_content_and_their_approval_holds_for_it(kinora, tmp_path):
    create(kinora, tmp_path)
    first = start(kinora)
    tone = wait_for_question(kinora, first, "tone")
    assert tone["assignees"] == ["ann"] and "deadline" in tone
    listed = kinora.ok("questions", first)
    assert 'proposed: "calm"' in listed and "for ann" in listed
    assert "then bob, editors" in listed
    assert kinora.ok("answer", first, "tone", "wild", "--by", "ann") == ""

    publish = wait_for_question(kinora, first, "publish")
    about = publish["question"]["contentHash"]
    vote = ("answer", first, "publish")
    assert "answer.answered_by" in kinora.fails(*vote, "yes")
    said = kinora.fails(*vote, "yes", "--by", "ann", "--about", "other")
    assert "QUESTION_NOT_FOUND" in said and about in said
    assert kinora.ok(*vote, "yes", "--by", "ann", "--about", about) == ""
    assert "has answered already" in kinora.fails(*vote, "no", "--by", "ann")
    assert "2 of 3 people must agree; so far ann true" in kinora.ok("questions")
    assert kinora.ok(*vote, "no", "--by", "bob") == ""
    assert kinora.ok(*vote, "yes", "--by", "cleo") == ""
    events = events_of(kinora, first)
    assert kinora.ok("artefact", "get", "sea", "Picture") == "a wild sea at Nantucket"
    assert len(of_type(events, "job.voted")) == 3
    answered = of_type(events, "job.answered")[-1]
    assert answered["answeredBy"] == "ann, cleo" and answered["value"] is True

    # Made again, it is the same picture; the tone is a question of each run.
    second = start(kinora, 'Note="again"')
    wait_for_question(kinora, second, "tone")
    assert kinora.ok("answer", second, "tone", "wild") == ""
    events = events_of(kinora, second)
    assert [q["questionId"] for q in of_type(events, "job.question")] == ["tone"]
    approved = of_type(events, "job.answered")[-1]
    assert approved["approvedIn"] == first and approved["contentHash"] == about

    # Another picture is to be looked at anew, and the ledger says why.
    third = start(kinora, 'Place="Bergen"')
    wait_for_question(kinora, third, "tone")
    assert kinora.ok("answer", third, "tone", "wild") == ""
    publish = wait_for_question(kinora, third, "publish")
    assert kinora.ok("answer", third, "publish", "no", "--by", "ann") == ""
    assert kinora.ok("answer", third, "publish", "no", "--by", "bob") == ""
    (voided,) = of_type(events_of(kinora, third), "job.voided")
    assert voided["runId"] == first and voided["contentHash"] == about
    assert voided["newContentHash"] == publish["question"]["contentHash"] != about
    assert kinora.ok("artefact", "get", "sea", "Picture") == "a curtain"


# F: S3-17 (the deadline is in the ledger, and holds without a runner)
def test_a_deadline_that_passes_without_a_runner_is_acted_on_once(
    hasty_producers, tmp_path
):
    directory = tmp_path / "separate"
    directory.mkdir()
    services = Separate(directory, hasty_producers)
    create(services.kinora, tmp_path)
    run_id = start(services.kinora)
    wait_for_question(services.kinora, run_id, "tone")
    services.runner.kill()
    services.start_runner()
    kinora = services.kinora
    assert kinora.call("runs", "watch", run_id).returncode == 0
    assert kinora.ok("artefact", "get", "sea", "Picture") == "a calm sea"
    ledger = services.ledger("sea", run_id)
    (answered,) = [e for e in ledger if e["type"] == "job.answered"]
    assert answered["detail"]["assumed"] == "deadline"
    assert services.stop() == [0, 0, 0]


# F: S3-7
def test_a_question_may_be_passed_over(optional_producers, tmp_path):
    directory = tmp_path / "separate"
    directory.mkdir()
    services = Separate(directory, optional_producers)
    kinora = services.kinora
    create(kinora, tmp_path)
    run_id = start(kinora)
    waiting = wait_for_question(kinora, run_id, "tone")
    assert waiting["question"]["required"] is False
    listed = kinora.ok("questions", run_id)
    assert '{"scene":3}' in listed and "TEXT | --skip" in listed
    assert kinora.call("answer", run_id, "tone").returncode == 2
    assert kinora.call("answer", run_id, "tone", "wild", "--skip").returncode == 2
    assert kinora.ok("answer", run_id, "tone", "--skip") == ""
    (answered,) = of_type(events_of(kinora, run_id), "job.answered")
    assert answered["value"] is None
    assert kinora.ok("artefact", "get", "sea", "Picture") == "a None sea"
    assert services.stop() == [0, 0, 0]
