"""What fails says why, and leaves what was published alone."""

import pytest

from cluster import files_below


def create(kinora, blueprint):
    kinora.ok("movie", "create", "film", "--blueprint", blueprint)
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')


# F: S1-38 S1-42 B-9 Invariant 8
def test_failed_run_leaves_current_untouched_and_blocks_downstream(kinora, film):
    create(kinora, film("{fail_attempts: 99, fail_code: INVALID_ARGUMENT}"))
    done = kinora.call("run", "film")
    assert done.returncode == 1
    assert "simulated INVALID_ARGUMENT" in done.stdout + done.stderr
    run = kinora.json("runs", "list")["runs"][0]
    assert run["status"] == "failed"
    jobs = {
        job["jobId"]: job for job in kinora.json("runs", "show", run["runId"])["jobs"]
    }
    states = {job_id: job["status"] for job_id, job in jobs.items()}
    assert states["Script"] == "completed"
    assert states["Picture[segment=0]"] == "failed"
    assert states["Film"] == "skipped"
    # Each with what has failed, not with what lies between.
    for segment in range(3):
        picture = f"Picture[segment={segment}]"
        assert jobs[f"Clip[segment={segment}]"]["blockedBy"] == picture
        assert f"blocked by {picture}" in kinora.ok("runs", "show", run["runId"])
    assert jobs["Film"]["blockedBy"].startswith("Picture[")
    assert "currentRevision" not in kinora.json("movie", "show", "film")


# F: S1-53
def test_retryable_failures_are_retried(kinora, film):
    create(kinora, film("{fail_attempts: 1}"))
    outcome = kinora.run("film")
    assert outcome.end == "run.completed"
    assert outcome.steps("step.started").count("Picture[segment=0]") == 2


BAD_BLUEPRINTS = {
    "cycle": (
        """
blueprint: bad
inputs: {Topic: {type: text, default: x}}
nodes:
  A: {producer: script, inputs: {in: "OutB"}, outputs: {OutA: text/plain}}
  B: {producer: script, inputs: {in: "OutA"}, outputs: {OutB: text/plain}}
outputs: [OutA]
""",
        ["cycle", "A", "B"],
    ),
    "unknown input": (
        """
blueprint: bad
inputs: {Topic: {type: text, default: x}}
nodes:
  A: {producer: script, inputs: {in: "Input:Topik"}, outputs: {OutA: text/plain}}
outputs: [OutA]
""",
        ["Topik", "Topic"],
    ),
    "duplicate output": (
        """
blueprint: bad
inputs: {Topic: {type: text, default: x}}
nodes:
  A: {producer: script, inputs: {in: "Input:Topic"}, outputs: {Out: text/plain}}
  B: {producer: script, inputs: {in: "Input:Topic"}, outputs: {Out: text/plain}}
outputs: [Out]
""",
        ["Out", "A", "B"],
    ),
    "no version": (
        """
blueprint: bad
nodes:
  A: {producer: "script@>=2 <1", outputs: {Out: text/plain}}
outputs: [Out]
""",
        ["bad.yaml:4", "nodes.A.producer", ">=2 <1", "no version is in it"],
    ),
    "wrong type": (
        """
blueprint: bad
inputs: {Count: {type: integer, default: many}}
nodes:
  A: {producer: script, inputs: {in: "Input:Count"}, outputs: {Out: text/plain}}
outputs: [Out]
""",
        ["Count", "many"],
    ),
    "unknown type": (
        """
blueprint: bad
inputs: {Count: {type: number_of_things}}
nodes:
  A: {producer: script, inputs: {in: "Input:Count"}, outputs: {Out: text/plain}}
outputs: [Out]
""",
        ["number_of_things"],
    ),
    "not yaml": ("blueprint: [", ["bad.yaml"]),
    "empty": ("", ["blueprint"]),
}


@pytest.mark.parametrize("name", BAD_BLUEPRINTS)
def test_bad_blueprint_is_refused_and_nothing_written(
    name, kinora, tmp_path, server
):
    text, words = BAD_BLUEPRINTS[name]
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    before = files_below(tmp_path / "data")
    said = kinora.fails("movie", "create", "bad", "--blueprint", str(path))
    for word in words:
        assert word in said
    assert files_below(tmp_path / "data") == before
    assert kinora.json("movie", "list") == {}


