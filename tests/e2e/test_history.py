"""What changed between revisions, why, and what it cost or will cost."""

import json
import xml.etree.ElementTree


def make_film(kinora, blueprint, movie="film"):
    kinora.ok("movie", "create", movie, "--blueprint", blueprint)
    kinora.ok("input", "set", movie, 'Story="Call me Ishmael."')
    assert kinora.run(movie).end == "run.completed"


def edit_prompt(kinora, text, segment=1):
    kinora.ok("input", "set", "film", f'Prompt[segment={segment}]="{text}"')
    assert kinora.run("film").end == "run.completed"


def reasons(explained):
    return [(cause["id"], cause["reason"]["text"]) for cause in explained["causes"]]


# F: S1-13, B-7
def test_diff_says_what_differs_why_and_what_it_cost(kinora, film):
    make_film(kinora, film("{cost: 0.25}"))
    edit_prompt(kinora, "at night")
    diff = kinora.json("diff", "film", "rev-0001", "rev-0002")
    differences = {d["id"]: d for d in diff["differences"]}
    assert list(differences) == [
        "Input:Prompt[segment=1]",
        "Artifact:Clip[segment=1]",
        "Artifact:Film",
        "Artifact:Image[segment=1]",
    ]
    image = differences["Artifact:Image[segment=1]"]
    assert image["reason"]["kind"] == "input_changed"
    assert image["reason"]["subjects"] == ["Input:Prompt[segment=1]"]
    assert image["origin"] == "made"
    assert image["node"] == "Picture"
    assert image["oldHash"] != image["newHash"]
    prompt = differences["Input:Prompt[segment=1]"]
    assert prompt["newContent"]["inline"]["text"] == "at night"
    film_reason = differences["Artifact:Film"]["reason"]
    assert film_reason["subjects"] == ["Artifact:Clip[segment=1]"]
    summary = diff["summary"]
    assert summary["changedInputs"] == 1
    assert summary["changedArtefacts"] == 3
    assert summary["calls"] == 3
    assert [cost["micros"] for cost in summary["costs"]] == [250000]
    assert summary["completeHistory"]

    # Against the current revision, as text, and the other way round.
    said = kinora.ok("diff", "film", "rev-0001")
    assert '~ Input:Prompt[segment=1]  "" -> "at night"  edited' in said
    assert "input changed: Input:Prompt[segment=1]" in said
    assert "rev-0001 -> rev-0002: 1 input, 3 artefacts changed" in said
    assert "3 calls" in said
    back = kinora.json("diff", "film", "rev-0002", "rev-0001")
    assert len(back["differences"]) == 4
    none = kinora.json("diff", "film", "rev-0002", "rev-0002")
    assert none.get("differences", []) == []
    assert "REVISION_NOT_FOUND" in kinora.fails("diff", "film", "rev-0001", "rev-0009")
    assert "rev-9" in kinora.fails("diff", "film", "rev-9")


# F: S1-13, B-12
def test_explain_goes_back_to_the_inputs(kinora, film):
    make_film(kinora, film())
    edit_prompt(kinora, "at night")
    explained = kinora.json("explain", "film", "Film")
    assert (explained["revision"], explained["againstRevision"]) == (
        "rev-0002",
        "rev-0001",
    )
    assert reasons(explained) == [
        ("Artifact:Film", "upstream changed: Artifact:Clip[segment=1]"),
        ("Artifact:Clip[segment=1]", "upstream changed: Artifact:Image[segment=1]"),
        ("Artifact:Image[segment=1]", "input changed: Input:Prompt[segment=1]"),
        ("Input:Prompt[segment=1]", "edited"),
    ]
    clip = explained["causes"][0]["changes"]
    assert [(c["part"], c["name"], c["newSourceId"]) for c in clip] == [
        ("artefact", "clips/1", "Artifact:Clip[segment=1]")
    ]
    prompt = explained["causes"][-1]
    assert prompt["editedBy"] == "user"
    assert prompt["newContent"]["inline"]["text"] == "at night"
    said = kinora.ok("explain", "film", "Film")
    assert "rev-0002, seen from rev-0001" in said
    assert '"" -> "at night" for rev-0002 by a user' in said

    # What did not change says since when, and why it was made then.
    other = kinora.json("explain", "film", "Image[segment=0]")
    assert other["revision"] == "rev-0001"
    assert "the same in rev-0002 as in rev-0001" in other["notes"][0]
    same = kinora.json("explain", "film", "Image[segment=0]", "--against", "rev-0001")
    assert reasons(same) == [
        ("Artifact:Image[segment=0]", "unchanged since rev-0001")
    ]

    # An edit that is taken back reuses the first result and says so.
    edit_prompt(kinora, "")
    undone = kinora.json("explain", "film", "Image[segment=1]")
    assert undone["causes"][0]["origin"] == "reused"
    assert undone["causes"][0]["reusedSequence"] > 0
    assert undone["causes"][0]["reason"]["subjects"] == ["Input:Prompt[segment=1]"]
    assert "ARTEFACT_NOT_FOUND" in kinora.fails("explain", "film", "Nothing")
    assert "artefact" in kinora.fails("explain", "film", "Input:Story")


