"""Garbage collection of a movie with a million blobs, one in a hundred of which
is reachable. A figure without a peer or a bar."""

from bench import Bench


def run(bench: Bench) -> None:
    blobs = bench.size(1_000_000, 10_000)
    with bench.scratch("gc") as scratch:

        def rate(mode: str) -> float:
            figures = bench.programs.figures(
                "gc_bench",
                mode=mode,
                data=scratch / "store",
                blobs=blobs,
                named=blobs // 100,
            )
            return figures["rate" if mode != "fill" else "seconds"]

        rate("fill")
        bench.compare(f"dry run over {blobs:,} blobs", "blobs/s", lambda: rate("dry"))
        # What is collected is gone: once is all there is.
        bench.compare(
            f"collection over {blobs:,} blobs",
            "blobs/s",
            lambda: rate("collect"),
            rounds=1,
            warm_up=False,
        )
