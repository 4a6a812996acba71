"""A store that was killed has a journal. It is damaged, or a log that it
completes: all that was acknowledged is read, or what is wrong is told, by the
server that does not start with it, or by `kinora verify`."""

from __future__ import annotations

import pathlib
import random
import shutil

import pytest
from cluster import sim, write_producers
from store_damage import DAMAGES, damage_each, of_kind
from store_reading import Running, read_movie, running
from store_story import PRODUCERS, tell

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


# The process died, not the machine: every line is in its log.
@pytest.mark.parametrize("way", sorted(DAMAGES))
def test_damaged_journal_loses_nothing_of_a_killed_process(tmp_path, site, way):
    kept, producers, before = site

    def choose(data: pathlib.Path, chance: random.Random) -> pathlib.Path:
        segment = data / chance.choice(of_kind(data, "journal", "film"))
        trim(segment)
        return segment

    def live_with(_: str, segment: pathlib.Path) -> None:
        try:
            server = Running(tmp_path, producers)
        except AssertionError as refused:
            assert f"journal/{segment.name}" in str(refused)
            for path in segment.parent.glob("*.wal"):
                path.unlink()
            server = Running(tmp_path, producers)
        try:
            for movie in MOVIES:
                now = read_movie(server.store, movie, before[movie])
                assert [n for n in now if now[n] != before[movie].get(n)] == []
                assert server.store.problems(movie) == []
                server.kinora.ok("input", "set", movie, 'Story="after"')
        finally:
            server.end()

    damage_each("journal", [way], kept, tmp_path, choose, live_with)


@pytest.mark.parametrize("kind", ["log of inputs", "log of artefacts", "ledger"])
def test_log_is_completed_from_the_journal_or_told_of(tmp_path, site, kind):
    kept, producers, before = site

    def live_with(_: str, path: pathlib.Path) -> None:
        with running(tmp_path, producers) as server:
            now = read_movie(server.store, "film", before["film"])
            assert now.keys() == before["film"].keys()
            for name, part in now.items():
                assert part.agrees_with(before["film"][name]), name
            if any(part.error for part in now.values()):
                name = str(path.relative_to(tmp_path / "data/builds/film"))
                assert name in server.kinora.call("verify", "film").stdout
            else:
                assert server.store.problems("film") == []
                server.kinora.ok("input", "set", "film", 'Story="after"')
            assert read_movie(server.store, "other") == before["other"]

    damage_each(
        kind,
        ["flip", "truncate", "remove"],
        kept,
        tmp_path,
        lambda data, chance: data / chance.choice(of_kind(data, kind, "film")),
        live_with,
    )
