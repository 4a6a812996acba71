"""Blueprints that are used by others, and inputs that are files, in real runs."""

import hashlib
import json
import re

import pytest

from cluster import ROOT, Kinora, sim, up, write_producers
from test_planning import jobs_of

VOICES = """
blueprint: voices
inputs:
  Story: {type: text, default: Call me Ishmael.}
  Voice: {type: file, description: A sample of the narrator's voice}
  Reference: {type: file, over: [segment]}
dimensions: {segment: {size: 2}}
nodes:
  Narration:
    producer: clip
    inputs: {story: Input:Story, voice: Input:Voice}
    outputs: {Narration: audio/wav}
  Picture:
    producer: picture
    over: [segment]
    inputs: {reference: "Input:Reference[segment]"}
    outputs: {Image: image/png}
"""


@pytest.fixture
def kinora(tmp_path):
    with sim(tmp_path) as producer:
        table = write_producers(
            tmp_path, producer.address, "script", "shot", "cut", "clip", "picture", "film"
        )
        process = up(tmp_path, table)
        yield Kinora(process.address)
        assert process.stop() == 0, process.log()


def documented(name):
    """The blueprints of docs/blueprint.md that use the one named."""
    blocks = re.findall(
        r"^```yaml\n(.*?)^```$", (ROOT / "docs/blueprint.md").read_text(), re.S | re.M
    )
    [found] = [block for block in blocks if f"use: {name}" in block]
    return found


# F: B-2 (reusable sub-blueprints)
def test_a_used_blueprint_runs_once_for_each_place(tmp_path, kinora):
    path = tmp_path / "whole.yaml"
    path.write_text(documented("scene"))
    kinora.ok("movie", "create", "film", "--blueprint", str(path))
    first = kinora.run("film")
    assert first.end == "run.completed", first.events[-1]
    shots = {f"Scene_Shot[segment={n}][Scene_shot={m}]" for n in range(3) for m in range(2)}
    cuts = {f"Scene_Cut[segment={n}]" for n in range(3)}
    assert first.called == {"Script", "Film"} | shots | cuts
    assert kinora.run("film").called == set()

    # What is bound reaches one place, what is not bound all of them.
    kinora.ok("input", "set", "film", "ShotCount[segment=1]=3")
    assert kinora.run("film").called == {
        "Scene_Shot[segment=1][Scene_shot=2]",
        "Scene_Cut[segment=1]",
        "Film",
    }
    kinora.ok("input", "set", "film", 'Scene_style="dark"')
    assert len(jobs_of(kinora.json("plan", "film"))) == 7 + 3 + 1
    explained = kinora.ok("explain", "film", "Scene_Cut[segment=1]")
    assert "Input:ShotCount[segment=1]" in explained


# Files are inputs like any other: their bytes are part of the key, their names
# are not, and producers get the type.
# F: S1-22, B-2
def test_files_are_inputs_by_their_bytes(tmp_path, kinora):
    path = tmp_path / "voices.yaml"
    path.write_text(VOICES)
    kinora.ok("movie", "create", "voices", "--blueprint", str(path))
    voice = tmp_path / "voice.wav"
    voice.write_bytes(b"RIFF\x00\xff\xfe" + bytes(range(256)) * 40)
    small = tmp_path / "small.png"
    small.write_bytes(b"\x89PNG\r\n\x1a\n")
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"")
    said = kinora.fails("plan", "voices")
    assert "kinora input set MOVIE 'Voice=file:PATH'" in said
    kinora.ok(
        "input", "set", "voices", f"Voice=file:{voice}",
        f"Reference[segment=0]=file:{small}", f"Reference[segment=1]=file:{empty}",
    )  # fmt: skip
    listed = {
        event["input"]["inputId"]: event["input"]["content"]
        for event in kinora.json("input", "list", "voices")["inputs"]
    }
    blob = listed["Input:Voice"]["blob"]
    assert blob["mimeType"] == "audio/wav"
    assert blob["hash"] == hashlib.sha256(voice.read_bytes()).hexdigest()
    assert kinora.run("voices").end == "run.completed"

    renamed = tmp_path / "other.wav"
    renamed.write_bytes(voice.read_bytes())
    kinora.ok("input", "set", "voices", f"Voice=file:{renamed}")
    assert kinora.json("plan", "voices")["layers"] == []
    renamed.write_bytes(voice.read_bytes() + b"\n")
    planned = kinora.json("plan", "voices", "--set", f"Voice=file:{renamed}")
    assert jobs_of(planned).keys() == {"Narration"}
    kinora.ok("input", "set", "voices", f"Voice=file:{renamed}")
    assert kinora.run("voices").called == {"Narration"}
    kinora.ok("input", "undo", "voices", "Voice")
    assert kinora.run("voices").called == set()
    kinora.ok("input", "set", "voices", f"Reference[segment=1]=file:{small}")
    assert kinora.run("voices").called == {"Picture[segment=1]"}


def test_a_value_too_large_for_a_request_names_the_way_round(tmp_path, kinora):
    path = tmp_path / "voices.yaml"
    path.write_text(VOICES)
    kinora.ok("movie", "create", "voices", "--blueprint", str(path))
    story = "Call me Ishmael. " * 1_000_000
    as_json = tmp_path / "story.json"
    as_json.write_text(json.dumps(story))
    said = kinora.fails("input", "set", "voices", f"Story=@{as_json}")
    assert "Input:Story: values take at most 15.0 MiB in all" in said
    assert "NAME=file:PATH" in said
    as_text = tmp_path / "story.txt"
    as_text.write_text(story)
    kinora.ok("input", "set", "voices", f"Story=file:{as_text}")
