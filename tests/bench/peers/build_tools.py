"""The peers of plan.py: what ninja and GNU make would do about the same graph,
with their outputs thrown away. Both look at times of files; neither hashes."""

import contextlib
import os
import pathlib

from programs import Measured, measured

# When all files were made, and when the edited one was.
MADE = 1_700_000_000
LEAF = "d0/s0_0_1.txt"


@contextlib.contextmanager
def edited(files: pathlib.Path, edit: str):
    """One file is newer: of one segment (`leaf`), or the script (`root`)."""
    name = {"none": None, "leaf": LEAF, "root": "script"}[edit]
    if name is None:
        yield
        return
    os.utime(files / name, (MADE + 100, MADE + 100))
    try:
        yield
    finally:
        os.utime(files / name, (MADE, MADE))


def ninja(files: pathlib.Path) -> Measured:
    return measured(["ninja", "-n"], cwd=files)


def make(files: pathlib.Path) -> Measured:
    # Without built-in rules, which would take it several times as long.
    return measured(["make", "-rRn", "all"], cwd=files)
