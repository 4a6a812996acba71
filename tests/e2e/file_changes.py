"""Waiting for what a program writes: Linux tells of each change of a file, so
nothing is polled."""

from __future__ import annotations

import ctypes
import os
import pathlib
import select
import time

# From <sys/inotify.h>.
_MODIFY = 0x2
_MOVED_TO = 0x80
_CREATE = 0x100
_DELETE = 0x200

_libc = ctypes.CDLL(None, use_errno=True)


def _watch(path: pathlib.Path) -> int:
    """A descriptor that can be read once the file, or a file that is directly in
    the folder, changes."""
    fd = _libc.inotify_init1(os.O_CLOEXEC)
    mask = _MODIFY | _MOVED_TO | _CREATE | _DELETE
    if fd < 0 or _libc.inotify_add_watch(fd, os.fsencode(path), mask) < 0:
        raise OSError(ctypes.get_errno(), "inotify", str(path))
    return fd


def wait_until(path: pathlib.Path, happened, limit_s: float, failure=lambda: ""):
    """What `happened` returns once that is true. It is asked at first and after
    each change of the file or folder; `failure` tells of it if it never is."""
    deadline = time.monotonic() + limit_s
    changes = _watch(path)  # before the first look, or a change may be missed
    try:
        while not (found := happened()):
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([changes], [], [], left)[0]
            assert ready, failure()
            os.read(changes, 65536)
        return found
    finally:
        os.close(changes)
