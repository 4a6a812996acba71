"""Puts the machine into a state from which a measurement may begin."""

import itertools
import os
import pathlib
import shutil
import time

QUIET_SECONDS = 0.5
POLL_SECONDS = 0.02
# A machine whose disks never rest is measured as it is.
LIMIT_SECONDS = 20.0
KEPT_BYTES = 256 << 20


def _requests_under_way() -> int:
    """Requests that the disks have not answered yet."""
    lines = pathlib.Path("/proc/diskstats").read_text().splitlines()
    return sum(int(line.split()[11]) for line in lines)


def wait_for_disks() -> None:
    """Until nothing dirty is left of what was written before, and no request
    is under way."""
    os.sync()
    begin = quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < QUIET_SECONDS:
        if time.monotonic() - begin > LIMIT_SECONDS:
            return
        if _requests_under_way() > 0:
            quiet_since = time.monotonic()
        time.sleep(POLL_SECONDS)


def recycle_pages(folder: pathlib.Path, size: int) -> None:
    """Lets the next files of so many bytes have memory that was in use a moment
    ago.

    A virtual machine gives memory that is free for a while back to its host,
    and its next use costs up to 4 ms a MiB: a plain copy into the page cache
    was seen at 230 MB/s instead of 2,200.
    """
    file = folder / "recycled"
    piece = bytes(1 << 20)
    with file.open("wb") as out:
        for _ in range(size >> 20):
            out.write(piece)
    file.unlink()


def retire(folder: pathlib.Path) -> None:
    """Takes a folder of files out of the way, if it exists.

    What is not large is kept until the scratch folder goes. ext4 gives the
    inode of a deleted file to no other for minutes, and walks past all of
    these whenever it creates a file (perf: recently_deleted): 1,000 files that
    each round deletes made creating the next 1,000 up to ten times as slow.
    """
    if not folder.exists():
        return
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > KEPT_BYTES:
        shutil.rmtree(folder)
        return
    for number in itertools.count():
        kept = folder.with_name(f"{folder.name}.kept-{number}")
        if not kept.exists():
            folder.rename(kept)
            return
