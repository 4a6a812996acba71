"""A blob that is gone from the disk is reported, and made again."""

import hashlib

from test_incremental import create
from test_planning import jobs_of


def blob_of(kinora, artefact):
    listed = kinora.json("artefact", "list", "film")["artefacts"]
    return listed[f"Artifact:{artefact}"]["content"]["blob"]["hash"]


def lose(tmp_path, blob):
    (tmp_path / "data/builds/film/blobs" / blob[:2] / blob).unlink()


# F: B-14 It is found by whoever plans next, also by a planner that planned the
# revision while the blob was there, and though no job is to read it.
def test_lost_blob_is_found_by_the_next_plan_and_healed(tmp_path, kinora, film):
    create(kinora, film("{bytes: 9000}"))
    kinora.run("film")
    manifest = kinora.manifest_bytes("film")
    assert kinora.json("plan", "film")["layers"] == []
    blob = blob_of(kinora, "Image[segment=1]")
    lose(tmp_path, blob)
    said = kinora.fails("artefact", "get", "film", "Image[segment=1]")
    assert "BLOB_NOT_FOUND" in said and blob in said
    verified = kinora.call("verify", "film")
    assert verified.returncode == 1 and blob in verified.stdout

    picture = jobs_of(kinora.json("plan", "film"))["Picture[segment=1]"]
    assert picture["need"] == "must_run"
    assert picture["reason"]["kind"] == "blob_lost"
    outcome = kinora.run("film")
    assert outcome.end == "run.completed"
    assert outcome.called == {"Picture[segment=1]"}  # the same bytes again
    target = tmp_path / "image.png"
    kinora.ok("artefact", "get", "film", "Image[segment=1]", "-o", str(target))
    assert hashlib.sha256(target.read_bytes()).hexdigest() == blob
    assert kinora.manifest_bytes("film") == manifest
    assert kinora.json("verify", "film")["movies"][0]["problems"] == []
    assert kinora.json("plan", "film")["layers"] == []


# F: B-14 A result in the log is one only as long as its blob is there.
def test_take_whose_blob_is_lost_is_made_again(tmp_path, kinora, film):
    create(kinora, film("{bytes: 9000}"))
    kinora.run("film")
    first = blob_of(kinora, "Image[segment=1]")
    kinora.ok("take", "reroll", "film", "Image[segment=1]")
    kinora.run("film")
    lose(tmp_path, first)
    kinora.ok("take", "choose", "film", "Image[segment=1]", "0")
    said = kinora.ok("plan", "film")
    assert "blob lost: Artifact:Image[segment=1]" in said
    outcome = kinora.run("film")
    assert outcome.end == "run.completed"
    assert outcome.called == {"Picture[segment=1]"}
    assert blob_of(kinora, "Image[segment=1]") == first


# F: B-14 What a person gave cannot be made again: they are asked for it, before
# anything is called, and giving it again leaves nothing to do.
def test_input_whose_blob_is_lost_is_asked_for(tmp_path, kinora, film):
    create(kinora, film())
    story = tmp_path / "story.txt"
    story.write_text("Call me Ishmael. " * 500)
    kinora.ok("input", "set", "film", f"Story=file:{story}")
    kinora.run("film")
    lose(tmp_path, hashlib.sha256(story.read_bytes()).hexdigest())
    runs = kinora.json("runs", "list")
    for verb in ("plan", "run"):
        said = kinora.fails(verb, "film")
        assert "Input:Story has lost its blob" in said and "INPUT_MISSING" in said
    assert kinora.json("runs", "list") == runs
    kinora.ok("input", "set", "film", f"Story=file:{story}")
    assert kinora.json("plan", "film")["layers"] == []


# Nothing is made of it, whether the producer looks or not.
def test_damaged_blob_is_handed_to_no_producer(tmp_path, kinora, film):
    create(kinora, film("{bytes: 9000}"))
    kinora.run("film")
    manifest = kinora.manifest_bytes("film")
    blob = blob_of(kinora, "Image[segment=1]")
    file = tmp_path / "data/builds/film/blobs" / blob[:2] / blob
    damaged = bytearray(file.read_bytes())
    damaged[100] ^= 1
    file.write_bytes(damaged)
    again = ["run", "film", "--regenerate", "Clip[segment=1]"]
    done = kinora.call(*again)
    assert done.returncode == 1
    assert blob in done.stdout and "do not have its hash" in done.stdout
    assert kinora.manifest_bytes("film") == manifest

    file.unlink()
    done = kinora.call(*again)
    assert done.returncode == 0, done.stdout
    assert hashlib.sha256(file.read_bytes()).hexdigest() == blob
    assert kinora.json("verify", "film")["movies"][0]["problems"] == []