# F: B-12
def test_first_revision_is_explained_by_what_it_was_made_of(kinora, film):
    make_film(kinora, film())
    edit_prompt(kinora, "at night")
    first = kinora.json("explain", "film", "Film", "--revision", "rev-0001")
    assert first.get("againstRevision", "") == ""
    assert first["causes"][0]["reason"]["kind"] == "initial"
    assert any(c["id"] == "Input:Story" for c in first["causes"])


# F: B-7
def test_estimate_is_a_range_and_writes_nothing(tmp_path, kinora, film):
    kinora.ok("movie", "create", "film", "--blueprint", film("{cost: 0.25}"))
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    before = kinora.json("plan", "film", "--estimate")
    assert before["unpricedProducers"] == ["clip", "film", "picture", "script"]
    assert before["untimedProducers"] == ["clip", "film", "picture", "script"]
    assert before["summary"]["mustRunJobs"] == 8
    said = kinora.ok("plan", "film", "--estimate")
    assert said.startswith("cost: not known\ntime: not known\n")
    plans = tmp_path / "data/builds/film/runs/plans"
    assert not plans.exists() or list(plans.iterdir()) == []

    assert kinora.run("film").end == "run.completed"
    estimate = kinora.json(
        "plan", "film", "--estimate", "--set", 'Prompt[segment=1]="x"'
    )
    # One picture must run; the clip and the film only if it comes out new.
    assert estimate["low"]["micros"] == 250000
    assert estimate["high"]["micros"] == 250000
    assert estimate["summary"]["mustRunJobs"] == 1
    assert estimate["summary"]["mayRunJobs"] == 2
    picture = next(p for p in estimate["producers"] if p["producer"] == "picture")
    assert picture["priceSource"] == "history"
    assert picture["recordedCalls"] == 3
    assert estimate.get("untimedProducers", []) == []
    said = kinora.ok("plan", "film", "--estimate", "--set", 'Prompt[segment=1]="x"')
    assert "cost: 0.25" in said
    assert "no price known: clip, film" in said
    assert kinora.json("plan", "film", "--estimate")["summary"]["cleanJobs"] == 8
    none = kinora.ok("plan", "film", "--estimate")
    assert none == "cost: none, nothing is to be called\n"


def test_graph_is_drawn_in_every_format(tmp_path, kinora, film):
    kinora.ok("movie", "create", "film", "--blueprint", film())
    assert "j0 -> " in kinora.ok("graph", "film")
    assert kinora.ok("graph", "film", "--format", "mermaid").startswith("flowchart LR")
    target = tmp_path / "film.svg"
    assert kinora.ok("graph", "film", "--format", "svg", "-o", str(target)) == ""
    root = xml.etree.ElementTree.fromstring(target.read_text())
    labels = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Clip[segment=2]", "Input:Story", "Film"} <= labels
    folded = kinora.call("graph", "film", "--fold-above", "5")
    assert "Clip x3" in folded.stdout
    assert "--fold-above=-1" in folded.stderr
    assert not kinora.json("graph", "film", "--fold-above=-1").get("folded", False)
    for bad in ("-7", "0", "many"):
        said = kinora.fails("graph", "film", f"--fold-above={bad}")
        assert "--fold-above" in said and f'"{bad}"' in said
    missing = str(tmp_path / "missing/graph.svg")
    assert f'"{missing}"' in kinora.fails("graph", "film", "-o", missing)
    assert "must be dot" in kinora.fails("graph", "film", "--format", "png")


