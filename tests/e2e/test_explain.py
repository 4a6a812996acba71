"""Why artefacts came, went and are not there yet."""

import pathlib

from test_deferred import pin, scenes
from test_history import edit_prompt, make_film, reasons

MODE = '  Mode: {type: text, over: [segment], default: full}\n'
WHEN = '\n    when: {value: "Input:Mode[segment]", is: full}'


# F: B-12 What came or went is explained by what decides that it is there.
def test_lists_explain_what_came_and_went(kinora, tmp_path):
    pin(kinora, tmp_path, scenes(2, song=True))
    assert kinora.run("scenes").end == "run.completed"
    pin(kinora, tmp_path, scenes(1, song=False))
    assert kinora.run("scenes").end == "run.completed"
    clip = "Artifact:Clip[segment=1][shot=0]"
    gone = "upstream changed: Artifact:Scenes; no longer part of the movie"
    explained = kinora.json("explain", "scenes", clip)
    assert reasons(explained) == [
        (clip, gone),
        ("Artifact:Scenes", "settings changed: text"),
        ("Input:Blueprint", "edited"),
    ]
    scenes_now = explained["causes"][1]
    assert scenes_now["oldContent"] != scenes_now["newContent"]
    assert '["scene 0"]' in kinora.ok("explain", "scenes", clip)
    music = kinora.json("explain", "scenes", "Music")
    assert [cause["id"] for cause in music["causes"]] == [
        "Artifact:Music",
        "Artifact:Song",
        "Input:Blueprint",
    ]
    diff = kinora.json("diff", "scenes", "rev-0001", "rev-0002")
    differences = {d["id"]: d["reason"]["text"] for d in diff["differences"]}
    assert differences[clip] == gone
    # A fan-in goes on to what it lost, and to why that went.
    film = kinora.json("explain", "scenes", "Film")
    assert film["causes"][0]["reason"]["kind"] == "wiring_changed"
    assert (clip, gone) in reasons(film)
    assert ("Artifact:Scenes", "settings changed: text") in reasons(film)
    assert "Artifact:Music" in [cause["id"] for cause in film["causes"]]

    pin(kinora, tmp_path, scenes(2, song=True))
    assert kinora.run("scenes").end == "run.completed"
    back = kinora.json("explain", "scenes", clip, "--against", "rev-0002")
    assert reasons(back)[0] == (
        clip,
        "not in rev-0002; upstream changed: Artifact:Scenes",
    )


# F: B-12
def test_conditions_and_sizes_are_named_not_the_blueprint(kinora, film):
    path = pathlib.Path(film())
    text = path.read_text()
    text = text.replace("dimensions:", MODE + "dimensions:", 1)
    text = text.replace('{image: "Image[segment]"}', '{image: "Image[segment]"}' + WHEN)
    path.write_text(text)
    make_film(kinora, str(path))
    kinora.ok("input", "set", "film", 'Mode[segment=1]="none"')
    assert kinora.run("film").end == "run.completed"
    gone = "input changed: Input:Mode[segment=1]; no longer part of the movie"
    assert reasons(kinora.json("explain", "film", "Clip[segment=1]")) == [
        ("Artifact:Clip[segment=1]", gone),
        ("Input:Mode[segment=1]", "edited"),
    ]
    assert '"full" -> "none"' in kinora.ok("explain", "film", "Clip[segment=1]")
    assert [c["id"] for c in kinora.json("explain", "film", "Film")["causes"]] == [
        "Artifact:Film",
        "Artifact:Clip[segment=1]",
        "Input:Mode[segment=1]",
    ]

    # The blueprint changes, too, but elsewhere.
    path.write_text(text.replace("settings: {}", "settings: {cost: 0.5}"))
    kinora.ok("movie", "blueprint", "film", str(path))
    kinora.ok("input", "set", "film", "SegmentCount=2")
    assert kinora.run("film").end == "run.completed"
    last = "Artifact:Clip[segment=2]"
    assert reasons(kinora.json("explain", "film", last)) == [
        (last, "input changed: Input:SegmentCount; no longer part of the movie"),
        ("Input:SegmentCount", "edited"),
    ]
    # Later on it is told where it is.
    edit_prompt(kinora, "at night")
    said = kinora.fails("explain", "film", last)
    assert "no artefact Artifact:Clip[segment=2] in rev-0004 of film" in said
    assert "ruled out by Input:SegmentCount" in said
    assert "--against rev-0001" in said
    assert 'did you mean "Clip[segment=0]"' in said
    ago = kinora.json("explain", "film", last, "--against", "rev-0001")
    assert ago["causes"][0]["reason"]["kind"] == "input_changed"


