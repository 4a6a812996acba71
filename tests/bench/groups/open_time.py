"""How long it takes to open a store and use its log at once, by the log's
length: with a checkpoint it must hardly depend on it."""

from bench import Bench
from contest import Bar, Peer


def run(bench: Bench) -> None:
    short, long = bench.size(1_000_000, 10_000), bench.size(10_000_000, 100_000)
    with bench.scratch("open") as scratch:

        def fill(events: int) -> None:
            bench.programs.figures(
                "open_bench", mode="fill", data=scratch / str(events), events=events
            )

        def milliseconds(events: int) -> float:
            figures = bench.programs.figures(
                "open_bench", mode="open", data=scratch / str(events)
            )
            assert figures["events"] >= events, figures
            return figures["seconds"] * 1000

        fill(short)
        fill(long)
        bench.compare(
            f"open with {long:,} events",
            "ms",
            lambda: milliseconds(long),
            [Peer(f"with {short:,}", lambda: milliseconds(short), Bar(at_most=1.5))],
        )
