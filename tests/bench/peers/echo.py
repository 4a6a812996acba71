"""Bare gRPC: a service that answers at once, called as ours is."""

import contextlib
import pathlib

from programs import Programs


class Echo:
    def __init__(self, programs: Programs, address: str):
        self._programs = programs
        self._address = address

    def rate(self, mode: str, **flags: object) -> float:
        """Calls, messages or bytes per second; see echo_bench_main.cc."""
        return self._programs.figures(
            "echo_bench", server=self._address, mode=mode, **flags
        )["rate"]


@contextlib.contextmanager
def server(programs: Programs, scratch: pathlib.Path):
    with programs.server("echo_server", scratch / "echo.log") as process:
        yield Echo(programs, process.address)
