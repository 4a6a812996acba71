"""More questions than a message of gRPC's usual size holds."""

import json

import pytest

from cluster import sim, write_producers

JOBS = 2500
PROMPT = "Which whale? " + "x" * 2000

BLUEPRINT = f"""
blueprint: pod
dimensions:
  part: {{size: {JOBS}}}
nodes:
  Part:
    producer: sim
    over: [part]
    settings: {{question: "{PROMPT}"}}
    outputs: {{Text: text/plain}}
outputs: [Text]
"""


@pytest.fixture
def producers(tmp_path):
    with sim(tmp_path) as process:
        yield write_producers(tmp_path, process.address, "sim")


def wait_until_it_waits(kinora, run_id: str) -> None:
    with kinora.start("runs", "watch", run_id, "--json") as watch:
        for line in watch.stdout:
            if json.loads(line)["type"] == "run.waiting":
                watch.kill()
                return
    raise AssertionError("the run does not wait")


def test_all_questions_are_listed_and_any_is_answered(kinora, tmp_path):
    path = tmp_path / "pod.yaml"
    path.write_text(BLUEPRINT)
    kinora.ok("movie", "create", "pod", "--blueprint", str(path))
    run_id = kinora.json("run", "pod", "--detach")["run"]["runId"]
    wait_until_it_waits(kinora, run_id)
    listed = kinora.ok("questions", run_id)
    assert len(listed) > 4 << 20 and listed.count(PROMPT) == JOBS
    questions = kinora.json("questions", run_id)["questions"]
    assert len({question["jobId"] for question in questions}) == JOBS
    job = questions[-1]["jobId"]
    assert kinora.ok("answer", run_id, "sim", "a white one", "--job", job) == ""
    left = kinora.json("questions", run_id)["questions"]
    assert {question["jobId"] for question in left} == {
        question["jobId"] for question in questions
    } - {job}
    kinora.ok("runs", "cancel", run_id)
    assert kinora.json("questions") == {}
