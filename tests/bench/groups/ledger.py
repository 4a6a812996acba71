"""Reducing ledger events to the state of a run, in process and on one core: of a
run with many jobs, and of one with so few that all of it stays in the cache."""

from bench import Bench
from contest import Bar, Peer

EVENTS_PER_SECOND = 1_000_000


def run(bench: Bench) -> None:
    many = bench.size(40_000, 4_000)

    def rate(jobs: int) -> float:
        return bench.programs.figures(
            "ledger_bench", jobs=jobs, duration=f"{bench.seconds}s"
        )["rate"]

    bench.compare(
        f"reduce, a run of {many:,} jobs",
        "events/s",
        lambda: rate(many),
        [Peer("a run of 100 jobs", lambda: rate(100))],
        bar=Bar(at_least=EVENTS_PER_SECOND),
    )