def topics(kinora):
    events = kinora.json("input", "history", "film", "Story")["events"]
    return [event["input"].get("content", {}).get("inline", {}).get("text") for event in events]


def test_inputs_have_a_history_and_can_be_undone(kinora, film):
    make_film(kinora, film())
    kinora.ok("input", "set", "film", 'Story="Call me Ahab."')
    assert topics(kinora) == ["Call me Ishmael.", "Call me Ahab."]
    kinora.ok("input", "undo", "film", "Story")
    assert topics(kinora)[-1] == "Call me Ishmael."
    assert kinora.json("plan", "film")["layers"] == []
    said = kinora.ok("input", "history", "film", "Story")
    assert "user" in said and "(back to 2)" in said

    # An input that was not set before is not set again: its default holds.
    kinora.ok("input", "set", "film", 'Prompt[segment=1]="at night"')
    undone = kinora.json("input", "undo", "film", "Prompt[segment=1]")
    assert undone["input"]["cleared"]
    assert "Prompt" not in kinora.ok("input", "list", "film")
    assert kinora.json("plan", "film")["layers"] == []
    kinora.ok("input", "undo", "film", "Story", "--to", "3")
    assert topics(kinora)[-1] == "Call me Ahab."
    assert "no event 99" in kinora.fails("input", "undo", "film", "Story", "--to", "99")
    assert "never set" in kinora.fails("input", "undo", "film", "SegmentCount")
    near = 'Input:Stroy was never set; did you mean "Input:Story"?'
    assert near in kinora.fails("input", "undo", "film", "Stroy")
    assert near in kinora.call("input", "history", "film", "Stroy").stderr
    assert "Input:Blueprint" in kinora.ok("input", "history", "film")
    assert "blueprint" in kinora.fails("input", "undo", "film", "Blueprint").lower()


def test_expected_revision_keeps_edits_from_being_lost(kinora, film):
    make_film(kinora, film())
    kinora.ok("input", "set", "film", 'Story="one"', "--expect", "rev-0001")
    said = kinora.fails("input", "set", "film", 'Story="two"', "--expect", "rev-0001")
    assert "INPUT_CHANGED" in said
    assert "Input:Story was edited since rev-0001: by a user at 20" in said
    assert topics(kinora)[-1] == "one"
    # Other inputs are free, and so is this one once a revision holds the edit.
    kinora.ok("input", "set", "film", "SegmentCount=2", "--expect", "rev-0001")
    assert kinora.run("film").end == "run.completed"
    kinora.ok("input", "set", "film", 'Story="two"', "--expect", "rev-0002")
    assert "REVISION_NOT_FOUND" in kinora.fails(
        "input", "set", "film", 'Story="x"', "--expect", "rev-0009"
    )


# Invariant 12: what was gone back to is made of events.
def test_revert_publishes_an_old_revision_again(tmp_path, kinora, film):
    make_film(kinora, film())
    first = json.loads(kinora.manifest_bytes("film"))
    kinora.ok("input", "set", "film", "SegmentCount=2")
    edit_prompt(kinora, "at night")
    kinora.ok("input", "set", "film", 'Story="not run yet"')
    reverted = kinora.json("revert", "film", "rev-0001")
    assert reverted["current"]["revision"] == "rev-0003"
    assert reverted["published"]
    assert reverted["inputIds"] == [
        "Input:Prompt[segment=1]",
        "Input:SegmentCount",
        "Input:Story",
    ]
    bytes_now = kinora.manifest_bytes("film")
    now = json.loads(bytes_now)
    for member in ("inputs", "artefacts", "nodes"):
        assert now[member] == first[member]
    plan = kinora.json("plan", "film")
    assert plan["layers"] == []
    assert plan["summary"]["cleanJobs"] == 8
    assert kinora.run("film").called == set()
    assert kinora.manifest_bytes("film") == bytes_now
    (tmp_path / "data/builds/film/manifests/rev-0003.json").unlink()
    assert kinora.manifest_bytes("film") == bytes_now
    assert kinora.json("verify", "film")["movies"][0]["problems"] == []

    diff = kinora.json("diff", "film", "rev-0001", "rev-0003")
    assert diff.get("differences", []) == []
    again = kinora.json("revert", "film", "rev-0003")
    assert not again.get("published", False)
    assert "rev-0004 is as rev-0002" in kinora.ok("revert", "film", "rev-0002")
    assert "REVISION_NOT_FOUND" in kinora.fails("revert", "film", "rev-0009")