BAD_COMMANDS = {
    "unknown movie": (["run", "nowhere"], ["nowhere"]),
    "unknown movie to plan": (["plan", "nowhere"], ["nowhere"]),
    "unknown movie to set": (["input", "set", "nowhere", "A=1"], ["nowhere"]),
    "bad movie id": (["movie", "show", "Film!"], ["Film!"]),
    "path traversal": (["movie", "show", "../film"], ["../film"]),
    "path traversal in a set": (["input", "set", "../../etc", "A=1"], ["../../etc"]),
    "unknown input": (["input", "set", "film", "Storey=1"], ["Storey", "Story"]),
    "wrong type": (["input", "set", "film", 'SegmentCount="two"'], ["SegmentCount", "two"]),
    "out of range": (["input", "set", "film", "SegmentCount=21"], ["SegmentCount", "21", "20"]),
    "index out of range": (["input", "set", "film", 'Prompt[segment=9]="x"'], ["Prompt[segment=9]"]),
    "missing index": (["input", "set", "film", 'Prompt="x"'], ["Prompt"]),
    "no json": (["input", "set", "film", "Story=night"], ["night"]),
    "one bad of two": (["input", "set", "film", 'Story="new"', "Nope=1"], ["Nope"]),
    "unknown run": (["runs", "show", "run-01ARZ3NDEKTSV4RRFFQ69G5FAV"], ["run-01ARZ3NDEKTSV4RRFFQ69G5FAV"]),
    "bad run id": (["runs", "watch", "run-../x"], ["run-../x"]),
    "bad artefact id": (["artefact", "get", "film", "Image[segment=x]"], ["Image[segment=x]"]),
    "no revision yet": (["manifest", "show", "film"], ["film"]),
    "bad revision": (["manifest", "show", "film", "--revision", "rev-1"], ["rev-1"]),
    "unknown command": (["movie", "destroy", "film"], ["movie"]),
    "unknown flag": (["plan", "film", "--sett", "A=1"], ["--sett"]),
    "exists": (["movie", "create", "film", "--blueprint", "FILM"], ["film"]),
}


@pytest.mark.parametrize("name", BAD_COMMANDS)
def test_bad_input_is_named_and_nothing_written(
    name, kinora, film, tmp_path, server
):
    args, words = BAD_COMMANDS[name]
    blueprint = film()
    create(kinora, blueprint)
    before = files_below(tmp_path / "data")
    said = kinora.fails(*[blueprint if a == "FILM" else a for a in args])
    for word in words:
        assert word in said, said
    assert files_below(tmp_path / "data") == before


def test_missing_input_names_the_input(kinora, film):
    kinora.ok("movie", "create", "film", "--blueprint", film())
    assert "Story" in kinora.fails("run", "film")
    assert kinora.json("runs", "list") == {}


def test_producer_without_target_is_named(kinora, tmp_path):
    path = tmp_path / "lonely.yaml"
    path.write_text(
        """
blueprint: lonely
nodes:
  A: {producer: nobody, outputs: {Out: text/plain}}
outputs: [Out]
"""
    )
    kinora.ok("movie", "create", "lonely", "--blueprint", str(path))
    assert "nobody" in kinora.fails("run", "lonely")


def test_a_file_is_set_only_as_what_it_is(kinora, tmp_path):
    blueprint = tmp_path / "typed.yaml"
    blueprint.write_text(
        "blueprint: typed\n"
        "inputs: {T: {type: text}, J: {type: json, default: 1}, F: {type: file}}\n"
        "nodes:\n"
        "  A: {producer: script, inputs: {t: Input:T, j: Input:J, f: Input:F}, "
        "outputs: {A: text/plain}}\n"
    )
    kinora.ok("movie", "create", "typed", "--blueprint", str(blueprint))
    picture = tmp_path / "i.png"
    picture.write_bytes(b"\x89PNG\xff\xfe")
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"caf\xe9")
    broken = tmp_path / "broken.json"
    broken.write_text("[1, 2")
    before = kinora.json("input", "list", "typed")
    for path in (picture, latin):
        for command in (("input", "set", "typed"), ("plan", "typed", "--set")):
            said = kinora.fails(*command, f"T=file:{path}")
            assert "Input:T" in said and "must be UTF-8 text" in said, said
            assert str(path) in said, said
    said = kinora.fails("input", "set", "typed", f"J=file:{broken}")
    assert "Input:J" in said and "must be JSON" in said, said
    assert kinora.json("input", "list", "typed") == before
    kinora.ok("input", "set", "typed", f"T=file:{broken}", f"F=file:{latin}")
    kinora.ok("plan", "typed")


def test_numbers_that_json_would_change_are_refused(kinora, film):
    create(kinora, film())
    before = kinora.json("input", "list", "film")
    said = kinora.fails("input", "set", "film", "SegmentCount=9007199254740993")
    assert "Input:SegmentCount" in said, said
    assert "the number 9007199254740993 is not exact in JSON" in said, said
    assert kinora.json("input", "list", "film") == before
