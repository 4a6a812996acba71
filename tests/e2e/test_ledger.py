"""The rules of the run ledger, as `kinora ledger` answers them."""

import collections
import json
import subprocess

import pytest

from cluster import BIN, ROOT

VECTORS = ROOT / "tests/vectors/run-ledger.jsonl"


def ask(kind: str, lines: list[str], *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BIN / "kinora", "ledger", kind, *words],
        input="".join(line + "\n" for line in lines),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def without_nulls(value):
    """A missing field and null are the same."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def vectors() -> dict[str, list[dict]]:
    by_kind = collections.defaultdict(list)
    for line in VECTORS.read_text().splitlines():
        vector = json.loads(line)
        by_kind[vector["kind"]].append(vector)
    return by_kind


@pytest.mark.parametrize("kind", ["reduce", "normalize", "patch", "slice"])
def test_every_vector_is_answered_in_its_line(kind):
    asked = vectors()[kind]
    assert len(asked) >= 30
    bare = [{k: v for k, v in vector.items() if k != "expected"} for vector in asked]
    done = ask(kind, [json.dumps(vector) for vector in bare])
    assert (done.returncode, done.stderr) == (0, "")
    answers = done.stdout.splitlines()
    assert len(answers) == len(asked)
    for vector, answer in zip(asked, answers):
        assert without_nulls(json.loads(answer)) == without_nulls(vector["expected"])
    # What is expected, if it is there, is not looked at.
    spoilt = [json.dumps({**vector, "expected": "?"}) for vector in asked]
    assert ask(kind, spoilt).stdout == done.stdout


# F: S2-31 (a fold may stop anywhere)
def test_an_answer_is_gone_on_from():
    for vector in vectors()["reduce"][:12]:
        half = len(vector["events"]) // 2
        first = {"initial": vector["initial"], "events": vector["events"][:half]}
        begun = ask_one("reduce", first)
        rest = {"snapshot": begun, "events": vector["events"][half:]}
        ended = ask_one("reduce", rest)
        assert without_nulls(ended) == without_nulls(vector["expected"])


def ask_one(kind: str, question: dict):
    done = ask(kind, [json.dumps(question)])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_bad_line_is_named_and_the_lines_before_are_answered():
    good = '{"input":{"bufferLines":["a"],"bufferTotalCount":1,"sentCount":0}}'
    for bad, said in (
        ("{", "line 3: "),
        ("[]", "line 3: question: must be of type object"),
        ('{"input":{"bufferLines":7}}', "line 3: input.bufferLines"),
        ('{"kind":"patch","input":{}}', "line 3: kind: must be slice"),
        ("{}", "line 3: input: is required"),
    ):
        done = ask("slice", [good, "", bad, good])
        assert done.returncode == 1
        assert done.stderr.startswith("kinora: " + said), done.stderr
        assert done.stdout == '{"lines":["a"],"channelOffset":0}\n'


def test_what_is_no_question_is_named():
    for kind, bad, said in (
        ("reduce", {"events": []}, "initial: is required"),
        ("reduce", {"initial": 1, "events": []}, "initial: must be of type object"),
        ("reduce", {"initial": {}, "events": {}}, "events: must be of type array"),
        ("reduce", {"initial": {}, "events": [{}, 1]}, "events[1]: must be"),
        ("normalize", {"value": {}}, "fallback: is required"),
        ("patch", {"previous": {}, "patch": {}}, "now: is required"),
    ):
        done = ask(kind, [json.dumps(bad)])
        assert done.returncode == 1
        assert f"line 1: {said}" in done.stderr, done.stderr


def test_a_patch_keeps_the_fractions_of_its_numbers():
    patch = {
        "runId": "r",
        "status": "completed",
        "lastCheckpointAt": 2000.75,
        "liveLogs": ["a"],
        "liveLogsChannelOffset": 0.5,
    }
    events = ask_one("patch", {"previous": {"runId": "r"}, "patch": patch, "now": 1})
    assert [event["occurredAt"] for event in events] == [2000.75] * 3
    assert events[1]["channelOffset"] == 0.5


def test_without_lines_nothing_is_unsent():
    for lines in ({}, {"bufferLines": None}, {"bufferLines": []}):
        assert ask_one("slice", {"input": {"bufferTotalCount": 3, **lines}}) is None


def test_words_are_a_wrong_use():
    assert ask("reduce", [], "file.jsonl").returncode == 2
    assert ask("fold", []).returncode == 2


# A program that asks line by line needs no answer to be forced out.
def test_each_line_is_answered_before_the_next_is_asked():
    with subprocess.Popen(
        [BIN / "kinora", "ledger", "reduce"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    ) as process:  # fmt: skip
        for at in range(3):
            event = {"runId": "r", "type": "run.started", "occurredAt": at}
            question = {"initial": {"runId": "r"}, "events": [event]}
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["startedAt"] == at
        process.stdin.close()
        assert process.wait(timeout=60) == 0


def test_nothing_asked_is_nothing_answered():
    done = ask("patch", [])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# F: S2-64 (the step's own error is beyond the shared rules)
def test_the_error_of_a_step_is_left_out():
    event = {"type": "step.failed", "runId": "r", "occurredAt": 1, "stepId": "s"}
    question = {"initial": {"runId": "r"}, "events": [{**event, "error": "boom"}]}
    assert "error" not in ask_one("reduce", question)["stepsById"]["s"]
