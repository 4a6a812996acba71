"""ninja running `true` for every job of a graph of chains. It keeps a log of
what it ran, and syncs nothing."""

import pathlib
import subprocess
import time


class Ninja:
    def __init__(self, directory: pathlib.Path, segments: int, stages: int):
        self._directory = directory
        directory.mkdir()
        lines = ["rule job", "  command = true", "build script: job"]
        for segment in range(segments):
            made_from = "script"
            for stage in range(stages):
                output = f"s{segment}_{stage}"
                lines.append(f"build {output}: job {made_from}")
                made_from = output
        clips = " ".join(f"s{segment}_{stages - 1}" for segment in range(segments))
        lines += [f"build film: job {clips}", "default film"]
        (directory / "build.ninja").write_text("\n".join(lines) + "\n")
        self._jobs = segments * stages + 2

    def rate(self) -> float:
        """Jobs per second of a run of all jobs."""
        for kept in (".ninja_log", ".ninja_deps"):
            (self._directory / kept).unlink(missing_ok=True)
        start = time.monotonic()
        subprocess.run(
            ["ninja", "-j2", "--quiet"],
            cwd=self._directory,
            check=True,
            capture_output=True,
        )
        return self._jobs / (time.monotonic() - start)
