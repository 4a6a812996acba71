"""Runs that have not ended, in a store that is damaged while nobody serves it.
What belongs to the run of one movie is damaged: the run of the other goes on
when the store is started again. So does the damaged one, to the same end, or
`kinora verify` names the file; put back, it goes on."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import random
import shutil
import subprocess

import pytest
from cluster import COMMAND_LIMIT_S, Kinora, RunOutcome, sim, write_producers
from store_damage import ROUNDS, SEED, damage_each
from store_reading import running
from store_story import PRODUCERS, tell_open_runs


@dataclasses.dataclass(frozen=True)
class Site:
    data: pathlib.Path
    producers: pathlib.Path
    asking: str  # the run of `asks`, with a question
    queued: str  # behind it
    waiting: str  # the run of `waits`, with a question

    def damageable(self) -> dict[str, str]:
        """Files by what they are."""
        runs = "builds/asks/runs"
        return {
            "record": f"{runs}/{self.asking}/record.json",
            "record of a queued run": f"{runs}/{self.queued}/record.json",
            "ledger": f"{runs}/{self.asking}/ledger.log",
            "mark": f"index/open-runs/{self.asking}",
            "mark of a queued run": f"index/open-runs/{self.queued}",
            "movie of the run": f"index/runs/{self.asking}",
            "lease": "leases/movie/asks.json",
            "lease of a queued run": f"leases/run/{self.queued}.json",
            "log": "builds/asks/events/artefacts.log",
            "movie": "builds/asks/movie.json",
        }


FILES = list(Site(*[pathlib.Path()] * 2, "", "", "").damageable())


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("site")
    with sim(tmp) as producer:
        producers = write_producers(tmp, producer.address, *PRODUCERS)
        with running(tmp, producers) as server:
            tell_open_runs(server.kinora, tmp)
        runs = {
            movie: sorted(p.name for p in (tmp / f"data/builds/{movie}/runs").glob("run-*"))
            for movie in ("asks", "waits")
        }
        yield Site(tmp / "data", producers, *runs["asks"], *runs["waits"])


def end_of(kinora: Kinora, run_id: str) -> str:
    """How the run ends once its question is answered."""
    assert kinora.answer(run_id, "sim", "The Whale") == ""
    done = kinora.start("runs", "watch", run_id, "--json")
    try:
        lines, _ = done.communicate(timeout=COMMAND_LIMIT_S)
    except subprocess.TimeoutExpired:
        done.kill()
        done.communicate()
        return "it hangs"
    return RunOutcome([json.loads(line) for line in lines.splitlines()]).end


@pytest.mark.parametrize("what", FILES)
def test_run_of_another_movie_goes_on(tmp_path, site, what):
    ways = ["truncate", "empty", "zero", "remove"]
    # A flipped bit in what has no checksum may make another value.
    if what != "movie of the run":
        ways.append("flip")
    if ROUNDS == 1:
        ways = [random.Random(f"{SEED} {what}").choice(ways)]
    damage_each(
        what,
        ways,
        site.data,
        tmp_path,
        lambda data, _: data / site.damageable()[what],
        lambda way, file: live_with(what, tmp_path, site),
    )


def live_with(what: str, tmp: pathlib.Path, site: Site) -> None:
    path = site.damageable()[what]
    name = path.removeprefix("builds/asks/")
    with running(tmp, site.producers) as server:
        kinora = server.kinora
        assert end_of(kinora, site.waiting) == "run.completed"
        sound = kinora.manifest_bytes("waits")
        assert site.waiting in kinora.ok("runs", "list")
        said = kinora.call("verify").stdout
        is_told = name in said or what == "movie" and "builds/asks" in said
        if is_told and what == "record" and (tmp / "data" / path).exists():
            tells_damage(kinora, site, name)
        if not is_told:
            assert end_of(kinora, site.asking) == "run.completed", said
            assert kinora.manifest_bytes("asks") == sound
    if not is_told:
        return
    shutil.copyfile(site.data / path, tmp / "data" / path)
    with running(tmp, site.producers) as server:
        kinora = server.kinora
        assert end_of(kinora, site.asking) == "run.completed"
        assert kinora.manifest_bytes("asks") == sound
        assert "asks: sound" in kinora.ok("verify", "asks")


# F: S3-10 (reported, never left out)
def tells_damage(kinora: Kinora, site: Site, name: str) -> None:
    for listed in (("runs", "list"), ("runs", "list", "--movie", "asks")):
        (line,) = [l for l in kinora.ok(*listed).splitlines() if site.asking in l]
        assert "unknown" in line and name in line, line
    shown = kinora.json("runs", "show", site.asking)["recovery"]
    assert shown["state"] == "quarantined", shown
    assert name in shown["refusals"][0]["message"], shown
    assert f"damaged: builds/asks/{name}" in kinora.ok("runs", "show", site.asking)
    assert name in kinora.fails("runs", "resume", site.asking)


# Also in another store, where nobody knows of it.
def test_run_that_had_not_ended_goes_on_in_a_restored_movie(tmp_path, site):
    shutil.copytree(site.data, tmp_path / "data")
    copy = str(tmp_path / "waits.tar")
    with running(tmp_path, site.producers) as server:
        server.kinora.ok("backup", "waits", copy)
        assert end_of(server.kinora, site.waiting) == "run.completed"
        manifest = server.kinora.manifest_bytes("waits")
    shutil.rmtree(tmp_path / "data")
    with running(tmp_path, site.producers) as server:
        assert server.kinora.ok("runs", "list") == ""
        server.kinora.ok("restore", copy, "waits")
        assert end_of(server.kinora, site.waiting) == "run.completed"
        assert server.kinora.manifest_bytes("waits") == manifest
