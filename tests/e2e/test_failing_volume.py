"""A volume that is full, or that the system has made read-only, under the real
server: what was acknowledged is there, what is refused says why, and work goes
on once it can. The volume fails by failing_disk.c, preloaded into the server."""

from __future__ import annotations

import pathlib
import random
import resource
import shutil

import pytest
from cluster import Kinora, sim, write_producers
from store_damage import ROUNDS, SEED
from store_story import PRODUCERS, write_blueprint, write_voice
from volume import Volume, make_library


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return make_library(tmp_path_factory.mktemp("disk"))


@pytest.fixture
def volume(tmp_path, library):
    with sim(tmp_path) as producer:
        producers = write_producers(tmp_path, producer.address, *PRODUCERS)
        made = Volume(tmp_path, library, producers)
        yield made
        made.end()


def create(kinora: Kinora, tmp: pathlib.Path, *movies: str) -> None:
    for movie in movies:
        kinora.ok("movie", "create", movie, "--blueprint", write_blueprint(tmp / "f.yaml"))
        kinora.ok("input", "set", movie, 'Story="one"', f"Voice=file:{write_voice(tmp)}")


def stories(kinora: Kinora) -> list[str]:
    events = kinora.json("input", "history", "film", "Story")["events"]
    return [event["input"]["content"]["inline"]["text"] for event in events]


def edit_until_refused(kinora: Kinora) -> tuple[list[str], str]:
    """The edits that were acknowledged, and how the first other was refused."""
    taken = []
    while True:
        story = f"{len(taken)} " + "sea " * 900
        done = kinora.call("input", "set", "film", f'Story="{story}"')
        if done.returncode:
            return taken, done.stderr
        taken.append(story)
        assert len(taken) < 2000, "it was never refused"


def expect_reads(kinora: Kinora, manifest: bytes, tmp: pathlib.Path) -> None:
    assert kinora.manifest_bytes("film") == manifest
    kinora.ok("artefact", "get", "film", "Film", "-o", str(tmp / "film.mp4"))
    assert len(kinora.json("runs", "list")["runs"]) >= 1


def expect_sound(kinora: Kinora) -> None:
    verified = kinora.json("verify")
    assert [m["problems"] for m in verified["movies"]] == [[]] * len(verified["movies"])
    assert verified["problems"] == []


def test_edits_go_on_where_they_were_once_there_is_room(tmp_path, volume):
    kinora = volume.start()
    create(kinora, tmp_path, "film")
    assert kinora.run("film").end == "run.completed"
    manifest = kinora.manifest_bytes("film")
    volume.leave(0)
    taken, said = edit_until_refused(kinora)
    assert "No space left on device" in said and "STORE_READ_ONLY" in said
    assert "No space left" in kinora.json("server", "info")["readOnlyReason"]
    expect_reads(kinora, manifest, tmp_path)
    assert stories(kinora) == ["one", *taken]
    said = kinora.fails("run", "film")
    assert "No space left on device" in said
    said = kinora.fails("movie", "create", "more", "--blueprint", str(tmp_path / "f.yaml"))
    assert "No space left on device" in said
    kinora.ok("gc", "film", "--grace", "0s")

    # Killed, and started on the full volume.
    volume.server.kill()
    kinora = volume.start()
    assert "No space left" in kinora.json("server", "info")["readOnlyReason"]
    assert stories(kinora) == ["one", *taken]
    expect_reads(kinora, manifest, tmp_path)

    volume.make_room()
    kinora.call("input", "set", "film", 'Story="first"')  # finds the room
    kinora.ok("input", "set", "film", 'Story="after"')
    assert "readOnlyReason" not in kinora.json("server", "info")
    now = stories(kinora)
    assert now in (["one", *taken, "after"], ["one", *taken, "first", "after"])
    assert kinora.run("film").end == "run.completed"
    expect_sound(kinora)


