"""What a group of benchmarks is given: programs, scratch space, contests."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import shutil
import sys
import time

import report
from contest import Bar, Measure, Peer, Result, hold
from programs import ROOT, Programs

OUT = ROOT / "out/bench"


@dataclasses.dataclass
class Bench:
    """What a group is given."""

    programs: Programs
    quick: bool
    rounds: int
    group: str = ""
    results: list[Result] = dataclasses.field(default_factory=list)

    def size(self, full: int, quick: int) -> int:
        """How much of something to take."""
        return quick if self.quick else full

    @property
    def seconds(self) -> float:
        """How long to measure a rate."""
        return 0.4 if self.quick else 2

    @contextlib.contextmanager
    def scratch(self, name: str):
        """An empty folder, gone afterwards."""
        folder = OUT / "scratch" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def compare(
        self,
        name: str,
        unit: str,
        ours: Measure,
        peers: list[Peer] = [],
        bar: Bar | None = None,
        rounds: int | None = None,
        warm_up: bool = True,
    ) -> None:
        start = time.monotonic()
        result = hold(
            self.group, name, unit, ours, peers, bar, rounds or self.rounds, warm_up
        )
        self.results.append(result)
        for row in report.rows(result):
            print(row, flush=True)
        took = time.monotonic() - start
        print(f"  ({took:.0f} s)", file=sys.stderr, flush=True)