# F: B-12
def test_what_is_not_made_yet_says_what_it_waits_for(kinora, film):
    kinora.ok("movie", "create", "film", "--blueprint", film())
    explained = kinora.json("explain", "film", "Image[segment=1]")
    assert reasons(explained) == [
        (
            "Artifact:Image[segment=1]",
            "not made yet; waits for: Artifact:SegmentText[segment=1]",
        ),
        ("Artifact:SegmentText[segment=1]", "not made yet; waits for: Input:Story"),
        ("Input:Story", "not set"),
    ]
    assert kinora.ok("explain", "film", "Film").startswith("Artifact:Film: not made")
    assert 'did you mean "Film"' in kinora.fails("explain", "film", "Flim")
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    assert kinora.run("film").end == "run.completed"
    said = kinora.fails("explain", "film", "Images[segment=1]")
    assert 'rev-0001 of film; did you mean "Image[segment=1]"?' in said
    kinora.ok("input", "set", "film", "SegmentCount=4")
    ahead = kinora.json("explain", "film", "Image[segment=3]")
    assert ahead["causes"][0]["reason"]["kind"] == "missing"
    assert kinora.run("film").end == "run.completed"
    said = kinora.fails("explain", "film", "Image[segment=3]", "--revision", "rev-0001")
    assert "rev-0002 has it: --revision rev-0002 explains it there" in said
    said = kinora.fails("explain", "film", "Film", "--against", "before")
    assert 'against_revision: must be a revision such as rev-0001, got "before"' in said


# F: B-12, B-13 Every part of a key is named when it is what changed.
def test_each_component_of_a_key_is_named(kinora, film):
    path = pathlib.Path(film())
    text = path.read_text()
    make_film(kinora, str(path))
    image = "Image[segment=1]"

    def causes():
        assert kinora.run("film").end == "run.completed"
        return reasons(kinora.json("explain", "film", image))

    take = "Input:Take_Picture[segment=1]"
    kinora.ok("take", "reroll", "film", image)
    assert causes() == [(f"Artifact:{image}", "take 1 instead of 0"), (take, "set")]
    kinora.ok("take", "choose", "film", image, "0")
    assert causes()[0] == (f"Artifact:{image}", "take 0 instead of 1")
    for before, after, said in (
        ("settings: {}", "settings: {text: another}", "settings changed: text"),
        ("producer: picture", "producer: picture\n    salt: again", "salt"),
        ('prompt: "Input', 'mood: "Input', "reads"),
    ):
        assert before in text
        text = text.replace(before, after, 1)
        path.write_text(text)
        kinora.ok("movie", "blueprint", "film", str(path))
        assert said in causes()[0][1], after


# F: B-12
def test_what_could_not_be_made_says_how_its_latest_attempt_failed(kinora, film):
    path = pathlib.Path(film("{fail_attempts: 99, fail_code: INVALID_ARGUMENT}"))
    kinora.ok("movie", "create", "film", "--blueprint", str(path))
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    assert kinora.call("run", "film").returncode == 1
    explained = kinora.json("explain", "film", "Image[segment=1]")
    [note] = [note for note in explained["notes"] if "failed" in note]
    assert note.startswith("the latest attempt of Artifact:Image[segment=1] failed: ")
    assert "simulated INVALID_ARGUMENT" in note
    assert note in kinora.ok("explain", "film", "Image[segment=1]")


# What a run made before it failed is taken over by the next one, and not
# waited for.
def test_what_a_failed_run_made_is_made(kinora, film):
    path = pathlib.Path(film("{fail_attempts: 99, fail_code: INVALID_ARGUMENT}"))
    kinora.ok("movie", "create", "film", "--blueprint", str(path))
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    assert kinora.call("run", "film").returncode == 1
    image, text = "Artifact:Image[segment=0]", "Artifact:SegmentText[segment=0]"

    def explained():
        return reasons(kinora.json("explain", "film", "Image[segment=0]"))

    assert explained() == [
        (image, f"not made yet; waits for: {text}"),
        (text, "made, in no revision yet"),
    ]
    assert [job["jobId"] for job in kinora.json("plan", "film")["reused"]] == ["Script"]
    kinora.ok("input", "set", "film", 'Story="Call me Ahab."')
    assert explained()[1] == (text, "made, but not of what it reads now")
    kinora.ok("input", "undo", "film", "Story")
    assert explained()[1] == (text, "made, in no revision yet")


def test_a_revision_that_was_pruned_is_called_so(kinora, film):
    make_film(kinora, film())
    kinora.ok("input", "set", "film", 'Prompt[segment=0]="fog"')
    assert kinora.run("film").end == "run.completed"
    kinora.ok("prune", "film", "--keep-revisions", "1")
    for words in (
        ("diff", "film", "rev-0001"),
        ("explain", "film", "Film", "--revision", "rev-0001"),
        ("explain", "film", "Film", "--against", "rev-0001"),
        ("revert", "film", "rev-0001"),
    ):
        said = kinora.fails(*words)
        assert 'revision rev-0001 of movie "film" was pruned' in said, said
        assert "REVISION_NOT_FOUND" in said
        missing = kinora.fails(*[w.replace("rev-0001", "rev-0009") for w in words])
        assert 'movie "film" has no revision rev-0009' in missing, missing
        assert "REVISION_NOT_FOUND" in missing
