"""Two runners over one store, each with a link of its own to it, and the film that
they make: what must hold of it however the links were."""

from __future__ import annotations

import collections
import json
import os
import pathlib
import re
import select
import time
import urllib.request

from cluster import BIN, Kinora, Process, metrics_address, write_producers
from cut_proxy import CutProxy

PATIENCE_S = 60

# One script, six chains of six jobs, and a fan-in.
SEGMENTS = 6
STAGES = 6
JOBS = SEGMENTS * STAGES + 2
PRODUCERS = ("script", "stage", "film")

ENDS = ("run.completed", "run.failed", "run.cancelled")


def blueprint() -> str:
    lines = [
        "blueprint: cuts",
        "inputs: {Story: {type: text}}",
        f"dimensions: {{segment: {{size: {SEGMENTS}}}}}",
        "nodes:",
        "  Script:",
        "    producer: script",
        '    inputs: {story: "Input:Story"}',
        "    outputs: {Outline: text/plain}",
    ]
    read = "Outline"
    for stage in range(STAGES):
        lines += [
            f"  Stage{stage}:",
            "    producer: stage",
            "    over: [segment]",
            "    settings: {delay_ms: 120, log_lines: 1}",
            f'    inputs: {{from: "{read}"}}',
            f"    outputs: {{Made{stage}: text/plain}}",
        ]
        read = f"Made{stage}[segment]"
    lines += [
        "  Film:",
        "    producer: film",
        f'    inputs: {{clips: {{all: "{read}"}}}}',
        "    outputs: {Film: text/plain}",
        "outputs: [Film]",
    ]
    return "\n".join(lines) + "\n"


class Runner:
    """A runner whose way to the store leads through a link, with a producer of
    its own."""

    def __init__(self, tmp: pathlib.Path, name: str, two: TwoRunners):
        folder = tmp / name
        folder.mkdir()
        self.link = CutProxy(two.store.address)
        two.links.append(self.link)
        self._sim = two.start(
            f"{name}-sim", "kinora-sim-producer", "--record", folder / "provider"
        )
        table = write_producers(folder, self._sim.address, *PRODUCERS)
        self.process = two.start(
            f"{name}-runner", "kinora-runner",
            "--store-addr", self.link.address,
            "--planner-addr", two.planner.address,
            "--producers", table,
            "--lease-seconds", two.lease_seconds,
            "--metrics-listen", "127.0.0.1:0",
        )
        self._metrics = metrics_address(self.process)
        self.kinora = Kinora(
            store=two.store.address,
            planner=two.planner.address,
            runner=self.process.address,
        )

    def calls(self) -> int:
        """How often it has called a producer for a job."""
        url = f"http://{self._metrics}/metrics"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            text = answer.read().decode()
        started = re.findall(
            r'^kinora_runner_jobs_total\{[^}]*event="started"[^}]*\} (\S+)$',
            text,
            re.MULTILINE,
        )
        return int(sum(float(count) for count in started))

    def has_adopted(self, run_id: str) -> bool:
        return f'msg="run adopted" run={run_id}' in self.process.whole_log()

    def wait_until_lease_is_given_up(self) -> None:
        """Until its own clock has told it that a lease has expired."""
        loss = 'msg="lease not renewed in time"'
        self.process.wait_for_log(loss, self.process.whole_log().count(loss) + 1)

    def wait_until_done_with(self, run_id: str) -> None:
        """Until it has seen the end of the run, or that it is not its own."""
        self.process.wait_for_log(rf'msg="run (ended|given up)" run={run_id}\b')


class Watch:
    """A run's ledger as it grows, as a runner shows it."""

    def __init__(self, runner: Runner, run_id: str, after: int = 0):
        self._process = runner.kinora.start(
            "runs", "watch", run_id, "--after", str(after), "--json"
        )
        self._read = b""
        self._last: dict = {}
        self.seen = after  # the sequence of the last event

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()
        self._process.communicate()

    def until(self, wanted) -> dict:
        """The next event that is wanted, or the run's end."""
        deadline = time.monotonic() + PATIENCE_S
        while self._last.get("type") not in ENDS:
            self._last = json.loads(self._line(deadline))
            self.seen = self._last["seq"]
            if wanted(self._last):
                break
        return self._last

    def until_seq(self, sequence: int) -> dict:
        return self.until(lambda event: event["seq"] >= sequence)

    def until_adopted(self) -> bool:
        """False if the run has ended instead."""
        return self.until(is_adoption)["type"] not in ENDS

    def until_end(self) -> dict:
        return self.until(lambda _: False)

    def _line(self, deadline: float) -> bytes:
        stdout = self._process.stdout.fileno()
        while b"\n" not in self._read:
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([stdout], [], [], left)[0]
            assert ready, f"nothing happened after event {self.seen}"
            piece = os.read(stdout, 65536)
            assert piece, self._process.communicate()[1]
            self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        return line


