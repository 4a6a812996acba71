"""A producer asks, a person answers, and the run goes on."""

import json
import subprocess

import pytest

from cluster import Separate, python_producer, write_producers

# As the README of the SDK shows it.
ASKER = """
from kinora import Producer

painter = Producer("painter", version="1")


@painter.job
def paint(job):
    tone = job.ask("tone", "Which tone?", "choice", ["calm", "wild"])
    if job.ask("sign", "Sign it?", "confirm"):
        job.write("Picture", f"a {tone} sea, signed")
    else:
        job.write("Picture", f"a {tone} sea")


painter.serve()
"""

BLUEPRINT = """
blueprint: sea
nodes:
  Sea: {producer: painter, outputs: {Picture: text/plain}}
outputs: [Picture]
"""


@pytest.fixture
def producers(tmp_path):
    """A producer on the Python SDK that asks before it paints."""
    process = python_producer(tmp_path / "painter.py", ASKER)
    yield write_producers(tmp_path, process.address, "painter")
    assert process.stop() == 0, process.log()


def create(kinora, tmp_path):
    path = tmp_path / "sea.yaml"
    path.write_text(BLUEPRINT)
    kinora.ok("movie", "create", "sea", "--blueprint", str(path))


def wait_for_question(kinora, run_id: str, question: str) -> dict:
    """The question, which is the one that the run waits with."""
    with kinora.start("runs", "watch", run_id, "--json") as watch:
        for line in watch.stdout:
            event = json.loads(line)
            if event["type"] != "job.question":
                continue
            if event["detail"]["questionId"] == question:
                watch.kill()
                (waiting,) = kinora.json("questions", run_id)["questions"]
                assert waiting["question"]["questionId"] == question
                return waiting
    raise AssertionError("nobody asked anything")


def next_line(process: subprocess.Popen, beginning: str) -> str:
    for line in process.stdout:
        if line.strip().startswith(beginning):
            return line
    raise AssertionError(f"no line {beginning!r}: {process.stderr.read()}")


# F: S3-17 S3-18 (a run in the foreground says what it asks, and how to answer)
def test_a_run_asks_and_goes_on_with_the_answer(kinora, tmp_path):
    create(kinora, tmp_path)
    run = kinora.start("run", "sea")
    assert "Which tone?" in next_line(run, "question")
    command = next_line(run, "kinora answer").split()
    assert command[3] == "tone" and "'calm'" in command and "'wild'" in command
    run_id = command[2]

    question = wait_for_question(kinora, run_id, "tone")
    assert question["jobId"] == "Sea"
    assert question["question"]["options"] == ["calm", "wild"]
    assert kinora.json("questions")["questions"] == [question]
    assert kinora.json("questions", "--movie", "sea")["questions"] == [question]
    listed = kinora.ok("questions")
    assert "Which tone?" in listed and f"kinora answer {run_id} tone" in listed

    said = kinora.fails("answer", run_id, "tone", "loud")
    assert "answer.value_json" in said and '"calm"' in said, said
    assert "QUESTION_NOT_FOUND" in kinora.fails("answer", run_id, "size", "2")
    assert kinora.ok("answer", run_id, "tone", "wild", "--by", "ann") == ""
    assert "Sign it?" in next_line(run, "question")
    said = kinora.fails("answer", run_id, "sign", "perhaps")
    assert "answer.value_json" in said, said
    assert kinora.ok("answer", run_id, "sign", "yes", "--job", "Sea") == ""
    assert run.wait(timeout=60) == 0, run.stderr.read()
    assert kinora.ok("artefact", "get", "sea", "Picture") == "a wild sea, signed"
    assert kinora.json("questions") == {}
    assert "RUN_TERMINAL" in kinora.fails("answer", run_id, "tone", "calm")

    # Asked once, answered once, and no attempt has failed.
    events = kinora.lines("runs", "watch", run_id)
    types = [event["type"] for event in events]
    assert types.count("job.question") == types.count("job.answered") == 2
    assert types.count("step.started") == 3 and "job.retrying" not in types
    answered = next(e for e in events if e["type"] == "job.answered")
    assert answered["detail"] == {
        "questionId": "tone",
        "value": "wild",
        "answeredBy": "ann",
    }


# F: S3-23 S3-25 (the question outlives the runner, and so does its answer)
def test_a_question_outlives_its_runner(producers, tmp_path):
    directory = tmp_path / "separate"
    directory.mkdir()
    services = Separate(directory, producers)
    create(services.kinora, tmp_path)
    run_id = services.kinora.json("run", "sea", "--detach")["run"]["runId"]
    wait_for_question(services.kinora, run_id, "tone")
    services.runner.kill()
    services.start_runner()
    kinora = services.kinora
    wait_for_question(kinora, run_id, "tone")
    assert kinora.answer(run_id, "tone", "calm") == ""
    wait_for_question(kinora, run_id, "sign")
    services.runner.kill()
    services.start_runner()
    kinora = services.kinora
    assert kinora.answer(run_id, "sign", "no") == ""
    assert kinora.call("runs", "watch", run_id).returncode == 0
    assert kinora.ok("artefact", "get", "sea", "Picture") == "a calm sea"
    types = [event["type"] for event in services.ledger("sea", run_id)]
    assert types.count("job.question") == types.count("job.answered") == 2
    assert services.stop() == [0, 0, 0]
