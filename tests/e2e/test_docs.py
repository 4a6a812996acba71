"""What the pages name is there: files and headings, commands with their flags,
make's targets, metrics, settings and other words of the code."""

import functools
import pathlib
import re
import subprocess

import pytest

from cluster import BIN, ROOT
from test_cli import commands

PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not {"node_modules", ".venv", "out"} & set(path.relative_to(ROOT).parts)
    and path.name != "CHANGELOG.md"  # tells of what was
)
OPERATIONS = (ROOT / "docs/operations.md").read_text()

# Where the code is that the pages speak of.
SOURCES = ("bazel", "clients", "common", "deploy", "examples", "proto", "services")

# Where the files are that the pages name; others are made, in out/ say.
FOLDERS = (*SOURCES, ".ci", "docs", "tests")

# Linux's.
OTHERS_WORDS = {"copy_folio_from_iter_atomic"}

# Flags of every command.
COMMON_FLAGS = {"--help", "--json"}

each_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda path: str(path.relative_to(ROOT))
)


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def quoted(text: str) -> list[str]:
    """What stands between backticks in the running text."""
    return [
        " ".join(words.split())
        for words in re.findall(r"`([^`]+)`", without_blocks(text))
    ]


def shell_lines(text: str) -> list[str]:
    """Commands as they are shown: in blocks of sh, and behind a prompt."""
    lines = []
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        joined = block.replace("\\\n", " ")
        for line in joined.splitlines():
            if line.startswith("$ "):
                lines.append(line[2:])
            elif language == "sh":
                lines.append(line)
    return lines


def slugs(page: pathlib.Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {word.replace(" ", "-") for word in words}


@functools.cache
def code() -> str:
    listed = subprocess.run(
        ["grep", "-rIh", "--exclude=*.md", "", *SOURCES, "Makefile", "tests"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    return listed.stdout.decode(errors="replace")


@functools.cache
def usage(*words: str) -> str:
    """What the help of a command or a server says; empty if there is none."""
    done = subprocess.run(
        [BIN / words[0], *words[1:], "--help"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 else ""


def command_of(line: str) -> tuple[str, ...] | None:
    """The program and the words of the command that a line calls."""
    words = line.split()
    program = pathlib.PurePath(words[0]).name
    if program != "kinora":
        return (program,) if (BIN / program).exists() else None
    for count in (2, 1):
        if " ".join(words[1 : 1 + count]) in commands():
            return ("kinora", *words[1 : 1 + count])
    return None


@each_page
def test_links_lead_to_files_and_headings(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page.read_text())):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in slugs(file), target


@each_page
def test_files_are_there(page):
    for words in quoted(page.read_text()):
        match = re.fullmatch(r"((?:[.\w-]+/)+[.\w-]*)", words)
        if match and match[1].split("/")[0] in FOLDERS:
            assert (ROOT / match[1]).exists(), words


@each_page
def test_commands_and_their_flags_are_there(page):
    text = page.read_text()
    lines = shell_lines(text) + [w for w in quoted(text) if w.startswith("kinora ")]
    for line in lines:
        for part in re.split(r"[|;]|&&|  #", re.sub(r"^(\w+=\S+ )*", "", line)):
            if not re.match(r"\s*(bin/)?kinora(-[a-z]+)? ", part + " "):
                continue
            command = command_of(part)
            if command is None:
                noun = part.split()[1]
                assert any(name.split()[0] == noun for name in commands()) or (
                    noun in ("help", "--version", "COMMAND")
                ), part
                continue
            said = usage(*command)
            for flag in re.findall(r"(?<= )--[a-z][a-z-]*", part):
                assert re.search(rf"{flag}\b", said) or flag in COMMON_FLAGS, part


@each_page
def test_targets_of_make_are_there(page):
    text = page.read_text()
    makefile = (ROOT / "Makefile").read_text()
    lines = shell_lines(text) + quoted(text) + re.findall(r"^    (.*)$", text, re.M)
    for line in lines:
        target = re.match(r"make ([a-z][a-z-]*)", line)
        assert target is None or re.search(
            rf"^{target[1]}:", makefile, re.M
        ), line


def test_metrics_are_those_of_the_code():
    told = set()
    for row in re.findall(r"^\| (`kinora_.*?) \|", OPERATIONS, re.M):
        told |= set(re.findall(r"`(kinora_[a-z_]+)", row))
    made = set()
    for folder in ("common", "services", "clients"):
        for file in (ROOT / folder).rglob("*.cc"):
            if not file.name.endswith("_test.cc"):
                found = r'Get(?:Counter|Gauge|Histogram)\(\s*"(kinora_[a-z_]+)"'
                made |= set(re.findall(found, file.read_text()))
    assert told == made
    for page in PAGES:
        for name in re.findall(r"\bkinora_[a-z_]+_(?:total|seconds)", page.read_text()):
            assert name in made, (page, name)


# Settings, fields, reasons, variables: whatever has an underscore or is in
# capitals stands somewhere in the code by that name.
@each_page
def test_words_of_the_code_are_there(page):
    for words in quoted(page.read_text()):
        for word in re.findall(
            r"(?<![\w./-])(?:[a-z]+(?:_[a-z]+)+|[A-Z]+(?:_[A-Z]+)+)(?![\w/-])", words
        ):
            if word.startswith("kinora_") or word in OTHERS_WORDS:
                continue  # a metric, or not ours
            # A setting is a variable, too.
            setting = word.removeprefix("KINORA_").lower()
            assert re.search(rf"\b(?:{word}|{setting})\b", code()), word
