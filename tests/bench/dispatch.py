"""Jobs per second of whole runs, and the time of a plan without work.

The graph: one script, N pictures, N clips, one film (2 N + 2 jobs), outputs
inline, everything durable, `kinora up` with one simulated producer. Each run
is beside GNU make running `true` on the same graph (peers/make_dag.py), which
starts a process per job and makes nothing durable. Pairs are interleaved.
"""

import argparse
import pathlib
import platform
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

from cluster import Kinora, sim, up, write_producers  # noqa: E402
from conftest import FILM, FILM_PRODUCERS  # noqa: E402
from peers import make_dag  # noqa: E402


def measure(kinora: Kinora, blueprint: str, movie: str) -> tuple[float, float]:
    """Seconds of a run of all jobs, and of a plan right after it."""
    kinora.ok("movie", "create", movie, "--blueprint", blueprint)
    kinora.ok("input", "set", movie, 'Story="Call me Ishmael."')
    start = time.monotonic()
    outcome = kinora.run(movie)
    took = time.monotonic() - start
    assert outcome.end == "run.completed", outcome.end
    start = time.monotonic()
    assert kinora.json("plan", movie)["layers"] == []
    return took, time.monotonic() - start


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):8.2f}  ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=7)
    args = parser.parse_args()
    jobs = 2 * args.segments + 2
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        blueprint = tmp / "film.yaml"
        blueprint.write_text(
            FILM.replace("SETTINGS", "{}")
            .replace("maximum: 20", f"maximum: {args.segments}")
            .replace("default: 3", f"default: {args.segments}")
        )
        make_dag.write(tmp, args.segments)
        rates, peers, ratios, plans = [], [], [], []
        with sim(tmp) as process:
            producers = write_producers(
                tmp, process.address, *FILM_PRODUCERS, concurrency=16
            )
            server = up(tmp, producers)
            kinora = Kinora(server.address)
            for pair in range(args.pairs):
                took, plan = measure(kinora, str(blueprint), f"film-{pair}")
                peer = make_dag.run(tmp)
                rates.append(jobs / took)
                peers.append(jobs / peer)
                ratios.append(peer / took)
                plans.append(plan * 1000)
            server.stop()
    print(f"{jobs} jobs, {args.pairs} interleaved pairs, {platform.machine()}")
    print("                              median  (spread)")
    print(f"kinora, durable, jobs/s     {spread(rates)}")
    print(f"make -j2 of true, jobs/s    {spread(peers)}")
    print(f"ratio                       {spread(ratios)}")
    print(f"plan without work, ms       {spread(plans)}")


if __name__ == "__main__":
    main()
