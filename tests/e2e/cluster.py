"""Starts the real binaries and speaks to them as a user would."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import time

import file_changes

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "bin"

READY_LIMIT_S = 60
COMMAND_LIMIT_S = 120


class Process:
    """A server, from its ready line to its exit."""

    def __init__(self, argv: list, log: pathlib.Path, **environment: str):
        self._log = log
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                argv,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=ROOT,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        self.address = self._wait_for_ready_line()

    def _wait_for_ready_line(self) -> str:
        stdout = self._process.stdout
        deadline = time.monotonic() + READY_LIMIT_S
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stdout], [], [], left)[0]:
                self.kill()
                raise AssertionError(f"no ready line: {self.log()}")
            byte = os.read(stdout.fileno(), 1)
            if not byte:
                self._process.wait()
                raise AssertionError(f"ended before it was ready: {self.log()}")
            line += byte
        words = line.decode().split()
        assert words[1] == "ready", line
        return words[2]

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]

    def whole_log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for_log(self, pattern: str, count: int = 1) -> None:
        """Until a regular expression is found so often in what it logged."""
        found = re.compile(pattern)
        file_changes.wait_until(
            self._log,
            lambda: len(found.findall(self.whole_log())) >= count,
            READY_LIMIT_S,
            lambda: f"no {pattern!r}: {self.log()}",
        )

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Returns the exit code."""
        return self._process.wait(timeout=READY_LIMIT_S)

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(timeout=READY_LIMIT_S)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def peak_mib(self) -> float:
        """The most memory it has ever had resident."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class Kinora:
    """The command line against one installation: one address for all
    services, or one for each of store, planner and runner."""

    def __init__(self, address: str = "", **addresses: str):
        self._environment = {
            f"KINORA_{name.upper()}_ADDR": value for name, value in addresses.items()
        }
        if address:
            self._environment["KINORA_ADDR"] = address

    def start(self, *args: str) -> subprocess.Popen:
        return subprocess.Popen(
            [BIN / "kinora", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self._environment},
        )

    def call(self, *args: str) -> subprocess.CompletedProcess:
        """Runs a command whatever its exit code."""
        return subprocess.run(
            [BIN / "kinora", *args],
            capture_output=True,
            text=True,
            timeout=COMMAND_LIMIT_S,
            env={**os.environ, **self._environment},
        )

    def call_bytes(
        self, *args: str, given: bytes = b""
    ) -> subprocess.CompletedProcess:
        """As call(), with bytes for standard input and from the outputs."""
        return subprocess.run(
            [BIN / "kinora", *args],
            input=given,
            capture_output=True,
            timeout=COMMAND_LIMIT_S,
            env={**os.environ, **self._environment},
        )

    def ok(self, *args: str) -> str:
        """Runs a command that must succeed; returns what it printed."""
        done = self.call(*args)
        assert done.returncode == 0, f"kinora {args}: {done.stderr}{done.stdout}"
        return done.stdout

    def json(self, *args: str) -> dict:
        return json.loads(self.ok(*args, "--json"))

    def lines(self, *args: str) -> list[dict]:
        return [json.loads(line) for line in self.ok(*args, "--json").splitlines()]

    def fails(self, *args: str) -> str:
        """Runs a command that must fail; returns what it said."""
        done = self.call(*args)
        assert done.returncode not in (0, None), f"kinora {args}: {done.stdout}"
        assert done.returncode > 0, f"kinora {args} was killed"
        return done.stderr

    def answer(self, run_id: str, question: str, value: str) -> str:
        """Answers once the answer can be taken: not by a runner that has just
        lost the run and is about to let go of it, nor while the store is being
        started again. Neither tells when it is over. Returns why it was
        refused; it is empty if it was taken."""
        deadline = time.monotonic() + COMMAND_LIMIT_S
        while (done := self.call("answer", run_id, question, value)).returncode:
            if "UNAVAILABLE" not in done.stderr:
                return done.stderr
            assert time.monotonic() < deadline, done.stderr
            time.sleep(0.1)
        return ""

    def run(self, movie: str, *args: str) -> RunOutcome:
        """`kinora run`, to its end."""
        return RunOutcome(self.lines("run", movie, *args))

    def manifest_bytes(self, movie: str) -> bytes:
        return subprocess.run(
            [BIN / "kinora", "manifest", "show", movie, "--json"],
            capture_output=True,
            check=True,
            env={**os.environ, **self._environment},
        ).stdout


class RunOutcome:
    """What `kinora run --json` or `runs watch --json` printed."""

    def __init__(self, lines: list[dict]):
        self.started = lines[0] if "type" not in lines[0] else None
        self.events = [line for line in lines if "type" in line]

    @property
    def run_id(self) -> str:
        return self.events[0]["runId"]

    def steps(self, event_type: str) -> list[str]:
        return [e["stepId"] for e in self.events if e["type"] == event_type]

    @property
    def called(self) -> set[str]:
        return set(self.steps("step.started"))

    @property
    def finished(self) -> set[str]:
        return set(self.steps("step.completed"))

    @property
    def reused(self) -> set[str]:
        return set(self.steps("step.skipped"))

    @property
    def end(self) -> str:
        return self.events[-1]["type"]


def metrics_address(process: Process) -> str:
    """Where a server that was given --metrics-listen answers."""
    found = re.search('msg="metrics are served" address=(\\S+)', process.whole_log())
    assert found, process.log()
    return found[1]


@contextlib.contextmanager
def sim(tmp: pathlib.Path, *options: str):
    """The simulated producer."""
    process = Process(
        [BIN / "kinora-sim-producer", "--listen", "127.0.0.1:0", *options],
        tmp / "sim.log",
    )
    try:
        yield process
    finally:
        process.stop()


def python_producer(script: pathlib.Path, code: str, **environment: str) -> Process:
    """A producer on the Python SDK; its log lies beside the script."""
    script.write_text(code)
    return Process(
        [sys.executable, str(script)],
        script.with_suffix(".log"),
        PYTHONPATH=str(ROOT / "clients/python"),
        **environment,
    )


def write_producers(
    tmp: pathlib.Path, address: str, *names: str, concurrency: int = 4
) -> pathlib.Path:
    """A producer table that sends every name to one server."""
    path = tmp / "producers.yaml"
    lines = ["producers:"]
    for name in names:
        lines.append(
            f"  {name}: {{target: 'dns:///{address}', concurrency: {concurrency}}}"
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def up(
    tmp: pathlib.Path,
    producers: pathlib.Path | None = None,
    *options: str,
    **environment: str,
) -> Process:
    argv = [BIN / "kinora", "up", "--data", tmp / "data", "--listen", "127.0.0.1:0"]
    if producers is not None:
        argv += ["--producers", producers]
    argv += options
    return Process([str(word) for word in argv], tmp / "up.log", **environment)


class Separate:
    """Store, planner and runner as three processes."""

    def __init__(
        self,
        tmp: pathlib.Path,
        producers: pathlib.Path,
        *options: str,
        lease_seconds: int = 2,
    ):
        self._tmp = tmp
        self._producers = producers
        self._options = options  # of each server
        self._lease_seconds = lease_seconds
        self.start_store()
        self.planner = self._server(
            "kinora-planner", "--store-addr", self.store.address
        )
        self.start_runner()

    def start_store(self, listen: str = "127.0.0.1:0") -> None:
        self.store = self._server(
            "kinora-store", "--data", self._tmp / "data", listen=listen
        )

    def start_runner(self, listen: str = "127.0.0.1:0") -> None:
        self.runner = self._server(
            "kinora-runner",
            "--store-addr", self.store.address,
            "--planner-addr", self.planner.address,
            "--producers", self._producers,
            "--lease-seconds", self._lease_seconds,
            listen=listen,
        )
        self.kinora = Kinora(
            store=self.store.address,
            planner=self.planner.address,
            runner=self.runner.address,
        )

    def _server(
        self, name: str, *args: object, listen: str = "127.0.0.1:0"
    ) -> Process:
        argv = [BIN / name, "--listen", listen, *args, *self._options]
        return Process([str(word) for word in argv], self._tmp / f"{name}.log")

    def ledger(self, movie: str, run_id: str) -> list[dict]:
        """The ledger of a run as it is on disk."""
        run = self._tmp / "data/builds" / movie / "runs" / run_id
        return [
            json.loads(line)
            for line in (run / "ledger.log").read_text().splitlines()
        ]

    def stop(self) -> list[int]:
        return [p.stop() for p in (self.runner, self.planner, self.store)]


def files_below(directory: pathlib.Path) -> dict[str, bytes]:
    """Every file with its bytes, but for the journal and the lock, which may
    change without anything having been written."""
    builds = directory / "builds"
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(builds.rglob("*"))
        if path.is_file()
    }