def is_adoption(event: dict) -> bool:
    return event["type"] == "run.resumed" and event.get("reason") == "adopted"


class TwoRunners:
    """A store, a planner, and two runners that have links of their own."""

    def __init__(self, tmp: pathlib.Path, lease_seconds: int):
        self._tmp = tmp
        self._started: list[Process] = []
        self.links: list[CutProxy] = []
        self.lease_seconds = lease_seconds
        self._movies = 0

    def serve(self) -> None:
        tmp = self._tmp
        self.store = self.start("store", "kinora-store", "--data", tmp / "data")
        self.planner = self.start(
            "planner", "kinora-planner", "--store-addr", self.store.address
        )
        self.a = Runner(tmp, "a", self)
        self.b = Runner(tmp, "b", self)
        self._blueprint = tmp / "cuts.yaml"
        self._blueprint.write_text(blueprint())
        movie, run_id = self.begin()
        with Watch(self.b, run_id) as watch:
            end = watch.until_end()
        self.a.wait_until_done_with(run_id)
        assert end["type"] == "run.completed", end
        self.events = end["seq"]
        self.manifest = self.a.kinora.manifest_bytes(movie)

    def start(self, log: str, program: str, *args: object) -> Process:
        argv = [BIN / program, "--listen", "127.0.0.1:0", *args]
        process = Process([str(word) for word in argv], self._tmp / f"{log}.log")
        self._started.append(process)
        return process

    def stop(self) -> None:
        for process in reversed(self._started):
            process.stop()
        for link in self.links:
            link.close()

    def begin(self) -> tuple[str, str]:
        """A new movie, twin of all others, and its run on A."""
        self._movies += 1
        movie = f"movie-{self._movies}"
        kinora = self.a.kinora
        kinora.ok("movie", "create", movie, "--blueprint", str(self._blueprint))
        kinora.ok("input", "set", movie, 'Story="Call me Ishmael."')
        return movie, kinora.json("run", movie, "--detach")["run"]["runId"]

    def folder(self, movie: str) -> pathlib.Path:
        return self._tmp / "data/builds" / movie

    def ledger(self, movie: str, run_id: str) -> list[dict]:
        path = self.folder(movie) / "runs" / run_id / "ledger.log"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def check(self, movie: str, run_id: str) -> int:
        """All that must hold however the network was; returns how often the run
        was adopted."""
        ledger = self.ledger(movie, run_id)
        check_ledger(ledger)
        made = collections.defaultdict(set)
        for path in (self.folder(movie) / "events").glob("*artefacts*"):
            for line in path.read_text().splitlines():
                event = json.loads(line)
                artefact = event.get("artefact", {})
                if "output" in artefact:
                    made[artefact["artefactId"]].add(event["seq"])
        assert len(made) == JOBS, made
        assert all(len(events) == 1 for events in made.values()), made
        assert self.a.kinora.manifest_bytes(movie) == self.manifest
        assert self.a.kinora.json("plan", movie)["layers"] == []
        return sum(map(is_adoption, ledger))


def check_ledger(ledger: list[dict]) -> None:
    sequences = [event["seq"] for event in ledger]
    assert sequences == list(range(1, len(ledger) + 1))
    ends = [event["type"] for event in ledger if event["type"] in ENDS]
    assert ends == ["run.completed"]
    ended = set()
    for event in ledger:
        if event["type"] == "step.completed":
            assert event["stepId"] not in ended, event
            ended.add(event["stepId"])
        if event["type"] == "step.started":
            assert event["stepId"] not in ended, event
    assert len(ended) == JOBS
    # Appends are named for the run and the token of the lease they were made
    # under: once a token has been seen, nobody writes with an older one.
    tokens = [int(token) for token in map(token_of, ledger) if token]
    assert tokens and tokens == sorted(tokens), tokens
    adoptions = sum(map(is_adoption, ledger))
    assert len(set(tokens)) <= adoptions + 1, tokens


def token_of(event: dict) -> str:
    """Of the append that the event is the last one of; else nothing."""
    request = event.get("requestId", "")
    found = re.fullmatch(r"run-[0-9A-Z]+/([0-9]+)/[0-9]+", request)
    return found[1] if found else ""
