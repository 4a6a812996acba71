"""Runs the benchmarks beside their peers and writes out/bench/results.md and
results.json. See README.md."""

import argparse
import importlib
import os
import pathlib
import platform
import sys
import traceback

import report
from bench import OUT, Bench
from programs import Programs

# In the order in which they run; each is a module of groups/ with run(bench).
GROUPS = [
    "appends",
    "blobs",
    "follow",
    "watch",
    "open_time",
    "gc",
    "ledger",
    "runs",
    "plan",
]


def machine() -> dict:
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(": ")[2] for line in cpuinfo if "model name" in line]
    return {
        "cores": os.cpu_count(),
        "processor": models[0] if models else platform.machine(),
        "load before": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=" ".join(GROUPS))
    parser.add_argument("--quick", action="store_true", help="a smoke test")
    parser.add_argument("--pairs", type=int, help="rounds that count (7; quick: 2)")
    parser.add_argument("--programs", type=pathlib.Path, default=OUT / "bin")
    args = parser.parse_args()
    unknown = set(args.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no group {unknown.pop()!r}; there are {' '.join(GROUPS)}")
    facts = machine()
    if facts["load before"] > 0.3 * facts["cores"] and not args.quick:
        print(f"the machine is busy (load {facts['load before']})", file=sys.stderr)
    rounds = args.pairs or (2 if args.quick else 7)
    bench = Bench(Programs(args.programs), args.quick, rounds)
    print(report.HEADER, flush=True)
    failed = []
    for group in args.groups or GROUPS:
        bench.group = group
        try:
            importlib.import_module(f"groups.{group}").run(bench)
        except Exception:  # the others still run
            traceback.print_exc()
            failed.append(group)
    facts["rounds"] = rounds
    facts["quick"] = args.quick
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "results.json").write_text(report.as_json(bench.results, facts))
    table = report.markdown(bench.results, facts)
    (OUT / "results.md").write_text(table)
    print("\n" + table)
    if failed:
        sys.exit(f"failed: {' '.join(failed)}")


if __name__ == "__main__":
    main()
