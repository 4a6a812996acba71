"""Durable appends of events of 300 bytes, beside Redis, PostgreSQL and a bare
gRPC echo of the same size."""

import pathlib

from bench import Bench
from contest import Bar, Peer
from peers import echo, postgres, redis

CALLERS = (1, 16, 64)
LOGS = 64

# For Redis, which is told how many instead of how long: about two seconds.
REDIS_APPENDS = {1: 10_000, 16: 60_000, 64: 100_000}


class Store:
    """A kinora-store, and how often it acknowledged an event."""

    def __init__(self, bench: Bench, scratch: pathlib.Path):
        self._bench = bench
        self._scratch = scratch
        self._acknowledged = 0
        self._process = None

    def start(self):
        return self._bench.programs.server(
            "kinora-store",
            self._scratch / "store.log",
            data=self._scratch / "store",
            listen="127.0.0.1:0",
        )

    def use(self, process) -> None:
        self._process = process

    def append(self, mode: str, callers: int, logs: int = 1) -> float:
        figures = self._bench.programs.figures(
            "append_bench",
            store=self._process.address,
            mode=mode,
            callers=callers,
            logs=logs,
            duration=f"{self._bench.seconds}s",
        )
        self._acknowledged += figures["things"]
        return figures["rate"]

    def check_after_a_crash(self) -> None:
        """Every acknowledged event is there after a SIGKILL."""
        self._process.kill()
        with self.start() as process:
            events = self._bench.programs.figures(
                "append_bench", store=process.address, mode="count", logs=LOGS
            )["events"]
        assert events == self._acknowledged, (
            f"{events} events after a crash, {self._acknowledged} acknowledged"
        )


def run(bench: Bench) -> None:
    with (
        bench.scratch("appends") as scratch,
        echo.server(bench.programs, scratch) as bare,
        redis.server(scratch) as redis_server,
        postgres.server(scratch) as postgres_server,
    ):
        store = Store(bench, scratch)
        with store.start() as process:
            store.use(process)
            for callers in CALLERS:
                _unary(bench, store, callers, bare)
                _client(bench, store, callers, redis_server, postgres_server)
            _many_logs(bench, store)
            _bulk(bench, store, redis_server)
            store.check_after_a_crash()


def _callers(count: int) -> str:
    return f"{count} callers" if count > 1 else "1 caller"


def _unary(bench, store, callers, bare):
    bench.compare(
        f"(a) unary, {_callers(callers)}",
        "events/s",
        lambda: store.append("unary", callers),
        [
            Peer(
                "bare gRPC echo",
                lambda: bare.rate(
                    "unary", callers=callers, duration=f"{bench.seconds}s"
                ),
                Bar(at_least=0.6) if callers > 1 else None,
            ),
        ],
    )


def _client(bench, store, callers, redis_server, postgres_server):
    requests = REDIS_APPENDS[callers] // bench.size(1, 8)
    bench.compare(
        f"(b) C++ client, {_callers(callers)}",
        "events/s",
        lambda: store.append("client", callers),
        [
            Peer(
                "Redis XADD",
                lambda: redis_server.append(callers, requests),
                Bar(at_least=1.0) if callers == 64 else None,
            ),
            Peer(
                "PostgreSQL INSERT",
                lambda: postgres_server.append(callers, bench.seconds),
                Bar(at_least=2.0) if callers == 64 else None,
            ),
        ],
    )


def _many_logs(bench, store):
    bench.compare(
        f"(b) C++ client, 64 callers on {LOGS} logs",
        "events/s",
        lambda: store.append("client", 64, LOGS),
        [
            Peer(
                "ours on one log",
                lambda: store.append("client", 64),
                Bar(at_least=0.8),
            )
        ],
    )


def _bulk(bench, store, redis_server):
    requests = 400_000 // bench.size(1, 8)
    bench.compare(
        "(c) bulk, 1,000 events a call, 16 callers",
        "events/s",
        lambda: store.append("bulk", 16),
        [
            Peer(
                "Redis XADD, 16 × 64 pipelined",
                lambda: redis_server.append(16, requests, pipeline=64),
                Bar(at_least=1.3),
            ),
        ],
    )
    bench.compare(
        f"(c) bulk on {LOGS} logs",
        "events/s",
        lambda: store.append("bulk", 16, LOGS),
        [Peer("ours on one log", lambda: store.append("bulk", 16))],
    )