# Wherever in a run the volume is full: it goes on, or the next run does, and
# no work is done twice for it.
def test_run_is_cut_short_anywhere_for_want_of_room(tmp_path, volume):
    kinora = volume.start()
    create(kinora, tmp_path, "whole", "film")
    assert kinora.run("whole").end == "run.completed"
    manifest = kinora.manifest_bytes("whole")
    volume.end()
    rest = shutil.copytree(tmp_path / "data", tmp_path / "rest")
    chance = random.Random(f"{SEED} run")
    for _ in range(4 * ROUNDS):
        room = chance.choice([chance.randrange(3000), chance.randrange(60000)])
        print(f"seed {SEED}: room for {room} bytes")
        shutil.rmtree(tmp_path / "data")
        shutil.copytree(rest, tmp_path / "data")
        kinora = volume.start()
        # What the journal has reserved would be enough for all.
        volume.leave(0)
        edit_until_refused(kinora)
        volume.leave(room)
        run = kinora.call("run", "film", "--json")
        if run.returncode:
            assert "No space left" in run.stderr + run.stdout, run
        volume.make_room()
        kinora.call("input", "set", "film", 'Story="one"')  # finds the room
        kinora.ok("input", "set", "film", 'Story="one"')
        for active in kinora.json("runs", "list", "--movie", "film").get("runs", []):
            kinora.call("runs", "watch", active["runId"])
        assert kinora.run("film").end == "run.completed"
        assert kinora.manifest_bytes("film") == manifest
        expect_sound(kinora)
        volume.end()


@pytest.mark.parametrize("first", ["edit", "upload", "movie", "delete"])
def test_read_only_volume_is_told_and_nothing_is_lost(tmp_path, volume, first):
    kinora = volume.start()
    create(kinora, tmp_path, "film", "spare")
    assert kinora.run("film").end == "run.completed"
    manifest = kinora.manifest_bytes("film")
    volume.make_read_only()
    # Whichever write meets it first.
    (tmp_path / "more.wav").write_bytes(b"more" * 2000)
    words = {
        "edit": ["input", "set", "film", 'Story="two"'],
        "upload": ["input", "set", "film", f"Voice=file:{tmp_path / 'more.wav'}"],
        "movie": ["movie", "create", "more", "--blueprint", str(tmp_path / "f.yaml")],
        "delete": ["movie", "delete", "spare", "--yes"],
    }
    said = kinora.fails(*words[first])
    assert "Read-only file system" in said and "STORE_READ_ONLY" in said
    assert "Read-only file system" in kinora.json("server", "info")["readOnlyReason"]
    taken, said = edit_until_refused(kinora)
    assert "Read-only file system" in said and str(tmp_path / "data") in said
    expect_reads(kinora, manifest, tmp_path)
    assert stories(kinora) == ["one", *taken]
    for words in (["run", "film"], ["movie", "delete", "film", "--yes"]):
        assert "Read-only file system" in kinora.fails(*words), words
    volume.server.kill()
    with pytest.raises(AssertionError, match="Read-only file system"):
        volume.start()
    volume.make_writable()
    kinora = volume.start()
    assert stories(kinora) == ["one", *taken]
    expect_reads(kinora, manifest, tmp_path)
    kinora.ok("input", "set", "film", 'Story="after"')
    assert kinora.run("film").end == "run.completed"
    expect_sound(kinora)


# Not a signal that ends the server.
def test_limit_on_the_size_of_files_is_told(tmp_path, volume):
    kinora = volume.start()
    create(kinora, tmp_path, "film")
    resource.prlimit(volume.server.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    taken, said = edit_until_refused(kinora)
    assert "File too large" in said
    assert stories(kinora) == ["one", *taken]
    volume.server.kill()
    kinora = volume.start()
    assert stories(kinora) == ["one", *taken]
    kinora.ok("input", "set", "film", 'Story="after"')
    expect_sound(kinora)
