"""What a plan tells: what fails again, what leaves, what may run; scopes; takes."""

import json

from test_incremental import create


def takes(kinora, artefact):
    return kinora.json("take", "list", "film", artefact)


def draws(listed):
    return [take.get("draw", 0) for take in listed["takes"]]


# F: B-13 a re-roll calls the producer once; choosing and undoing calls nobody.
def test_a_reroll_is_another_take_and_going_back_is_free(kinora, film):
    create(kinora, film())
    kinora.run("film")
    image = "Image[segment=1]"
    first = takes(kinora, image)
    assert draws(first) == [0]
    assert first["takes"][0]["isCurrent"]

    kinora.ok("take", "reroll", "film", image)
    kinora.ok("take", "reroll", "film", image)  # still the same take
    second_run = kinora.run("film")
    assert second_run.called == {"Picture[segment=1]", "Clip[segment=1]", "Film"}
    second = takes(kinora, image)
    assert draws(second) == [0, 1]
    assert second["chosenDraw"] == 1 and second["nextDraw"] == 2
    hashes = [take["content"]["inline"]["hash"] for take in second["takes"]]
    assert hashes[0] != hashes[1]

    kinora.ok("take", "choose", "film", image, "0")
    assert kinora.run("film").called == set()
    back = kinora.json("artefact", "list", "film")["artefacts"]
    assert back["Artifact:Image[segment=1]"]["content"]["inline"]["hash"] == hashes[0]
    kinora.ok("take", "choose", "film", image, "1")
    assert kinora.run("film").called == set()


# F: B-6, B-13 going back to a take that was edited brings the edit, and says so.
def test_a_take_that_was_edited_by_hand_is_that_edit(kinora, film, tmp_path):
    create(kinora, film())
    kinora.run("film")
    image = "Image[segment=1]"
    made = takes(kinora, image)["takes"][0]
    better = tmp_path / "better.png"
    better.write_bytes(b"\x89PNG by hand")
    kinora.ok("artefact", "set", "film", f"{image}=file:{better}")
    kinora.run("film")
    kinora.ok("take", "reroll", "film", image)
    kinora.run("film")
    first, second = takes(kinora, image)["takes"]
    assert first["editedBy"] == "user"
    assert first["madeSequence"] == made["sequence"]
    assert first["content"] != made["content"]
    assert "editedBy" not in second
    said = kinora.ok("take", "list", "film", image)
    assert "(by hand)" in said.splitlines()[0]
    assert f"kinora artefact restore film '{image}' --to {made['sequence']}" in said

    kinora.ok("take", "choose", "film", image, "0")
    kinora.run("film")
    target = tmp_path / "image.png"
    kinora.ok("artefact", "get", "film", image, "-o", str(target))
    assert target.read_bytes() == better.read_bytes()
    kinora.ok("artefact", "restore", "film", image, "--to", str(made["sequence"]))
    assert kinora.run("film").called == set()
    first = takes(kinora, image)["takes"][0]
    assert first["content"] == made["content"] and first["isCurrent"]
    assert "editedBy" not in first


def test_only_takes_that_were_made_can_be_chosen(kinora, film):
    create(kinora, film())
    assert "not made yet" in kinora.fails("take", "reroll", "film", "Image[segment=1]")
    kinora.run("film")
    before = kinora.json("input", "list", "film")
    message = kinora.fails("take", "choose", "film", "Image[segment=1]", "-1")
    assert 'must be the number of a take, 0 or more, got "-1"' in message
    message = kinora.fails("take", "choose", "film", "Image[segment=1]", "4")
    assert "there are 0" in message
    message = kinora.fails("take", "list", "film", "Imag[segment=1]")
    assert 'did you mean "Image"' in message
    message = kinora.fails("input", "set", "film", "Take_Picture[segment=9]=1")
    assert "dimension segment has size 3" in message
    assert kinora.json("input", "list", "film") == before


# F: B-5 what is made anew is called once, though its result exists.
def test_regenerate_calls_the_producer_again(kinora, film):
    create(kinora, film())
    kinora.run("film")
    outcome = kinora.run("film", "--regenerate", "Image[segment=0]")
    assert outcome.end == "run.completed"
    assert outcome.called == {"Picture[segment=0]"}  # the same bytes again
    assert kinora.run("film").called == set()


# F: B-5
def test_only_and_pin_leave_the_rest_for_the_next_run(kinora, film):
    create(kinora, film())
    outcome = kinora.run("film", "--only", "Image[segment=2]")
    assert outcome.called == {"Script", "Picture[segment=2]"}
    assert set(kinora.json("artefact", "list", "film")["artefacts"]) == {
        "Artifact:SegmentText[segment=0]",
        "Artifact:SegmentText[segment=1]",
        "Artifact:SegmentText[segment=2]",
        "Artifact:Image[segment=2]",
    }
    assert len(kinora.run("film").called) == 2 + 3 + 1

    kinora.ok("input", "set", "film", 'Prompt[segment=0]="fog"')
    kinora.ok("input", "set", "film", 'Prompt[segment=1]="rain"')
    plan = kinora.json("plan", "film", "--pin", "Image[segment=0]", "--dry-run")
    assert plan["summary"]["leftJobs"] == 1
    outcome = kinora.run("film", "--pin", "Image[segment=0]")
    assert outcome.called == {"Picture[segment=1]", "Clip[segment=1]", "Film"}
    layers = kinora.json("plan", "film")["layers"]
    assert layers[0]["jobs"][0]["jobId"] == "Picture[segment=0]"
    assert "left as it was" in json.dumps(layers[0]["jobs"][0]["reason"])


