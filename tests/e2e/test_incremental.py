"""A change re-runs only what it reaches; no change runs nothing."""


def create(kinora, blueprint, movie="film"):
    kinora.ok("movie", "create", movie, "--blueprint", blueprint)
    kinora.ok("input", "set", movie, 'Story="Call me Ishmael."')


# F: S1-21 S1-22 S1-25 S1-33 S1-34 S1-39
def test_second_run_calls_only_the_jobs_the_change_reaches(kinora, film):
    create(kinora, film())
    first = kinora.run("film")
    assert first.end == "run.completed"
    assert len(first.called) == 1 + 3 + 3 + 1

    kinora.ok("input", "set", "film", 'Prompt[segment=1]="at night"')
    plan = kinora.json("plan", "film")
    reasons = {
        job["jobId"]: job["reason"]
        for layer in plan["layers"]
        for job in layer["jobs"]
    }
    assert reasons.keys() == {"Picture[segment=1]", "Clip[segment=1]", "Film"}
    assert reasons["Picture[segment=1]"]["kind"] == "input_changed"
    assert reasons["Picture[segment=1]"]["subjects"] == ["Input:Prompt[segment=1]"]
    assert reasons["Clip[segment=1]"]["kind"] == "propagated"

    second = kinora.run("film")
    assert second.called == {"Picture[segment=1]", "Clip[segment=1]", "Film"}
    result = second.events[-1]["result"]
    assert result["revision"] == "rev-0002"
    assert result["jobs"]["clean"] == 5

    manifest = kinora.manifest_bytes("film")
    third = kinora.run("film")
    assert third.end == "run.completed"
    assert third.called == set()
    assert kinora.manifest_bytes("film") == manifest, "no new revision"


# F: S1-22 Invariant 6: an edit that is undone calls nothing, whether or not it
# was run in between.
def test_undone_edit_calls_nothing(kinora, film):
    create(kinora, film())
    kinora.run("film")
    kinora.ok("input", "set", "film", 'Prompt[segment=0]="fog"')
    kinora.ok("input", "set", "film", 'Prompt[segment=0]=""')
    assert kinora.json("plan", "film")["layers"] == []

    artefacts = kinora.json("artefact", "list", "film")["artefacts"]
    kinora.ok("input", "set", "film", 'Prompt[segment=0]="fog"')
    assert len(kinora.run("film").called) == 3
    kinora.ok("input", "set", "film", 'Prompt[segment=0]=""')
    assert kinora.run("film").called == set()
    assert kinora.json("artefact", "list", "film")["artefacts"] == artefacts


# F: S1-26 Invariant 7: an upstream job that made the same bytes stops there.
def test_early_cutoff_skips_what_would_see_the_same_bytes(kinora, film):
    create(kinora, film('{text: "the same picture"}'))
    kinora.run("film")
    kinora.ok("input", "set", "film", 'Prompt[segment=2]="storm"')
    second = kinora.run("film")
    assert second.called == {"Picture[segment=2]"}
    assert second.end == "run.completed"
    assert {"Clip[segment=2]", "Film"} <= second.reused


# F: S1-24
def test_staged_edits_write_nothing(kinora, film):
    create(kinora, film())
    kinora.run("film")
    before = kinora.json("input", "list", "film")
    plan = kinora.json("plan", "film", "--set", 'Prompt[segment=0]="dawn"')
    assert plan["summary"]["mustRunJobs"] == 1
    assert not plan.get("saved", False)
    assert kinora.json("input", "list", "film") == before


def test_run_sets_inputs_first(kinora, film):
    kinora.ok("movie", "create", "film", "--blueprint", film())
    outcome = kinora.run(
        "film", "--set", 'Story="Call me."', "--set", "SegmentCount=2"
    )
    assert outcome.end == "run.completed"
    ids = kinora.json("artefact", "list", "film")["artefacts"].keys()
    assert "Artifact:Image[segment=1]" in ids
    assert "Artifact:Image[segment=2]" not in ids


# A dimension that shrinks takes its artefacts along, and growing again calls
# nothing that was made before.
def test_shrinking_and_growing_a_dimension(kinora, film):
    create(kinora, film())
    kinora.run("film")
    kinora.ok("input", "set", "film", "SegmentCount=2")
    kinora.run("film")
    ids = kinora.json("artefact", "list", "film")["artefacts"].keys()
    assert "Artifact:Clip[segment=2]" not in ids
    kinora.ok("input", "set", "film", "SegmentCount=3")
    assert kinora.run("film").called == set()


# F: S1-46
def test_outputs_beyond_the_inline_limit_are_blobs(kinora, film, tmp_path):
    create(kinora, film("{bytes: 300000}"))
    kinora.run("film")
    entry = kinora.json("artefact", "list", "film")["artefacts"][
        "Artifact:Image[segment=0]"
    ]
    target = tmp_path / "image.bin"
    kinora.ok("artefact", "get", "film", "Image[segment=0]", "-o", str(target))
    assert target.stat().st_size == 300000 == entry["content"]["blob"]["size"]
    blob = entry["content"]["blob"]["hash"]
    stored = tmp_path / "data/builds/film/blobs" / blob[:2] / blob
    assert stored.read_bytes() == target.read_bytes()