def test_revert_waits_for_no_run(kinora, film):
    make_film(kinora, film("{delay_ms: 3000}"))
    kinora.ok("input", "set", "film", 'Prompt[segment=1]="at night"')
    run_id = kinora.json("run", "film", "--detach")["run"]["runId"]
    assert "RUN_ACTIVE" in kinora.fails("revert", "film", "rev-0001")
    kinora.ok("runs", "cancel", run_id)
    kinora.call("runs", "watch", run_id)
    kinora.ok("revert", "film", "rev-0001")


# F: B-6
def test_artefact_is_replaced_by_hand_and_brought_back(tmp_path, kinora, film):
    make_film(kinora, film())
    first = kinora.json("artefact", "list", "film")["artefacts"]
    better = tmp_path / "better.png"
    better.write_bytes(b"\x89PNG by hand")
    edit = kinora.json("artefact", "set", "film", f"Image[segment=0]=file:{better}")
    assert edit["artefactId"] == "Artifact:Image[segment=0]"
    [event] = edit["events"]
    assert event["artefact"]["producedBy"]["editedBy"] == "user"
    jobs = {
        job["jobId"]
        for layer in kinora.json("plan", "film")["layers"]
        for job in layer["jobs"]
    }
    assert jobs == {"Clip[segment=0]", "Film"}
    assert kinora.run("film").called == jobs
    target = tmp_path / "image.png"
    kinora.ok("artefact", "get", "film", "Image[segment=0]", "-o", str(target))
    assert target.read_bytes() == better.read_bytes()
    assert kinora.json("plan", "film")["layers"] == []
    explained = kinora.json("explain", "film", "Film")
    assert ("Artifact:Image[segment=0]", "replaced by hand") in reasons(explained)

    # Every value before it is still there, and what was made of it, too.
    kinora.ok("artefact", "restore", "film", "Image[segment=0]")
    assert kinora.run("film").called == set()
    assert kinora.json("artefact", "list", "film")["artefacts"] == first
    history = kinora.json("artefact", "history", "film", "Image[segment=0]")["events"]
    assert len(history) >= 3
    assert "by hand" in kinora.ok("artefact", "history", "film", "Image[segment=0]")

    # Text is given as JSON; other types as a file.
    kinora.ok("artefact", "set", "film", 'SegmentText[segment=1]="Call me Ahab."')
    assert "Picture[segment=1]" in kinora.run("film").called
    assert "file:PATH" in kinora.fails("artefact", "set", "film", 'Film="text"')
    assert "ARTEFACT_NOT_FOUND" in kinora.fails(
        "artefact", "set", "film", f"Nothing=file:{better}"
    )
    assert 'did you mean "Artifact:Image[segment=1]"' in kinora.fails(
        "artefact", "set", "film", f"Imag[segment=1]=file:{better}"
    )
    current = kinora.json("artefact", "list", "film")["revision"]
    near = f'in {current} of film; did you mean "Artifact:Image[segment=1]"'
    for verb in ("get", "history"):
        said = kinora.fails("artefact", verb, "film", "Imag[segment=1]")
        assert near in said, said
        assert "ARTEFACT_NOT_FOUND" in said


# Before the first revision there is nothing that it could be, either.
def test_the_history_of_what_nobody_made_is_not_found(kinora, film):
    kinora.ok("movie", "create", "film", "--blueprint", film())
    said = kinora.fails("artefact", "history", "film", "Image[segment=1]")
    assert "no artefact Artifact:Image[segment=1] in film" in said
    assert "ARTEFACT_NOT_FOUND" in said
    assert "MOVIE_NOT_FOUND" in kinora.fails("artefact", "history", "nope", "Image")
