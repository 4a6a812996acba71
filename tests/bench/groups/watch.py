"""Watchers of one run, in the store's process and over gRPC, beside readers of
Redis that block in XREAD. All have seen everything when events are appended."""

import pathlib
import shutil

from bench import Bench
from cluster import up
from contest import Bar, Peer
from peers import redis

WATCHERS = 100
BATCH = 100  # events that are appended at once


def in_process(bench: Bench, scratch: pathlib.Path, events: int) -> float:
    data = scratch / "local"
    shutil.rmtree(data, ignore_errors=True)
    return checked(
        bench.programs.figures(
            "watch_bench",
            mode="local",
            data=data,
            watchers=WATCHERS,
            events=events,
            batch=BATCH,
        ),
        events,
    )


def over_grpc(bench: Bench, scratch: pathlib.Path, events: int) -> float:
    folder = scratch / "up"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    server = up(folder)
    try:
        return checked(
            bench.programs.figures(
                "watch_bench",
                mode="remote",
                server=server.address,
                watchers=WATCHERS,
                events=events,
                batch=BATCH,
            ),
            events,
        )
    finally:
        server.stop()


def xread(bench: Bench, port: int, events: int) -> float:
    return checked(
        bench.programs.figures(
            "xread_bench", port=port, watchers=WATCHERS, entries=events, batch=BATCH
        ),
        events,
    )


def checked(figures: dict[str, float], events: int) -> float:
    assert figures["deliveries"] == events * WATCHERS, figures
    return figures["rate"]


def run(bench: Bench) -> None:
    events = bench.size(50_000, 5_000)
    with bench.scratch("watch") as scratch, redis.server(scratch) as redis_server:

        def readers() -> float:
            return xread(bench, redis_server.port, events)

        name = f"Redis XREAD BLOCK, {WATCHERS} readers"
        bench.compare(
            f"{WATCHERS} watchers of a run, in process",
            "deliveries/s",
            lambda: in_process(bench, scratch, events),
            [Peer(name, readers, Bar(at_least=1))],
            Bar(at_least=500_000),
        )
        # As many connections as the peer's readers have, and a runner between.
        bench.compare(
            f"{WATCHERS} watchers of a run, WatchRun over gRPC",
            "deliveries/s",
            lambda: over_grpc(bench, scratch, events),
            [Peer(name, readers)],
        )
