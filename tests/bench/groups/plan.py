"""Plans of one graph beside ninja and GNU make: one script, N segments of six
stages, one film, read at once (flat) or through a tree of at most 64 branches.
From a cold process to the printed summary, with peak memory."""

import pathlib

from bench import Bench
from contest import Bar, Peer
from peers import build_tools
from programs import measured

# A x B x C segments; a tree has A acts of B scenes of C clips.
SIZES = {10**4: "4,7,60", 10**5: "5,52,64", 10**6: "41,64,64"}


class Graph:
    """One graph: as a movie in a store, and as files."""

    def __init__(self, bench: Bench, scratch: pathlib.Path, jobs: int, fan_in: str):
        self._bench = bench
        self._program = bench.programs.path("plan_bench")
        self._flags = [f"--sizes={SIZES[jobs]}", f"--fan_in={fan_in}"]
        self.name = f"{fan_in}, 10^{len(str(jobs)) - 1} jobs"
        self.store = scratch / f"store-{fan_in}-{jobs}"
        self.files = scratch / f"files-{fan_in}-{jobs}"
        self.cache = scratch / f"cache-{fan_in}-{jobs}"
        self.store.mkdir()
        self.files.mkdir()
        self._call("fill", self.store)
        self._call("peers", self.files)
        # The first plan leaves the graph in the cache.
        self.plan("none", cached=True)

    def _call(self, mode: str, data: pathlib.Path, **flags: object):
        argv = [self._program, f"--mode={mode}", f"--data={data}", *self._flags]
        argv += [f"--{flag}={value}" for flag, value in flags.items()]
        return measured(argv)

    def plan(self, edit: str, cached: bool):
        cache = self.cache if cached else ""
        return self._call("plan", self.store, edit=edit, cache=cache)

    def warm(self) -> dict[str, float]:
        return self._call("warm", self.store).figures()


def compare(bench: Bench, graph: Graph, edit: str, bars: dict) -> None:
    """Time and memory of one edit, by JSON alone and by the cache."""
    with build_tools.edited(graph.files, edit):
        for cached in (False, True):
            how = "saved graph" if cached else "JSON alone"
            ninja = bars.get((how, "ninja"))
            make = bars.get((how, "make"))
            peers = [
                Peer("ninja -n", lambda: build_tools.ninja(graph.files).seconds, ninja),
                Peer("make -rRn", lambda: build_tools.make(graph.files).seconds, make),
            ]
            bench.compare(
                f"{graph.name}: {edit}, {how}",
                "s",
                lambda: graph.plan(edit, cached).seconds,
                # make has no cache to be compared with.
                peers[: 1 if cached else 2],
            )
            bench.compare(
                f"{graph.name}: {edit}, {how}, peak memory",
                "MiB",
                lambda: graph.plan(edit, cached).peak_mib,
                [
                    Peer(
                        "ninja -n",
                        lambda: build_tools.ninja(graph.files).peak_mib,
                        bars.get("memory"),
                    )
                ],
                rounds=1,
                warm_up=False,
            )


def replan(bench: Bench, graph: Graph, bar: Bar | None) -> None:
    """One process plans cold, then edits a prompt and plans again and again."""
    bench.compare(
        f"{graph.name}: re-plan of one edited input",
        "ms",
        lambda: graph.warm()["warm_seconds"] * 1000,
        [
            Peer(
                "1/1000 of its cold plan",
                lambda: graph.warm()["cold_seconds"],
                bar,
            )
        ],
    )


def run(bench: Bench) -> None:
    scales = [10**4] if bench.quick else [10**4, 10**5, 10**6]
    with bench.scratch("plan") as scratch:
        graphs = {}
        for jobs in scales:
            # Bars hold where they were set: for the large graphs.
            large = jobs >= 10**5
            graph = Graph(bench, scratch, jobs, "tree")
            little = {
                ("JSON alone", "ninja"): Bar(at_most=1 / 2),
                ("saved graph", "ninja"): Bar(at_most=1 / 5),
                "memory": Bar(at_most=1),
            }
            for edit in ("none", "leaf"):
                compare(bench, graph, edit, little if large else {})
            root = {
                (how, peer): Bar(at_most=1 / 5)
                for how in ("JSON alone", "saved graph")
                for peer in ("ninja", "make")
            } | {"memory": Bar(at_most=1)}
            compare(bench, graph, "root", root if jobs == 10**6 else {})
            graphs[jobs] = graph
            replan(bench, graph, Bar(at_most=1) if jobs == 10**6 else None)
        if 10**6 in graphs:
            bench.compare(
                "growth of a plan without work, 10^6 jobs",
                "s",
                lambda: graphs[10**6].plan("none", cached=False).seconds,
                [
                    Peer(
                        "10^5 jobs",
                        lambda: graphs[10**5].plan("none", cached=False).seconds,
                        Bar(at_most=12),
                    )
                ],
            )
        jobs = scales[-1]
        flat = Graph(bench, scratch, jobs, "flat")
        with build_tools.edited(flat.files, "root"):
            # ninja takes minutes for this at 10^6 jobs.
            bench.compare(
                f"{flat.name}: root, JSON alone",
                "s",
                lambda: flat.plan("root", cached=False).seconds,
                [
                    Peer(
                        "ninja -n",
                        lambda: build_tools.ninja(flat.files).seconds,
                        Bar(at_most=1 / 20) if jobs == 10**6 else None,
                    )
                ],
                rounds=1,
                warm_up=False,
            )
