"""Every kind of file that a store has is damaged: bits flipped, cut short,
emptied, zeroed in part, removed. Whatever it is,
- the store starts, or says which file keeps it from that;
- what is read is what was written, or is refused with what is wrong;
- `kinora verify` names the file, unless all that it held was read all the same;
- the movie takes writes that are read again, or refuses them with the file;
- nothing is mended that nobody is told of;
- the other movie in the store is read whole, and takes writes;
- once the file is put back all is as it was.

Places and bits are chosen by KINORA_DAMAGE_SEED (1), KINORA_DAMAGES (1) of each
way in which a file can be damaged. `make kill-all` takes more.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import random
import shutil

import pytest
from cluster import sim, write_producers
from store_damage import DAMAGES, KINDS, ROUNDS, SEED, damage_each
from store_damage import files_of, kind_of, of_kind
from store_reading import Part, read_movie, running
from store_story import PRODUCERS, tell

# Nothing is lost with these: they are made anew, or found to be of no use.
DERIVED = {"index", "log checkpoint", "ledger checkpoint", "saved graph", "lock"}
# Which of these there are, only a file that is not damaged can tell.
UNMISSED = {"blob uses", "progress", "plan", "plan of a revision", "movie lease"}
# What is named in the place of a file that is gone, or has no whole line left.
NAMED_BY = {
    "retention": "manifests/rev-0001.json",
    "log of inputs": "as inputs.checkpoint shows",
    "log of artefacts": "as artefacts.checkpoint shows",
    "archive of inputs": "events/inputs.log",
    "archive of artefacts": "events/artefacts.log",
    "kept inputs": "events/inputs.log",
    "kept artefacts": "events/artefacts.log",
}
LISTS = {("manifests", "retention"), ("runs", "run record")}
# These need more than one store at rest: the two below, a thousand events, and
# a runner that dies while a caller executes a step.
ELSEWHERE = {"journal", "open run", "run lease", "metrics", "step lease"}


@dataclasses.dataclass(frozen=True)
class Site:
    """A store at rest, and what is read of it."""

    data: pathlib.Path
    producers: pathlib.Path
    readings: dict[str, dict[str, Part]]  # by movie


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("site")
    with sim(tmp) as producer:
        producers = write_producers(tmp, producer.address, *PRODUCERS)
        with running(tmp, producers) as server:
            tell(server.process.address, tmp)
        data = shutil.copytree(tmp / "data", tmp / "rest")
        with running(tmp, producers) as server:
            readings = {m: read_movie(server.store, m) for m in ("film", "other")}
            for movie, parts in readings.items():
                assert not [p for p in parts.values() if p.error], movie
                assert server.store.problems(movie) == []
        yield Site(data, producers, readings)


def test_every_kind_of_file_is_known(site):
    unknown = [path for path in files_of(site.data) if kind_of(path) is None]
    assert unknown == [], "store_damage.KINDS says what may happen to each kind"
    missing = {kind for kind in KINDS if not of_kind(site.data, kind, "film")}
    assert missing == ELSEWHERE


@dataclasses.dataclass
class Damage:
    """What was done to a file, and what came of it."""

    kind: str
    path: str  # below the store
    is_gone: bool
    is_void: bool  # gone, or without a whole line
    may_differ: bool  # nobody can tell from the file alone

    @property
    def name(self) -> str:
        """As the movie's problems name the file."""
        return self.path.removeprefix("builds/film/")

    def is_named_in(self, said: str) -> bool:
        instead = NAMED_BY.get(self.kind) if self.is_void else None
        if self.kind == "blob":  # by its hash, wherever it is
            instead = self.path.rsplit("/", 1)[1]
        return self.name in said or instead is not None and instead in said


def choose(kind: str, data: pathlib.Path, chance: random.Random) -> pathlib.Path:
    files = of_kind(data, kind, "film")
    if kind == "run's movie":
        files = [f for f in files if (data / f).read_text() == "film"]
    return data / chance.choice(files)


def damage_of(kind: str, data: pathlib.Path, file: pathlib.Path) -> Damage:
    is_gone = not file.exists()
    is_void = is_gone or b"\n" not in file.read_bytes()
    may_differ = kind in UNMISSED and is_gone
    return Damage(kind, str(file.relative_to(data)), is_gone, is_void, may_differ)


def check_reading(damage: Damage, before: dict, now: dict) -> set[str]:
    """That all is as it was, or refused; returns what is not as it was."""
    changed = {name for name in now if now[name] != before.get(name)}
    for name, part in before.items():
        # It counts the blobs, revisions and runs that are there.
        if name == "statistics" and damage.kind in ("blob", "retention", "run record"):
            continue
        # A checkpoint may hold all that was in it.
        if damage.kind.startswith("archive of ") and damage.is_gone:
            if name.startswith("status of "):
                changed.discard(name)
                continue
        # What is gone from a list is told by verify.
        if (name, damage.kind) in LISTS and damage.is_gone:
            continue
        # A list of runs goes on behind one whose record cannot be read.
        if (name, damage.kind) == ("runs", "run record"):
            check_runs(damage, part, now[name])
            continue
        assert now[name].agrees_with(part), (name, part, now[name])
    return changed


