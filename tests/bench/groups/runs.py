"""Whole runs through simulated producers, everything durable, beside BullMQ,
Restate, DBOS and ninja; how soon a job is called; what a run of any size costs;
and what it takes to go on with one."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import time

from bench import Bench
from cluster import BIN, Kinora, Process, Separate, sim, write_producers
from contest import Bar, Peer
from films import PRODUCERS, Chains, Skewed
from peers import bullmq, dbos, ninja_dag, postgres, redis, restate

CONCURRENCY = 64


class Installation:
    """Kinora over one simulated producer, as one process or as three."""

    def __init__(self, scratch: pathlib.Path, producers: pathlib.Path, separate: bool):
        self._scratch = scratch
        self._producers = producers
        self._names = map("film-{}".format, itertools.count())
        scratch.mkdir()
        self._data = scratch / "data"
        self._separate = separate
        self.start()

    def start(self) -> None:
        if self._separate:
            self._server = Separate(self._scratch, self._producers)
            self.kinora = self._server.kinora
            return
        argv = [BIN / "kinora", "up", "--listen", "127.0.0.1:0"]
        argv += ["--data", self._data, "--producers", self._producers]
        argv += ["--lease-seconds", "2"]
        self._server = Process([str(word) for word in argv], self._scratch / "up.log")
        self.kinora = Kinora(self._server.address)

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        self._server.kill()

    @property
    def peak_mib(self) -> float:
        """The most memory the process has ever had resident."""
        return self._server.peak_mib

    def movie(self, blueprint: str) -> str:
        """A new movie of it, with nothing made yet."""
        name = next(self._names)
        file = self._scratch / "film.yaml"
        file.write_text(blueprint)
        self.kinora.ok("movie", "create", name, "--blueprint", str(file))
        self.kinora.ok("input", "set", name, f'Story="Call me {name}."')
        return name

    def seconds(self, movie: str, jobs: int, *flags: str) -> float:
        """A run from the command to its end."""
        start = time.monotonic()
        with self.kinora.start("run", movie, *flags) as process:
            process.stdout.read()
        took = time.monotonic() - start
        assert process.returncode == 0, process.returncode
        self._check(movie, jobs)
        return took

    def _check(self, movie: str, jobs: int) -> None:
        run = self.kinora.json("runs", "list", "--movie", movie)["runs"][0]
        assert run["status"] == "completed", run
        assert run["jobs"]["succeeded"] == jobs, run

    def ledger(self, movie: str) -> list[dict]:
        (run,) = (self._data / "builds" / movie / "runs").glob("run-*")
        lines = (run / "ledger.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def wait_for_film(self, run_id: str) -> None:
        """Until the job is called that reads all others."""
        with self.kinora.start("runs", "watch", run_id, "--json") as watch:
            for line in watch.stdout:
                if '"stepId":"Film"' in line and '"step.started"' in line:
                    break
            else:
                raise AssertionError(watch.stderr.read())
            watch.kill()

    def finished(self, movie: str) -> int:
        """Jobs that the ledger says have ended."""
        runs = self._data / "builds" / movie / "runs"
        done = subprocess.run(
            ["grep", "-c", "step.completed", *runs.glob("run-*/ledger.log")],
            capture_output=True,
            text=True,
        )
        return int(done.stdout or 0)


@contextlib.contextmanager
def installation(scratch, producers, name: str, separate: bool = False):
    ours = Installation(scratch / name, producers, separate)
    try:
        yield ours
    finally:
        ours.stop()


def rate(ours: Installation, film: Chains) -> float:
    """Jobs per second."""
    return film.jobs / ours.seconds(ours.movie(film.blueprint), film.jobs)


def throughput(bench: Bench, scratch: pathlib.Path, producers: pathlib.Path) -> float:
    """Jobs per second of one process, beside the peers."""
    segments = bench.size(1666, 20)
    film = Chains(segments)
    blobs = Chains(segments, settings={"bytes": 65536}, film_settings={"bytes": 65536})
    workflows, steps = 16, bench.size(100, 5)
    with contextlib.ExitStack() as servers:
        queue = servers.enter_context(redis.server(scratch))
        database = servers.enter_context(postgres.server(scratch))
        durable = servers.enter_context(restate.server(scratch))
        ninja = ninja_dag.Ninja(scratch / "ninja", segments, film.stages)
        one = servers.enter_context(installation(scratch, producers, "one"))
        three = servers.enter_context(
            installation(scratch, producers, "three", separate=True)
        )
        bench.compare(
            f"run of {film.jobs:,} jobs, one process, inline outputs",
            "jobs/s",
            lambda: rate(one, film),
            [
                Peer(
                    "BullMQ flow",
                    lambda: bullmq.flow(queue, segments, film.stages, CONCURRENCY),
                    Bar(at_least=1.5),
                ),
                Peer(
                    f"Restate, {workflows} × {steps} steps",
                    lambda: durable.workflows(workflows, steps),
                    Bar(at_least=1.5),
                ),
                Peer(
                    "DBOS, 16 × 625 steps",
                    lambda: dbos.workflows(database, 16, bench.size(625, 5)),
                    Bar(at_least=3),
                ),
                Peer("ninja -j2 of true", ninja.rate, Bar(at_least=2)),
            ],
        )
        jobs_per_second = bench.results[-1].median
        bench.compare(
            f"run of {film.jobs:,} jobs, three processes, inline outputs",
            "jobs/s",
            lambda: rate(three, film),
            [Peer("one process", lambda: rate(one, film), Bar(at_least=0.6))],
        )
        bench.compare(
            f"run of {film.jobs:,} jobs, one process, blobs of 64 KiB",
            "jobs/s",
            lambda: rate(one, blobs),
            [Peer("inline outputs", lambda: rate(one, film))],
            rounds=min(bench.rounds, 3),
        )
        bench.compare(
            "memory of the one process, at most", "MiB", lambda: one.peak_mib, rounds=1
        )
    return jobs_per_second


def delays_ms(ledger: list[dict], film: Chains) -> list[float]:
    """From the end of the last job that a job reads to its call."""
    ended = {
        event["stepId"]: event["occurredAt"]
        for event in ledger
        if event["type"] == "step.completed"
    }
    return [
        event["occurredAt"] - max(map(ended.get, reads))
        for event in ledger
        if event["type"] == "step.started" and (reads := film.read_by(event["stepId"]))
    ]


def latency(bench: Bench, scratch, producers, jobs_per_second: float) -> None:
    """How soon jobs are called at half the load that there can be."""
    delay_ms = round(2000 * CONCURRENCY / jobs_per_second)
    film = Chains(CONCURRENCY, settings={"delay_ms": delay_ms})
    with installation(scratch, producers, "latency") as ours:

        def delays() -> list[float]:
            movie = ours.movie(film.blueprint)
            ours.seconds(movie, film.jobs)
            return sorted(delays_ms(ours.ledger(movie), film))

        bench.compare(
            "last dependency done to call, half load, median",
            "ms",
            lambda: statistics.median(delays()),
        )
        bench.compare(
            "last dependency done to call, half load, p99",
            "ms",
            lambda: statistics.quantiles(delays(), n=100)[98],
            bar=Bar(at_most=10),
        )


def makespan(bench: Bench, scratch, sim_address: str) -> None:
    """A film whose longest path takes as long as all else together."""
    places = 8
    links = bench.size(20, 4)
    film = Skewed(links, link_ms=200, shorts=20 * links, short_ms=50)
    folder = scratch / "skewed"
    folder.mkdir()
    table = write_producers(folder, sim_address, *PRODUCERS, concurrency=places)
    with installation(folder, table, "installation") as ours:

        def seconds(*flags: str) -> float:
            return ours.seconds(ours.movie(film.blueprint), film.jobs, *flags)

        bench.compare(
            "makespan of a skewed film",
            "s",
            seconds,
            [
                Peer(
                    "its critical path",
                    lambda: film.critical_path_s,
                    Bar(at_most=1.1),
                ),
                Peer("layered", lambda: seconds("--dispatch", "layered")),
            ],
            rounds=min(bench.rounds, 3),
        )


def growth(bench: Bench, scratch, producers) -> None:
    """What a job costs in a run of 10^5 jobs, beside one of 10^3."""
    large = Chains(bench.size(16_666, 166))
    small = Chains(bench.size(166, 16))
    with installation(scratch, producers, "growth") as ours:
        bench.compare(
            f"time per job, run of {large.jobs:,} jobs",
            "ms",
            lambda: 1000 / rate(ours, large),
            [
                Peer(
                    f"run of {small.jobs:,} jobs",
                    lambda: 1000 / rate(ours, small),
                    Bar(at_most=1.3),
                )
            ],
            rounds=1,
            warm_up=False,
        )


def resume(bench: Bench, scratch, producers) -> None:
    """Going on with a run of which all but the last job has finished, from the
    start of the process: until that job is called again, and until the run's
    end, with the commit of all results. Beside a whole run."""
    slow_once = {"delay_ms": 600_000, "slow_attempts": 1}
    film = Chains(bench.size(16_666, 166), film_settings=slow_once)
    with installation(scratch, producers, "resume") as ours:
        whole_film = Chains(film.segments)
        whole = ours.seconds(ours.movie(whole_film.blueprint), film.jobs)
        movie = ours.movie(film.blueprint)
        run_id = ours.kinora.json("run", movie, "--detach")["run"]["runId"]
        ours.wait_for_film(run_id)
        assert ours.finished(movie) == film.jobs - 1
        told = len(ours.ledger(movie))
        ours.kill()
        clock = time.time()
        start = time.monotonic()
        ours.start()
        runs = ours.kinora.json("runs", "list", "--movie", movie)["runs"]
        assert len(runs) == 1, runs
        ours.kinora.ok("runs", "watch", runs[0]["runId"], "--after", str(told))
        ended = time.monotonic() - start
        assert ours.finished(movie) == film.jobs
        called = max(
            event["occurredAt"]
            for event in ours.ledger(movie)
            if event["type"] == "step.started"
        )
    for what, seconds, bar in (
        ("until it is called", called / 1000 - clock, Bar(at_most=0.1)),
        ("until the run's end", ended, None),
    ):
        bench.compare(
            f"going on with a run of {film.jobs:,} jobs, one left: {what}",
            "s",
            lambda seconds=seconds: seconds,
            [Peer("running it", lambda: whole, bar)],
            rounds=1,
            warm_up=False,
        )


def run(bench: Bench) -> None:
    os.environ.setdefault("RESTATE_DISABLE_TELEMETRY", "true")
    with bench.scratch("runs") as scratch, sim(scratch) as process:
        producers = write_producers(
            scratch, process.address, *PRODUCERS, concurrency=CONCURRENCY
        )
        jobs_per_second = throughput(bench, scratch, producers)
        latency(bench, scratch, producers, jobs_per_second)
        makespan(bench, scratch, process.address)
        growth(bench, scratch, producers)
        resume(bench, scratch, producers)
