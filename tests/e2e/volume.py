"""A server on a volume that fails at will (failing_disk.c)."""

from __future__ import annotations

import pathlib
import subprocess

from cluster import Kinora, Process, up

SOURCE = pathlib.Path(__file__).with_name("failing_disk.c")


def make_library(tmp: pathlib.Path) -> pathlib.Path:
    """What is preloaded into the server."""
    made = tmp / "failing_disk.so"
    subprocess.check_call(["cc", "-shared", "-fPIC", "-O1", "-o", made, SOURCE])
    return made


class Volume:
    """`kinora up` on the volume that holds `tmp`/data."""

    def __init__(self, tmp: pathlib.Path, library: pathlib.Path, producers):
        self._tmp, self._library, self._producers = tmp, library, producers
        self.server: Process | None = None

    def start(self) -> Kinora:
        self.server = up(
            self._tmp,
            self._producers,
            "--lease-seconds",
            "2",
            LD_PRELOAD=str(self._library),
            KINORA_FAILING_DISK=str(self._tmp),
        )
        return Kinora(self.server.address)

    def end(self) -> None:
        if self.server is not None and self.server.exit_code is None:
            assert self.server.stop() == 0, self.server.log()

    def _write(self, name: str, number: int) -> None:
        """Whole at every moment: the server may look at any."""
        (self._tmp / f"{name}.new").write_text(str(number))
        (self._tmp / f"{name}.new").replace(self._tmp / name)

    def leave(self, room: int) -> None:
        self._write("room", room)

    def make_room(self) -> None:
        (self._tmp / "room").unlink()

    def make_read_only(self) -> None:
        (self._tmp / "read_only").touch()

    def make_writable(self) -> None:
        (self._tmp / "read_only").unlink()

    def kill_in(self, changes: int) -> None:
        """Has the server kill itself before that change to the disk, from 1."""
        self._write("kill_in", changes - 1)

    def spare(self) -> int:
        """Takes it back; returns for how many changes it would have lived on."""
        left = int((self._tmp / "kill_in").read_text()) + 1
        (self._tmp / "kill_in").unlink()
        return left
