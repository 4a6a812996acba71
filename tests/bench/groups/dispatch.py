"""Jobs per second of whole runs, and the time of a plan without work.

The graph: one script, N pictures, N clips, one film (2 N + 2 jobs), outputs
inline, everything durable, `kinora up` with one simulated producer. Each run
is beside GNU make running `true` on the same graph (peers/make_dag.py), which
starts a process per job and makes nothing durable.
"""

import itertools
import time

from bench import Bench
from cluster import Kinora, sim, up, write_producers
from conftest import FILM, FILM_PRODUCERS
from contest import Peer
from peers import make_dag


class Runs:
    """Runs of new movies, all alike."""

    def __init__(self, kinora: Kinora, blueprint: str, jobs: int):
        self._kinora = kinora
        self._blueprint = blueprint
        self._jobs = jobs
        self._movies = map("film-{}".format, itertools.count())
        self._latest = ""

    def rate(self) -> float:
        """Jobs per second of a run of all jobs."""
        movie = self._latest = next(self._movies)
        self._kinora.ok("movie", "create", movie, "--blueprint", self._blueprint)
        self._kinora.ok("input", "set", movie, 'Story="Call me Ishmael."')
        start = time.monotonic()
        outcome = self._kinora.run(movie)
        took = time.monotonic() - start
        assert outcome.end == "run.completed", outcome.end
        assert len(outcome.finished) == self._jobs, len(outcome.finished)
        return self._jobs / took

    def plan_ms(self) -> float:
        """A plan of the movie just made, with nothing to do."""
        start = time.monotonic()
        assert self._kinora.json("plan", self._latest)["layers"] == []
        return (time.monotonic() - start) * 1000


def run(bench: Bench) -> None:
    segments = bench.size(500, 20)
    jobs = 2 * segments + 2
    with bench.scratch("dispatch") as scratch:
        blueprint = scratch / "film.yaml"
        blueprint.write_text(
            FILM.replace("SETTINGS", "{}")
            .replace("maximum: 20", f"maximum: {segments}")
            .replace("default: 3", f"default: {segments}")
        )
        make_dag.write(scratch, segments)
        with sim(scratch) as process:
            producers = write_producers(
                scratch, process.address, *FILM_PRODUCERS, concurrency=16
            )
            server = up(scratch, producers)
            try:
                runs = Runs(Kinora(server.address), str(blueprint), jobs)
                bench.compare(
                    f"run of {jobs} jobs",
                    "jobs/s",
                    runs.rate,
                    [Peer("make -j2 of true", lambda: jobs / make_dag.run(scratch))],
                )
                bench.compare("plan without work", "ms", runs.plan_ms)
            finally:
                server.stop()
