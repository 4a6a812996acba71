"""Followers that replay a log from its beginning and then follow it live, in
the store's process and over gRPC, beside Redis XRANGE."""

import pathlib
import shutil

from bench import Bench
from contest import Bar, Peer
from peers import redis

FOLLOWERS = 16


class Followers:
    """Followers of copies of one log: each measurement appends to its log, so
    none gets the copy of another."""

    def __init__(self, bench: Bench, scratch: pathlib.Path, events: int):
        self._bench = bench
        self._scratch = scratch
        self._events = events
        self._whole = scratch / "whole"
        bench.programs.figures(
            "follow_bench", mode="fill", data=self._whole, events=events
        )

    def _checked(self, figures: dict[str, float]) -> float:
        # The movie's blueprint is an event, too.
        assert figures["events"] == self._events + 1, figures
        return figures["rate"]

    def _copy(self) -> pathlib.Path:
        copy = self._scratch / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self._whole, copy)
        return copy

    def in_process(self, followers: int) -> float:
        return self._checked(
            self._bench.programs.figures(
                "follow_bench", mode="local", data=self._copy(), followers=followers
            )
        )

    def over_grpc(self, followers: int) -> float:
        with self._bench.programs.server(
            "kinora-store",
            self._scratch / "store.log",
            data=self._copy(),
            listen="127.0.0.1:0",
        ) as process:
            return self._checked(
                self._bench.programs.figures(
                    "follow_bench",
                    mode="remote",
                    store=process.address,
                    followers=followers,
                )
            )


def run(bench: Bench) -> None:
    events = bench.size(1_000_000, 50_000)
    with bench.scratch("follow") as scratch, redis.server(scratch) as redis_server:
        redis_server.append(16, bench.size(200_000, 20_000), pipeline=64)
        replay = Peer(
            "Redis XRANGE, 1 reader",
            lambda: redis_server.replay(bench.size(1000, 100)),
        )
        ours = Followers(bench, scratch, events)
        bench.compare(
            f"1 follower of {events:,} events, in process",
            "events/s",
            lambda: ours.in_process(1),
            [replay],
            Bar(at_least=1_000_000),
        )
        bench.compare(
            f"1 follower of {events:,} events, over gRPC",
            "events/s",
            lambda: ours.over_grpc(1),
            [replay],
            Bar(at_least=300_000),
        )
        # Long, and without a peer that could drift away.
        fewer = min(bench.rounds, 3)
        bench.compare(
            f"{FOLLOWERS} followers, in process, together",
            "events/s",
            lambda: ours.in_process(FOLLOWERS),
            rounds=fewer,
        )
        bench.compare(
            f"{FOLLOWERS} followers, over gRPC, together",
            "events/s",
            lambda: ours.over_grpc(FOLLOWERS),
            rounds=fewer,
        )
