"""Run records, as `kinora records` takes their steps."""

import json
import subprocess

from cluster import BIN


def records(*words) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BIN / "kinora", "records", *map(str, words)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


# A record as an earlier system has left it.
ENDED = {
    "_type": "run_record",
    "id": "run_1",
    "workflow_id": "film",
    "status": "completed",
    "started_at": "2026-04-23T12:00:00Z",
    "stages": [
        {
            "id": "s1",
            "node_id": "script",
            "status": "completed",
            "outcome": "success",
            "visible_text": "A night in Rome",
            "artifacts": [{"kind": "text"}],
            "metadata": {"worker": {"id": "w1", "child_run_id": "run_2"}},
        }
    ],
    "handoffs": [{"id": "h1", "task": "cut it"}],
    "their_own": {"kept": True},
}


def write(path, document):
    path.write_text(json.dumps(document))
    return path


# F: S4-35 (path and form), S4-5, S4-33
def test_what_is_saved_is_loaded(tmp_path):
    given = write(tmp_path / "given.json", ENDED)
    saved = records("save", given, "--dir", tmp_path / "deep/runs")
    path = tmp_path / "deep/runs/run_1.json"
    assert (saved.returncode, saved.stdout, saved.stderr) == (0, f"{path}\n", "")
    text = path.read_text()
    assert text.startswith("{\n  ") and text.endswith("\n}\n")
    assert [name.name for name in path.parent.iterdir()] == ["run_1.json"]

    loaded = records("load", path)
    assert loaded.returncode == 0, loaded.stderr
    document = json.loads(loaded.stdout)
    assert document == json.loads(text)
    assert document["persisted_path"] == str(path)
    assert document["child_runs"][0]["run_id"] == "run_2"
    assert document["their_own"] == {"kept": True}
    assert document["observability"]["counts"]["handoffs"] == 1
    told = records("save", given, "--dir", tmp_path, "--json")
    assert json.loads(told.stdout) == {"path": str(tmp_path / "run_1.json")}


# F: S4-28, S4-41
def test_normalising_twice_is_normalising_once(tmp_path):
    once = records("normalize", write(tmp_path / "a.json", ENDED))
    assert once.returncode == 0, once.stderr
    again = records("normalize", write(tmp_path / "b.json", json.loads(once.stdout)))
    assert again.stdout == once.stdout
    bare = json.loads(records("normalize", write(tmp_path / "c.json", {})).stdout)
    assert bare["type"] == "run_record" and bare["status"] == "running"
    assert bare["id"].startswith("run-") and bare["root_run_id"] == bare["id"]
    assert "replay_fixture" not in bare


# F: S4-37, S4-38
def test_a_run_is_held_to_a_fixture(tmp_path):
    given = write(tmp_path / "given.json", ENDED)
    made = records("fixture", given)
    assert made.returncode == 0, made.stderr
    fixture = write(tmp_path / "fixture.json", json.loads(made.stdout))
    passed = records("evaluate", given, "--fixture", fixture)
    assert (passed.returncode, passed.stdout) == (0, "passed\n")

    stage = {**ENDED["stages"][0], "outcome": "failure", "artifacts": []}
    other = write(tmp_path / "other.json", {**ENDED, "stages": [stage]})
    failed = records("evaluate", other, "--fixture", fixture)
    assert failed.returncode == 1
    assert failed.stdout.splitlines() == [
        'stage script outcome mismatch: expected "success", got "failure"',
        'stage script missing artifact kind "text"',
    ]
    as_json = records("evaluate", other, "--fixture", fixture, "--json")
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout) == {
        "failures": failed.stdout.splitlines(),
        "pass": False,
    }


# F: S4-36
def test_what_is_no_record_is_told(tmp_path):
    bad = write(tmp_path / "bad.json", {"id": "r", "stages": [{"status": 7}]})
    torn = tmp_path / "torn.json"
    torn.write_text('{"id":"r"')
    given = write(tmp_path / "given.json", ENDED)

    def untyped(members):
        fixture = {"expected_status": "completed", **members}
        name = "".join(c for c in json.dumps(members) if c.isalnum())
        return write(tmp_path / f"{name}.json", fixture)

    for words, said in (
        (("load", tmp_path / "none.json"), "read run record: "),
        (("load", torn), "parse run record: "),
        (("load", bad), "decode run record: stages[0].status: "),
        (("normalize", bad), "stages[0].status: "),
        (("save", bad, "--dir", tmp_path / "runs"), "stages[0].status: "),
        (("save", write(tmp_path / "a.json", {}), "--dir", tmp_path), "id: "),
        (("fixture", write(tmp_path / "b.json", {"id": "r"})), "has not ended"),
        (("evaluate", tmp_path / "a.json", "--fixture", bad), "expected_status"),
        (
            ("evaluate", given, "--fixture", untyped({"expected_status": 7})),
            'expected_status: must be of type string, got "7"',
        ),
        (
            ("evaluate", given, "--fixture", untyped({"stage_assertions": {}})),
            'stage_assertions: must be of type array, got "{}"',
        ),
        (
            ("evaluate", given, "--fixture", untyped({"stage_assertions": [3]})),
            'stage_assertions[0]: must be of type object, got "3"',
        ),
        (
            (
                *("evaluate", given, "--fixture"),
                untyped({"stage_assertions": [{"required_artifact_kinds": [4]}]}),
            ),
            'stage_assertions[0].required_artifact_kinds[0]: must be of type string, got "4"',
        ),
    ):
        done = records(*words)
        assert done.returncode == 1, words
        assert said in done.stderr and done.stdout == "", done.stderr
    assert not (tmp_path / "runs").exists()
    for words in (("save", bad), ("evaluate", bad), ("load",), ("normalize",)):
        assert records(*words).returncode == 2, words


# F: S4-29, S4-34
def test_questions_come_from_a_log_and_who_follows_it_is_told(tmp_path):
    given = write(tmp_path / "given.json", ENDED)
    topics = tmp_path / "topics"
    topics.mkdir()
    asked = {
        "id": 1,
        "kind": "hitl.question_asked",
        "headers": {"run_id": "run_1"},
        "payload": {
            "request_id": "q1",
            "agent": "director",
            "requested_at": "2026-04-23T12:01:00Z",
            "payload": {"prompt": "Good?"},
        },
    }
    (topics / "hitl.questions.jsonl").write_text(json.dumps(asked) + "\n")
    shown = records("normalize", given, "--log", topics)
    assert shown.returncode == 0, shown.stderr
    (question,) = json.loads(shown.stdout)["hitl_questions"]
    assert question["request_id"] == "q1" and question["prompt"] == "Good?"

    saved = records("save", given, "--dir", tmp_path, "--log", topics)
    assert saved.returncode == 0, saved.stderr
    lines = (topics / "observability.action_graph.jsonl").read_text().splitlines()
    assert [json.loads(line)["headers"]["run_id"] for line in lines] == ["run_1"]
    assert json.loads(lines[0])["payload"]["observability"]["counts"]["questions"] == 1

    # A log that cannot be read is an error, and nothing is written.
    (topics / "hitl.questions.jsonl").write_text("{}\n")
    refused = records("save", given, "--dir", tmp_path / "new", "--log", topics)
    assert refused.returncode == 1
    assert "line 1 is no record" in refused.stderr
    assert not (tmp_path / "new").exists()
