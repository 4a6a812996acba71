"""What the command line says of itself, and docs/cli.md of it."""

import os
import re
import subprocess

from cluster import BIN, Kinora, ROOT

DOCS = (ROOT / "docs/cli.md").read_text()

# What the page says once, and the scopes, which docs/planning.md has.
COMMON_FLAGS = {
    "--json",
    "--only",
    "--regenerate",
    "--with-lineage",
    "--pin",
    "--up-to-layer",
    "--from",
}


def kinora(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BIN / "kinora", *words], capture_output=True, text=True, timeout=60
    )


def sections() -> dict[str, str]:
    """What the page has of each command, by its words."""
    parts = re.split(r"^##+ (.*)$", DOCS, flags=re.M)
    return {
        title.strip("`"): text
        for title, text in zip(parts[1::2], parts[2::2])
        if title.startswith("`")
    }


def commands() -> list[str]:
    """The words of every command: lower case before operands and flags."""
    found = []
    for line in kinora("help").stdout.splitlines():
        match = re.match(r"  ([a-z]+(?: [a-z]+)?)(?= |$)", line)
        if match and not line.startswith("      "):
            found.append(match[1])
    return found


def test_every_command_is_on_the_page_with_usage_example_and_flags():
    names = commands()
    assert len(names) > 30
    assert sorted(names) == sorted(sections())
    for name, text in sections().items():
        assert f"`kinora {name}" in text, name
        assert f"$ kinora {name}" in text, name
        assert "JSON" in text, name
        if name in ("up", "sim"):
            continue
        usage = kinora("help", *name.split()).stdout
        assert usage.startswith(f"usage: kinora {name}")
        own = usage[: usage.index("  --addr ")]
        for flag in set(re.findall(r"--[a-z-]+", own)) - COMMON_FLAGS:
            short = "-o" if flag == "--output" else flag
            assert short in text, f"{name}: {flag}"


def test_help_of_one_command_is_that_of_its_flag():
    of_flag = kinora("movie", "create", "--help")
    assert of_flag.returncode == 0
    assert of_flag.stdout == kinora("help", "movie", "create").stdout
    assert "runs list" not in of_flag.stdout
    noun = kinora("help", "movie").stdout
    assert "movie create" in noun and "runs list" not in noun
    assert kinora("movie", "--help").stdout == noun
    assert "--data" in kinora("help", "up").stdout


def test_a_mistyped_word_is_answered_with_the_nearest():
    for words, meant in (
        (("movie", "crate", "film"), 'did you mean "create"?'),
        (("moive", "create", "film"), 'did you mean "movie create"?'),
        (("verfy", "film"), 'did you mean "verify"?'),
        (("help", "movi"), 'did you mean "movie"?'),
        (("plan", "film", "--dryrun"), 'unknown flag --dryrun; did you mean "--dry-run"?'),
    ):
        said = kinora(*words)
        assert said.returncode == 2
        assert meant in said.stderr, said.stderr
    said = kinora("frobnicate")
    assert said.returncode == 2
    assert "did you mean" not in said.stderr


def test_an_empty_value_of_a_flag_is_bad_usage():
    for words in (
        ("input", "set", "film", "N=4", "--expect", ""),
        ("artefact", "get", "film", "A", "--revision="),
        ("explain", "film", "A", "--against", ""),
        ("runs", "list", "--movie", ""),
    ):
        said = kinora(*words)
        assert said.returncode == 2, words
        flag = next(word for word in words if word.startswith("--")).rstrip("=")
        assert f"{flag} needs a value" in said.stderr, said.stderr


def test_output_that_cannot_be_written_is_a_failure():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [BIN / "kinora", "help"], stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert done.returncode == 1
    assert b"standard output" in done.stderr


def test_output_goes_where_the_name_leads(server, film, tmp_path):
    client = Kinora(server.address)
    client.ok("movie", "create", "film", "--blueprint", film())
    drawn = client.ok("graph", "film")
    client.ok("graph", "film", "-o", "/dev/null")
    link = tmp_path / "link.dot"
    link.symlink_to("target.dot")
    (tmp_path / "link.dot.partial").write_text("mine")
    several = [
        client.start("graph", "film", "-o", str(link)) for _ in range(4)
    ]
    assert [process.wait(timeout=60) for process in several] == [0] * 4
    assert link.is_symlink()
    assert (tmp_path / "target.dot").read_text() == drawn
    assert (tmp_path / "link.dot.partial").read_text() == "mine"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = client.start("graph", "film", "-o", str(fifo))
    assert fifo.read_text() == drawn
    assert writer.wait(timeout=60) == 0
    assert fifo.is_fifo()
    assert not list(tmp_path.glob("*.tmp"))
