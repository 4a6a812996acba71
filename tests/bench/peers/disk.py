"""The machine itself: plain system calls and one core's SHA-256; see
disk_bench_main.cc."""

import pathlib

import machine_rest
from programs import Programs


class Disk:
    def __init__(self, programs: Programs, scratch: pathlib.Path):
        self._programs = programs
        self._folder = scratch / "disk"

    def _measure(self, mode: str, **flags: int | str) -> float:
        machine_rest.retire(self._folder)
        self._folder.mkdir()
        rate = self._programs.figures(
            "disk_bench", mode=mode, folder=self._folder, **flags
        )["rate"]
        machine_rest.retire(self._folder)
        return rate

    def serial_loop(self, files: int) -> float:
        """Files of 64 KiB per second, each durable before the next begins."""
        return self._measure("files", files=files, bytes=65536)

    def sha256(self, total_bytes: int) -> float:
        return self._measure("hash", total_bytes=total_bytes)

    def write(self, total_bytes: int) -> float:
        """The faster of through the page cache and past it."""
        return max(
            self._measure(
                "write", total_bytes=total_bytes, bytes=1 << 20, direct=direct
            )
            for direct in ("false", "true")
        )
