"""What the blueprint language promises beyond the plain film, in real runs."""

import pytest

from cluster import Kinora, sim, up, write_producers

ALBUM = """
blueprint: album
inputs:
  Images: {type: integer, over: [segment], default: 1}
  Music: {type: boolean, default: true}
dimensions:
  segment: {size: 3}
  image: {within: segment, size: "Input:Images[segment]"}
nodes:
  Picture:
    producer: picture@>=1
    over: [segment, image]
    outputs: {Image: image/png}
  Caption:
    producer: script
    over: [segment]
    limits: {max_attempts: 4}
    settings: {fail_attempts: 3}
    inputs: {before: "Caption[segment-1]", images: {all: "Image[segment][image]"}}
    outputs: {Caption: {type: text/plain, readable: "captions/{segment:02}.txt"}}
  Music:
    producer: clip
    when: Input:Music
    outputs: {Music: audio/wav}
  Album:
    producer: film
    inputs:
      captions: {all: "Caption[segment]"}
      pages: {all: "Image[segment][image]", group: segment}
      music: Music
    outputs: {Album: application/pdf}
"""

STORY = """
blueprint: story
dimensions: {shot: {size: 2}}
nodes:
  Plan:
    producer: script
    settings: {text: 'TEXT'}
    outputs:
      Plan:
        type: application/json
        leaves:
          Title: {at: /title, type: text/plain}
          Prompt: {at: "/shots/{shot}/prompt", over: [shot], type: text/plain}
          Mood: /mood
  Card: {producer: picture, inputs: {title: Title, mood: Mood}, outputs: {Card: image/png}}
  Shot: {producer: clip, over: [shot], inputs: {prompt: "Prompt[shot]"}, outputs: {Shot: video/mp4}}
"""


@pytest.fixture
def kinora(tmp_path):
    with sim(tmp_path) as producer:
        table = write_producers(
            tmp_path, producer.address, "script", "picture", "clip", "film"
        )
        process = up(tmp_path, table)
        yield Kinora(process.address)
        assert process.stop() == 0, process.log()


def create(kinora, tmp_path, text, movie):
    path = tmp_path / f"{movie}.yaml"
    path.write_text(text)
    kinora.ok("movie", "create", movie, "--blueprint", str(path))


# F: B-2 Offsets, nested dimensions, groups, limits and conditions.
def test_album_runs_and_a_second_run_calls_nothing(kinora, tmp_path):
    create(kinora, tmp_path, ALBUM, "album")
    first = kinora.run("album")
    assert first.end == "run.completed", first.events[-1]
    assert len(first.called) == 3 + 3 + 1 + 1
    assert kinora.run("album").called == set()

    kinora.ok("input", "set", "album", "Images[segment=1]=2")
    assert kinora.run("album").called == {
        "Picture[segment=1][image=1]",
        "Caption[segment=1]",
        "Caption[segment=2]",
        "Album",
    }

    kinora.ok("input", "set", "album", "Music=false")
    said = kinora.ok("plan", "album")
    assert "1 artefact leaves: the next revision does not have it\n" in said
    assert "Artifact:Music is inactive now: the condition of Music" in said
    assert kinora.run("album").called == {"Album"}
    artefacts = kinora.json("artefact", "list", "album")["artefacts"]
    assert "Artifact:Music" not in artefacts
    kinora.ok("input", "set", "album", "Music=true")
    back = kinora.run("album")
    assert back.called == set() and back.end == "run.completed"
    artefacts = kinora.json("artefact", "list", "album")["artefacts"]
    assert "Artifact:Music" in artefacts


# F: B-6 A readable copy is edited by hand; what reads it runs again.
def test_readable_copy_lies_where_the_blueprint_says(kinora, tmp_path):
    create(kinora, tmp_path, ALBUM, "album")
    kinora.run("album")
    file = tmp_path / "data/builds/album/prompts/captions/01.txt"
    entry = kinora.json("artefact", "list", "album")["artefacts"][
        "Artifact:Caption[segment=1]"
    ]
    assert entry["readablePath"] == "captions/01.txt"
    assert "Caption[segment=1]" in file.read_text()

    file.write_text("The whale, at last.\n")
    kinora.ok("movie", "scan", "album")
    outcome = kinora.run("album")
    assert outcome.called == {"Caption[segment=2]", "Album"}
    assert file.read_text() == "The whale, at last.\n"
    assert kinora.run("album").called == set()


