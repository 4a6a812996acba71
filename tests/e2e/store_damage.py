"""Damages to the files of a store, and the kinds of files that there are."""

from __future__ import annotations

import os
import pathlib
import random
import re
import shutil
from typing import Callable, Iterable

# What is damaged, where and how, is chosen by the seed, so many times over.
SEED = int(os.environ.get("KINORA_DAMAGE_SEED", "1"))
ROUNDS = int(os.environ.get("KINORA_DAMAGES", "1"))

# Every file that a store writes, below its directory, by kind. What a run, a
# revision or a movie is called is left open; MOVIE is the one to be damaged.
KINDS = {
    "movie": r"builds/MOVIE/movie\.json",
    "current": r"builds/MOVIE/current\.json",
    "retention": r"builds/MOVIE/retention\.json",
    "blob uses": r"builds/MOVIE/blob-uses\.json",
    "manifest": r"builds/MOVIE/manifests/rev-\d{4}\.json",
    "blob": r"builds/MOVIE/blobs/\w\w/\w{64}",
    "log of inputs": r"builds/MOVIE/events/inputs\.log",
    "log of artefacts": r"builds/MOVIE/events/artefacts\.log",
    "archive of inputs": r"builds/MOVIE/events/rev-\d{4}\.inputs\.jsonl",
    "archive of artefacts": r"builds/MOVIE/events/rev-\d{4}\.artefacts\.jsonl",
    "kept inputs": r"builds/MOVIE/events/inputs\.checkpoint\.rev-\d{4}\.json",
    "kept artefacts": r"builds/MOVIE/events/artefacts\.checkpoint\.rev-\d{4}\.jsonl",
    "log checkpoint": r"builds/MOVIE/events/(inputs|artefacts)\.checkpoint",
    "index": r"builds/MOVIE/index/(inputs|artefacts)-\d+-\d+\.index",
    "plan": r"builds/MOVIE/runs/plans/\w{64}\.json",
    "plan of a revision": r"builds/MOVIE/runs/rev-\d{4}-plan\.json",
    "progress": r"builds/MOVIE/runs/rev-\d{4}-progress\.json",
    "run record": r"builds/MOVIE/runs/run-\w+/record\.json",
    "ledger": r"builds/MOVIE/runs/run-\w+/ledger\.log",
    "ledger checkpoint": r"builds/MOVIE/runs/run-\w+/ledger\.checkpoint",
    "metrics": r"builds/MOVIE/metrics/aggregates\.json",
    "prompt": r"builds/MOVIE/prompts/.+",
    "large text": r"builds/MOVIE/artifacts/text/.+\.txt",
    "run's movie": r"index/runs/run-\w+",
    "open run": r"index/open-runs/run-\w+",
    "movie lease": r"leases/movie/MOVIE\.json",
    "run lease": r"leases/run/run-\w+\.json",
    "step lease": r"leases/run/run-\w+/.+\.json",
    "journal": r"journal/\d{10}\.wal",
    "lock": r"journal/LOCK",
    "saved graph": r"planner-cache/[\w-]+\.hydrated",
}


def kind_of(path: str) -> str | None:
    """Of a path below the store's directory, whatever its movie."""
    for kind, pattern in KINDS.items():
        if re.fullmatch(pattern.replace("MOVIE", r"[a-z0-9][\w-]*"), path):
            return kind
    return None


def files_of(data: pathlib.Path) -> list[str]:
    return sorted(
        str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()
    )


def of_kind(data: pathlib.Path, kind: str, movie: str) -> list[str]:
    """Files with something in them."""
    pattern = KINDS[kind].replace("MOVIE", movie)
    return [
        path
        for path in files_of(data)
        if re.fullmatch(pattern, path) and (data / path).stat().st_size
    ]


def flip(path: pathlib.Path, chance: random.Random) -> str:
    """One bit, anywhere."""
    data = bytearray(path.read_bytes())
    place, bit = chance.randrange(len(data)), chance.randrange(8)
    data[place] ^= 1 << bit
    path.write_bytes(data)
    return f"bit {bit} of byte {place} flipped"


def truncate(path: pathlib.Path, chance: random.Random) -> str:
    data = path.read_bytes()
    size = chance.randrange(len(data))
    path.write_bytes(data[:size])
    return f"cut from {len(data)} to {size} bytes"


def empty(path: pathlib.Path, chance: random.Random) -> str:
    path.write_bytes(b"")
    return "emptied"


def zero(path: pathlib.Path, chance: random.Random) -> str:
    """A page that the disk lost."""
    data = bytearray(path.read_bytes())
    start = chance.randrange(len(data)) // 512 * 512
    data[start : start + 512] = bytes(len(data[start : start + 512]))
    path.write_bytes(data)
    return f"zeros from {start}"


def remove(path: pathlib.Path, chance: random.Random) -> str:
    path.unlink()
    return "removed"


DAMAGES = {d.__name__: d for d in (flip, truncate, empty, zero, remove)}


def damage_each(
    what: str,
    ways: Iterable[str],
    kept: pathlib.Path,
    tmp: pathlib.Path,
    choose: Callable[[pathlib.Path, random.Random], pathlib.Path],
    live_with: Callable[[str, pathlib.Path], None],
) -> None:
    """For each of the ways, ROUNDS times: makes `tmp`/data a copy of the store
    that is kept, damages the file of it that `choose` answers, and calls
    `live_with` with the way and the file. If that fails it is told which damage
    it was, and the seed; `what` makes the choices others than elsewhere."""
    data = tmp / "data"
    for turn in range(ROUNDS):
        for way in ways:
            shutil.rmtree(data, ignore_errors=True)
            shutil.copytree(kept, data)
            chance = random.Random(f"{SEED} {what} {way} {turn}")
            file = choose(data, chance)
            done = DAMAGES[way](file, chance)
            try:
                live_with(way, file)
            except Exception as error:
                error.add_note(f"seed {SEED}: {file.relative_to(data)} {done}")
                raise
