"""Drivers of peers that live in npm, of those packages in npm/."""

import json
import pathlib
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent / "npm"

# A driver that takes longer hangs.
LIMIT_S = 600


def figures(script: str, *args: object) -> dict[str, float]:
    """Runs a driver; returns what its last line says."""
    done = subprocess.run(
        ["node", script, *map(str, args)],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{script}: {done.stderr or done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def rate(figures_of_run: dict[str, float]) -> float:
    """Jobs or steps per second."""
    done = figures_of_run.get("jobs") or figures_of_run["steps"]
    return done / figures_of_run["seconds"]
