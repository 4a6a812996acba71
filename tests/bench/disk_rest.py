"""Waits until the disks are at rest: nothing dirty is left of what was written
before, and no request is under way."""

import os
import pathlib
import time

QUIET_SECONDS = 0.5
POLL_SECONDS = 0.02
# A machine whose disks never rest is measured as it is.
LIMIT_SECONDS = 20.0


def _under_way() -> int:
    """Requests that the disks have not answered yet."""
    lines = pathlib.Path("/proc/diskstats").read_text().splitlines()
    return sum(int(line.split()[11]) for line in lines)


def wait() -> None:
    os.sync()
    begin = quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < QUIET_SECONDS:
        if time.monotonic() - begin > LIMIT_SECONDS:
            return
        if _under_way() > 0:
            quiet_since = time.monotonic()
        time.sleep(POLL_SECONDS)
