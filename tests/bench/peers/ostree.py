"""OSTree: content-addressed files (SHA-256) in a repository, by `ostree
commit` of a folder, synced as it is by default, uncompressed
(bare-user-only)."""

import pathlib
import subprocess
import time

import machine_rest


class Ostree:
    def __init__(self, scratch: pathlib.Path):
        self._repository = scratch / "ostree"

    def commit(self, folder: pathlib.Path) -> float:
        """Seconds to commit the folder to an empty repository."""
        repository = f"--repo={self._repository}"
        machine_rest.retire(self._repository)
        subprocess.run(
            ["ostree", "init", repository, "--mode=bare-user-only"],
            check=True,
            capture_output=True,
        )
        start = time.monotonic()
        subprocess.run(
            ["ostree", "commit", repository, "-b", "bench", "--canonical-permissions"]
            + [str(folder)],
            check=True,
            capture_output=True,
        )
        took = time.monotonic() - start
        kept = len(list(self._repository.glob("objects/*/*.file")))
        assert kept == len(list(folder.iterdir())), kept
        machine_rest.retire(self._repository)
        return took