def test_contradictions_write_nothing(kinora, film):
    create(kinora, film())
    kinora.run("film")
    runs = kinora.json("runs", "list")
    message = kinora.fails(
        "run", "film", "--pin", "Image", "--regenerate", "Image[segment=1]"
    )
    assert "scope.pin" in message and "Artifact:Image[segment=1]" in message
    kinora.ok("input", "set", "film", 'Prompt[segment=0]="fog"')
    message = kinora.fails(
        "run", "film", "--only", "Image[segment=0]", "--pin", "Image[segment=0]"
    )
    assert "scope.only asks to make Artifact:Image[segment=0]" in message
    message = kinora.fails(
        "run", "film", "--only", "Image[segment=0]", "--from", "segment=1"
    )
    assert "leaves what is before segment=1 alone" in message
    message = kinora.fails("run", "film", "--only", "Image[segment=9]")
    assert "segment has 3 elements, counted from 0" in message
    assert "--from" in kinora.fails("plan", "film", "--from", "segment")
    assert "--up-to-layer" in kinora.fails("plan", "film", "--up-to-layer", "0")
    assert kinora.json("runs", "list") == runs


def jobs_of(plan):
    return {job["jobId"]: job for layer in plan["layers"] for job in layer["jobs"]}


# F: B-4
def test_known_failures_are_shown_before_they_are_paid_for_again(kinora, film):
    create(kinora, film("{fail_attempts: 99, fail_code: INVALID_ARGUMENT}"))
    assert kinora.json("plan", "film")["summary"].get("knownFailures", 0) == 0
    first = kinora.call("run", "film")
    assert first.returncode == 1
    assert "known failure" not in first.stderr

    plan = kinora.json("plan", "film")
    known = {id for id, job in jobs_of(plan).items() if "lastFailure" in job}
    assert "Picture[segment=0]" in known
    assert plan["summary"]["knownFailures"] == len(known)
    picture = jobs_of(plan)["Picture[segment=0]"]
    assert picture["lastFailure"]["reason"] == "producer_error"
    assert not picture["lastFailure"].get("retryable", False)
    assert "another call fails in the same way" in picture["reason"]["text"]
    said = kinora.ok("plan", "film")
    assert said.index("will be paid for again") < said.index("layer 1")
    assert "PRODUCER_ERROR \"simulated INVALID_ARGUMENT" in said

    # Of other inputs it says nothing, until these are back.
    kinora.ok("input", "set", "film", 'Prompt[segment=0]="fog"')
    assert "lastFailure" not in jobs_of(kinora.json("plan", "film"))["Picture[segment=0]"]
    kinora.ok("input", "undo", "film", "Prompt[segment=0]")
    again = kinora.call("run", "film")
    assert again.returncode == 1
    assert "will be paid for again" in again.stderr
    assert "Picture[segment=0]" in again.stderr


def test_plan_names_what_leaves(kinora, film):
    create(kinora, film())
    kinora.run("film")
    kinora.ok("input", "set", "film", "SegmentCount=2")
    plan = kinora.json("plan", "film")
    leaving = [
        "Artifact:Clip[segment=2]",
        "Artifact:Image[segment=2]",
        "Artifact:SegmentText[segment=2]",
    ]
    assert plan["removedArtefactIds"] == leaving
    assert plan["summary"]["removedArtefacts"] == 3
    said = kinora.ok("plan", "film")
    assert "3 artefacts leave: the next revision does not have them" in said
    assert all(f"  {id}\n" in said for id in leaving)
    kinora.run("film")
    assert not set(leaving) & set(kinora.json("artefact", "list", "film")["artefacts"])
    assert "removedArtefactIds" not in kinora.json("plan", "film")


# F: B-11
def test_what_may_run_is_said_in_words(kinora, film):
    create(kinora, film())
    words = (
        "may run: it reads what a job of this plan makes, "
        "and an earlier result may turn out to be it"
    )
    assert words not in kinora.ok("plan", "film")
    kinora.run("film")
    kinora.ok("input", "set", "film", 'Story="Call me Ahab."')
    assert words in kinora.ok("plan", "film")
    plan = kinora.json("plan", "film")
    may_run = {id for id, job in jobs_of(plan).items() if job["need"] == "may_run"}
    assert len(may_run) == plan["summary"]["mayRunJobs"] == 3 + 3 + 1


def test_a_plan_whose_file_is_damaged_is_written_again(kinora, film, tmp_path):
    create(kinora, film())
    plan_hash = kinora.json("plan", "film")["planHash"]
    stored = tmp_path / "data/builds/film/runs/plans" / f"{plan_hash}.json"
    whole = stored.read_bytes()
    stored.write_bytes(b"garbage")
    assert kinora.json("plan", "film")["planHash"] == plan_hash
    assert stored.read_bytes() == whole
    stored.write_bytes(b"")
    assert kinora.run("film").end == "run.completed"
