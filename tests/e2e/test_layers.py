"""What a source file may name, by where it lies, is checked: the check finds what
breaks a rule, and nothing else."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest
from cluster import ROOT

CHECK = pathlib.Path("bazel/lint/layers.sh")


def broken(tree: pathlib.Path, files: dict[str, str]) -> list[str]:
    """The lines of such a tree that the check complains of: FILE:LINE."""
    for name, text in {str(CHECK): "", **files}.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    shutil.copy(ROOT / CHECK, tree / CHECK)
    subprocess.run(["git", "init", "-q", tree], check=True)
    done = subprocess.run([tree / CHECK], capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if line.split(":")[0] in files]
    assert done.returncode == (1 if found else 0), done.stdout + done.stderr
    return [":".join(line.split(":")[:2]) for line in found]


# F: S1-60: no threads' locks, time, chance, disk or wire in a core.
@pytest.mark.parametrize(
    "line",
    [
        "#include <grpcpp/server.h>",
        "std::mutex mu;",
        "const auto now = std::chrono::system_clock::now();",
        "std::random_device chance;",
        "std::ofstream out(path);",
    ],
)
def test_core_that_goes_past_a_seam_is_named(tmp_path, line):
    core = "services/runner/core.cc"
    assert broken(tmp_path, {core: f"// {line}\n{line}\n"}) == [f"{core}:2"]


# F: S1-45: secrets and settings come from who calls, never from the environment.
def test_only_the_edge_reads_the_environment(tmp_path):
    reads = 'const char* key = std::getenv("API_KEY");\n'
    files = ["common/config_file.cc", "services/runner/main.cc", "clients/cli/run.cc"]
    core = "services/runner/calls/producer_table.cc"
    assert broken(tmp_path, {name: reads for name in [*files, core]}) == [f"{core}:1"]


def test_path_of_one_machine_is_named_in_any_file(tmp_path):
    guide = "docs/guide.md"
    path = "/home" + "/ann/kinora"
    assert broken(tmp_path, {guide: f"Go to `{path}`.\n"}) == [f"{guide}:1"]