def check_runs(damage: Damage, before: Part, now: Part) -> None:
    """That each run is in its place, as it was or with what is wrong with it."""
    assert not now.error and len(now.answers) == len(before.answers), now
    for was, answer in zip(before.answers, now.answers):
        assert answer == was or damage.is_named_in(answer), (was, answer)


def check_file(damage: Damage, data: pathlib.Path, damaged: bytes | None, log: str):
    """That nobody has mended it, and said nothing."""
    path = data / damage.path
    now = path.read_bytes() if path.exists() else None
    if now == damaged or damage.kind in DERIVED:
        return
    if damage.kind in ("current", "blob uses") or now is None:
        assert damage.is_gone  # it is made of the log, and with the next use
        return
    if damage.kind == "manifest" and damage.is_gone:
        assert "manifest is gone, rebuilding it from the logs" in log
        return
    # The end of a log may be torn, and the next line is written behind the cut.
    assert damage.path.endswith(".log"), f"{damage.path} was changed"
    if not now.startswith(damaged):
        assert "dropped the torn last line of a log" in log
        assert damage.path in log


def ways(kind: str) -> list[str]:
    """All, or in one round some."""
    if ROUNDS > 1:
        return list(DAMAGES)
    others = sorted(set(DAMAGES) - {"flip"})
    return ["flip", random.Random(f"{SEED} {kind}").choice(others)]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - ELSEWHERE))
def test_damage_is_told_and_is_nobody_elses(tmp_path, site, kind):
    data = tmp_path / "data"
    damage_each(
        kind,
        ways(kind),
        site.data,
        tmp_path,
        lambda copy, chance: choose(kind, copy, chance),
        lambda _, file: live_with(damage_of(kind, data, file), tmp_path, site),
    )


def live_with(damage: Damage, tmp: pathlib.Path, site: Site) -> None:
    file = tmp / "data" / damage.path
    damaged = None if damage.is_gone else file.read_bytes()
    before = site.readings["film"]
    with running(tmp, site.producers) as server:
        now = read_movie(server.store, "film", before)
        changed = set() if damage.may_differ else check_reading(damage, before, now)
        said = server.kinora.call("verify")
        assert said.returncode in (0, 1)
        is_told = damage.is_named_in(said.stdout)
        if damage.kind in DERIVED:
            assert changed == set() and said.returncode == 0, said.stdout
        elif not damage.may_differ:
            # What is gone, and made anew when it is wanted, need not be told.
            assert is_told or damage.is_gone and not changed, said.stdout

        edit = server.kinora.call("input", "set", "film", 'Story="after"')
        if edit.returncode == 0:
            if not now["inputs"].error:
                assert "after" in server.kinora.ok("input", "list", "film")
        else:
            assert is_told
            assert damage.is_named_in(edit.stderr) or damage.kind == "movie"

        assert read_movie(server.store, "other") == site.readings["other"]
        assert server.store.problems("other") == []
        server.kinora.ok("input", "set", "other", 'Story="after"')
    check_file(damage, tmp / "data", damaged, server.process.whole_log())

    if edit.returncode == 0:
        return
    shutil.copyfile(site.data / damage.path, file)
    with running(tmp, site.producers) as server:
        assert read_movie(server.store, "film", before) == before
        assert server.store.problems("film") == []
        server.kinora.ok("input", "set", "film", 'Story="after"')


# Every line that is left is whole; only the note of the stop tells.
@pytest.mark.parametrize("kind", ["log of inputs", "log of artefacts", "ledger"])
@pytest.mark.parametrize("lost", [1, 2])
def test_lines_cut_off_after_a_stop_are_missed(tmp_path, site, kind, lost):
    shutil.copytree(site.data, tmp_path / "data")
    path = of_kind(tmp_path / "data", kind, "film")[-1]
    file = tmp_path / "data" / path
    lines = file.read_bytes().splitlines(keepends=True)
    last = json.loads(lines[-1])["seq"]
    lost = min(lost, len(lines))
    file.write_bytes(b"".join(lines[:-lost]))
    with running(tmp_path, site.producers) as server:
        said = server.kinora.call("verify", "film")
        assert said.returncode == 1
        ends = (
            f"it ends with record {last - lost}, but {last} was acknowledged, "
            f"as {file.stem}.checkpoint shows"
        )
        assert ends in said.stdout
        assert ends in server.kinora.fails("input", "set", "film", 'Story="after"')
        assert server.store.problems("other") == []
    assert file.read_bytes() == b"".join(lines[:-lost])  # nothing is mended
    file.write_bytes(b"".join(lines))
    with running(tmp_path, site.producers) as server:
        assert server.store.problems("film") == []
        server.kinora.ok("input", "set", "film", 'Story="after"')
