"""Scopes in real runs: what each flag has called, and what it leaves."""

from test_incremental import create
from test_planning import jobs_of

EVERYTHING = {"Script", "Film"} | {
    f"{node}[segment={n}]" for node in ("Picture", "Clip") for n in range(3)
}


# F: B-5 (up to this layer)
def test_up_to_a_layer_makes_the_layers_one_after_another(kinora, film):
    create(kinora, film())
    done = set()
    for layer in range(1, 5):
        planned = kinora.json("plan", "film", "--dry-run")["layers"]
        first = {job["jobId"] for job in planned[0]["jobs"]}
        outcome = kinora.run("film", "--up-to-layer", "1")
        assert outcome.end == "run.completed"
        assert outcome.called == first, layer
        done |= first
    assert done == EVERYTHING
    assert kinora.run("film").called == set()

    kinora.ok("input", "set", "film", 'Story="Call me Ahab."')
    two = kinora.run("film", "--up-to-layer", "2")
    assert two.called == {"Script"} | {f"Picture[segment={n}]" for n in range(3)}


# F: B-5 (from this dimension index)
def test_from_an_index_leaves_what_is_before_as_it_was(kinora, film):
    create(kinora, film())
    kinora.run("film")
    before = kinora.json("artefact", "list", "film")["artefacts"]
    for n in range(3):
        kinora.ok("input", "set", "film", f'Prompt[segment={n}]="fog"')
    outcome = kinora.run("film", "--from", "segment=1")
    assert outcome.called == {
        "Picture[segment=1]",
        "Picture[segment=2]",
        "Clip[segment=1]",
        "Clip[segment=2]",
        "Film",
    }
    now = kinora.json("artefact", "list", "film")["artefacts"]
    assert now["Artifact:Image[segment=0]"] == before["Artifact:Image[segment=0]"]
    assert now["Artifact:Image[segment=1]"] != before["Artifact:Image[segment=1]"]
    left = jobs_of(kinora.json("plan", "film"))
    assert left.keys() == {"Picture[segment=0]", "Clip[segment=0]", "Film"}


# F: B-5 (with its lineage)
def test_a_lineage_is_made_anew_back_to_the_inputs(kinora, film):
    create(kinora, film())
    kinora.run("film")
    clip = ("--regenerate", "Clip[segment=2]")
    lineage = {"Script", "Picture[segment=2]", "Clip[segment=2]"}
    planned = jobs_of(kinora.json("plan", "film", *clip, "--with-lineage"))
    forced = {id for id, job in planned.items() if job["reason"]["kind"] == "forced"}
    assert "Script" in forced
    asked = {
        id for id, job in planned.items() if "made anew" in job["reason"]["text"]
    }
    assert asked == lineage
    # The same bytes again, so nothing else has a reason to be called.
    outcome = kinora.run("film", *clip, "--with-lineage")
    assert outcome.called == lineage
    assert kinora.run("film", *clip).called == {"Clip[segment=2]"}
    assert kinora.run("film").called == set()


# F: B-5 (controls out of scope are warnings)
def test_what_a_control_does_not_reach_is_warned_of(kinora, film):
    create(kinora, film())
    kinora.run("film")
    plan = kinora.json(
        "plan", "film", "--only", "Image[segment=0]", "--regenerate", "Film"
    )
    [warning] = plan["warnings"]
    assert "scope.regenerate: Artifact:Film" in warning
    assert plan["layers"] == []
    said = kinora.ok("plan", "film", "--pin", "Film")
    assert "warning: scope.pin: Artifact:Film would be kept without a pin" in said
    started = kinora.json("run", "film", "--pin", "Film", "--detach")
    assert "scope.pin: Artifact:Film" in started["plan"]["warnings"][0]
