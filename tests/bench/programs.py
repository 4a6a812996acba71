"""Runs our own programs: servers until they are stopped, benchmarks to their
line of figures."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from cluster import Process  # noqa: E402

# A benchmark that takes longer hangs.
LIMIT_S = 1800

# A peer's server that is not ready by then will not be.
READY_LIMIT_S = 60


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a process took from its start to its end."""

    seconds: float
    peak_mib: float
    output: str

    def figures(self) -> dict[str, float]:
        return json.loads(self.output)


def measured(argv: list, cwd: pathlib.Path | None = None) -> Measured:
    """Runs a process to its end; its output goes to a file, as to nobody."""
    words = [str(word) for word in argv]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        process = subprocess.Popen(words, stdout=out, stderr=errors, cwd=cwd)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise RuntimeError(f"{' '.join(words)}: {errors.read().decode()}")
        # A summary is short; what a peer prints of its jobs need not be kept.
        out.seek(0)
        return Measured(took, usage.ru_maxrss / 1024, out.read(65536).decode())


class Programs:
    """The programs in one directory."""

    def __init__(self, directory: pathlib.Path):
        self._directory = directory

    def path(self, name: str) -> pathlib.Path:
        return self._directory / name

    def figures(self, name: str, **flags: object) -> dict[str, float]:
        """Runs a benchmark program; returns what it printed."""
        argv = [self._directory / name]
        argv += [f"--{flag}={value}" for flag, value in flags.items()]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S)
        if done.returncode != 0:
            words = " ".join(map(str, argv))
            raise RuntimeError(f"{words}: {done.stderr or done.returncode}")
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def server(self, name: str, log: pathlib.Path, **flags: object):
        argv = [str(self._directory / name)]
        argv += [f"--{flag}={value}" for flag, value in flags.items()]
        process = Process(argv, log)
        try:
            yield process
        except Exception as error:
            if (code := process.exit_code) is not None:
                raise RuntimeError(f"{name} ended ({code}): {process.log()}") from error
            raise
        finally:
            process.stop()


@contextlib.contextmanager
def peer_process(argv: list, log: pathlib.Path, end: int = signal.SIGTERM, **options):
    """A server of another make, until the end of the block."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(word) for word in argv],
            stdout=out,
            stderr=out,
            start_new_session=True,
            **options,
        )
    try:
        yield process
    finally:
        process.send_signal(end)
        process.wait(timeout=60)


def await_ready(name: str, process: subprocess.Popen, probe: list) -> None:
    """Until `probe` exits with 0: peers have no line that says so."""
    deadline = time.monotonic() + READY_LIMIT_S
    words = [str(word) for word in probe]
    while (done := subprocess.run(words, capture_output=True, text=True)).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{name} is not ready: {done.stderr or done.stdout}")
        time.sleep(0.1)