PLAN = '{"title": "Sea", "mood": 1, "shots": [{"prompt": "a"}, {"prompt": "b"}]}'


def edited(output):
    return [event["artefact"]["artefactId"] for event in output["events"]]


# F: B-3, B-6 Whoever reads a leaf sees that its document was replaced.
def test_document_edited_by_hand_reaches_its_leaves(kinora, tmp_path):
    create(kinora, tmp_path, STORY.replace("TEXT", PLAN), "story")
    assert kinora.run("story").end == "run.completed"
    first = kinora.json("artefact", "list", "story")["artefacts"]
    edit = kinora.json("artefact", "set", "story", "Plan=" + PLAN.replace('"b"', '"storm"'))
    assert edited(edit) == ["Artifact:Plan", "Artifact:Prompt[shot=1]"]
    assert kinora.run("story").called == {"Shot[shot=1]"}
    assert kinora.json("plan", "story")["layers"] == []
    assert edited(kinora.json("artefact", "restore", "story", "Plan")) == edited(edit)
    assert kinora.run("story").called == set()
    assert kinora.json("artefact", "list", "story")["artefacts"] == first

    # One that lacks a leaf is refused whole.
    said = kinora.fails("artefact", "set", "story", "Plan=" + PLAN.replace("mood", "tone"))
    assert "Artifact:Mood: Artifact:Plan has nothing at /mood" in said
    said = kinora.fails("artefact", "set", "story", "Plan=" + PLAN.replace('"Sea"', "7"))
    assert "has number 7, not a string, at /title" in said
    assert kinora.json("plan", "story")["layers"] == []

    # A leaf alone lasts until its document is replaced.
    said = kinora.ok("artefact", "set", "story", 'Title="Sky"')
    assert said.split()[0] == "Artifact:Title" and len(said.splitlines()) == 1
    assert kinora.run("story").called == {"Card"}
    assert kinora.json("plan", "story")["layers"] == []
    said = kinora.ok("artefact", "set", "story", "Plan=" + PLAN)
    assert [line.split()[0] for line in said.splitlines()] == [
        "Artifact:Plan",
        "Artifact:Title",
    ]


# F: B-6 The store knows no leaves: who edits a document's file is told.
def test_document_edited_on_disk_is_warned_of(kinora, tmp_path):
    plan = PLAN.replace('"Sea"', '"Sea", "notes": "' + "long " * 1000 + '"')
    create(kinora, tmp_path, STORY.replace("TEXT", plan), "story")
    assert kinora.run("story").end == "run.completed"
    [file] = (tmp_path / "data/builds/story/artifacts/text").iterdir()
    file.write_text(plan.replace('"b"', '"storm"'))
    said = kinora.json("plan", "story")
    assert said["layers"] == []
    [warning] = said["warnings"]
    assert "without its leaves: Artifact:Prompt[shot=1]" in warning
    command = warning.split("kinora ")[1].split(" takes")[0].replace("'", "").split()
    assert edited(kinora.json(*command)) == ["Artifact:Plan", "Artifact:Prompt[shot=1]"]
    assert kinora.run("story").called == {"Shot[shot=1]"}


# F: B-3
def test_changed_field_runs_only_its_readers(kinora, tmp_path):
    text = STORY.replace(
        "TEXT", '{"title": "Sea", "mood": 1, "shots": [{"prompt": "a"}, {"prompt": "b"}]}'
    )
    create(kinora, tmp_path, text, "story")
    first = kinora.run("story")
    assert first.end == "run.completed", first.events[-1]
    assert first.called == {"Plan", "Card", "Shot[shot=0]", "Shot[shot=1]"}
    artefacts = kinora.json("artefact", "list", "story")["artefacts"]
    assert artefacts["Artifact:Prompt[shot=1]"]["content"]["inline"]["text"] == "b"
    assert artefacts["Artifact:Mood"]["content"]["inline"]["json"] == 1

    path = tmp_path / "story.yaml"
    path.write_text(text.replace('"b"', '"storm"'))
    kinora.ok("movie", "blueprint", "story", str(path))
    second = kinora.run("story")
    assert second.called == {"Plan", "Shot[shot=1]"}

    # A leaf that is not there fails the job and says which.
    path.write_text(text.replace('"mood": 1, ', ""))
    kinora.ok("movie", "blueprint", "story", str(path))
    failed = kinora.call("run", "story", "--json")
    assert failed.returncode > 0
    assert "Artifact:Mood: Artifact:Plan has nothing at /mood" in failed.stdout
