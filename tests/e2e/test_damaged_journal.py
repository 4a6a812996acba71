"""A store that was killed has a journal. It is damaged, or a log that it
completes: all that was acknowledged is read, or what is wrong is told, by the
server that does not start with it, or by `kinora verify`."""

from __future__ import annotations

import os
import pathlib
import random
import shutil

import pytest
from cluster import sim, write_producers
from store_damage import DAMAGES, of_kind
from store_reading import Running, read_movie, running
from store_story import PRODUCERS, tell

SEED = int(os.environ.get("KINORA_DAMAGE_SEED", "1"))
ROUNDS = int(os.environ.get("KINORA_DAMAGES", "1"))

MOVIES = ("film", "other")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The directory of a killed store, its producers, and what is read of it."""
    tmp = tmp_path_factory.mktemp("site")
    with sim(tmp) as producer:
        producers = write_producers(tmp, producer.address, *PRODUCERS)
        server = Running(tmp, producers)
        try:
            tell(server.process.address, tmp)
            server.kinora.ok("input", "set", "other", 'Story="only in the journal?"')
        finally:
            server.kill()
        data = shutil.copytree(tmp / "data", tmp / "killed")
        with running(tmp, producers) as server:
            readings = {movie: read_movie(server.store, movie) for movie in MOVIES}
        yield data, producers, readings


def trim(segment: pathlib.Path) -> None:
    """Takes the room reserved at its end away, where damage would be none."""
    segment.write_bytes(segment.read_bytes().rstrip(b"\0"))


def damages(kind: str, names: list[str]):
    for turn in range(ROUNDS):
        for way in names:
            yield way, random.Random(f"{SEED} {kind} {way} {turn}")


# The process died, not the machine: every line is in its log.
@pytest.mark.parametrize("way", sorted(DAMAGES))
def test_damaged_journal_loses_nothing_of_a_killed_process(tmp_path, site, way):
    data, producers, before = site
    for way, chance in damages("journal", [way]):
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        shutil.copytree(data, tmp_path / "data")
        segment = tmp_path / "data" / chance.choice(of_kind(data, "journal", "film"))
        trim(segment)
        done = f"seed {SEED}: {segment.name} {DAMAGES[way](segment, chance)}"
        try:
            server = Running(tmp_path, producers)
        except AssertionError as refused:
            assert f"journal/{segment.name}" in str(refused), done
            for path in (tmp_path / "data/journal").glob("*.wal"):
                path.unlink()
            server = Running(tmp_path, producers)
        try:
            for movie in MOVIES:
                now = read_movie(server.store, movie, before[movie])
                differ = [n for n in now if now[n] != before[movie].get(n)]
                assert differ == [], done
                assert server.store.problems(movie) == [], done
                server.kinora.ok("input", "set", movie, 'Story="after"')
        finally:
            server.end()


@pytest.mark.parametrize("kind", ["log of inputs", "log of artefacts", "ledger"])
def test_log_is_completed_from_the_journal_or_told_of(tmp_path, site, kind):
    data, producers, before = site
    for way, chance in damages(kind, ["flip", "truncate", "remove"]):
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        shutil.copytree(data, tmp_path / "data")
        path = chance.choice(of_kind(data, kind, "film"))
        done = f"seed {SEED}: {path} {DAMAGES[way](tmp_path / 'data' / path, chance)}"
        with running(tmp_path, producers) as server:
            now = read_movie(server.store, "film", before["film"])
            assert now.keys() == before["film"].keys(), done
            for name, part in now.items():
                assert part.agrees_with(before["film"][name]), (done, name)
            name = path.removeprefix("builds/film/")
            if any(part.error for part in now.values()):
                assert name in server.kinora.call("verify", "film").stdout, done
            else:
                assert server.store.problems("film") == [], done
                server.kinora.ok("input", "set", "film", 'Story="after"')
            assert read_movie(server.store, "other") == before["other"], done
