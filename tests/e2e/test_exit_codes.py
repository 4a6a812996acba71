"""Every exit code of the table in docs/cli.md, as a shell sees it."""

import re
import signal
import subprocess

from cluster import BIN, ROOT, Kinora, Process, up

DOCS = (ROOT / "docs/cli.md").read_text()


def serve(*args: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BIN / "kinora-store", *args], capture_output=True, text=True, timeout=60
    )


def test_the_page_has_one_table_of_all_codes():
    table = DOCS.split("## Exit codes", 1)[1].split("\n## ", 1)[0]
    codes = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert codes == ["0", "1", "2", "130", "143"]


def test_0_is_done_and_1_is_failed_and_2_is_bad_usage(kinora, film):
    assert kinora.call("help").returncode == 0
    assert kinora.call("movie", "list").returncode == 0
    failed = kinora.call("movie", "show", "nope")
    assert failed.returncode == 1
    assert "(NOT_FOUND, MOVIE_NOT_FOUND)" in failed.stderr
    unreachable = Kinora("127.0.0.1:1").call("movie", "list")
    assert unreachable.returncode == 1
    assert "UNAVAILABLE" in unreachable.stderr
    for words in (
        (),
        ("frobnicate",),
        ("movie",),
        ("movie", "show"),
        ("movie", "show", "film", "--no-such-flag"),
        ("movie", "create", "film"),
        ("plan", "film", "--up-to-layer", "0"),
        ("run", "film", "--from", "segment"),
        ("run", "film", "--queue", "--replace"),
        ("graph", "film", "--format", "png"),
        ("gc", "film", "--grace", "soon"),
        ("take", "choose", "film", "Image[segment=0]", "x"),
        ("plan", "film", "--set", "Story"),
        ("run", "film", "--set", "Story=no quotes"),
        ("input", "set", "film", "Story"),
        ("artefact", "set", "film", "Image[segment=0]"),
        ("movie", "delete", "film"),
        ("prune", "film"),
        ("movie", "quota", "film", "--max-bytes", "many"),
        ("backup", "film", "-", "--json"),
    ):
        assert kinora.call(*words).returncode == 2, words


# What is wrong with a flag is said before anything is asked, so a file that
# stands beside it is not brought to the store either.
def test_a_wrong_flag_is_found_without_a_server(tmp_path):
    given = tmp_path / "story.txt"
    given.write_text("Call me Ishmael.")
    nowhere = Kinora("127.0.0.1:1")
    for verb in ("plan", "run"):
        said = nowhere.call(
            verb, "film", "--set", f"Story=file:{given}", "--up-to-layer", "0"
        )
        assert said.returncode == 2, said.stderr
        assert "--up-to-layer: must be a number from 1" in said.stderr


# Words are looked at before the server, too; what only the server can tell is
# wrong with them is a failure.
def test_a_wrong_word_is_found_without_a_server(kinora, film, tmp_path):
    nowhere = Kinora("127.0.0.1:1")
    for words, named in (
        (("take", "choose", "film", "Image[segment=0]", "x"), "number of a take"),
        (("plan", "film", "--set", "Story"), "expected NAME=JSON"),
        (("input", "set", "film", "Story=night"), "is not JSON"),
        (("movie", "delete", "film"), "--yes"),
        (("prune", "film"), "--keep-revisions"),
        (("runs", "budget", "run-01ARZ3NDEKTSV4RRFFQ69G5FAV", "lots"), "AMOUNT"),
        (("movie", "quota", "film", "--max-revisions", "few"), "--max-revisions"),
        (("backup", "film", "-", "--json"), "--json"),
    ):
        said = nowhere.call(*words)
        assert said.returncode == 2, (words, said.stderr)
        assert named in said.stderr, said.stderr
    kinora.ok("movie", "create", "film", "--blueprint", film())
    for words in (
        ("take", "choose", "film", "Image[segment=0]", "7"),
        ("input", "set", "film", "Storey=1"),
        ("input", "set", "film", f"Story=@{tmp_path / 'none.json'}"),
    ):
        said = kinora.call(*words)
        assert said.returncode == 1, (words, said.stderr)


def test_a_run_that_did_not_complete_is_1_however_it_is_watched(kinora, film):
    settings = "{fail_attempts: 99, fail_code: INVALID_ARGUMENT}"
    kinora.ok("movie", "create", "film", "--blueprint", film(settings))
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    assert kinora.call("run", "film").returncode == 1
    run_id = kinora.json("runs", "list")["runs"][0]["runId"]
    assert kinora.call("runs", "watch", run_id).returncode == 1
    assert kinora.call("runs", "watch", run_id, "--json").returncode == 1
    assert kinora.call("runs", "show", run_id).returncode == 0


def test_a_server_ends_with_0_after_a_signal_and_says_why_it_cannot_start(tmp_path):
    first = Process(
        [str(BIN / "kinora-store"), "--listen", "127.0.0.1:0"], tmp_path / "log"
    )
    taken = serve("--listen", first.address)
    assert taken.returncode == 1
    assert first.address in taken.stderr
    assert first.stop() == 0
    assert serve("--help").returncode == 0
    assert serve("--no-such-option").returncode == 2
    assert serve("--log-level", "loud").returncode == 2
    assert serve("--config", str(tmp_path / "none.yaml")).returncode == 2


def test_a_server_that_no_option_lets_start_ends_with_2(tmp_path):
    for name, *options in (
        ("kinora-store", "--listen", "127.0.0.1:-1"),
        ("kinora-store", "--metrics-listen", "nowhere"),
        ("kinora-runner", "--rate-burst", "5"),
        ("kinora-runner", "--rate-per-second", "1", "--rate-per-minute", "1"),
    ):
        done = subprocess.run(
            [BIN / name, "--listen", "127.0.0.1:0", *options],
            capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == 2, (options, done.stderr)
        assert options[0][2:].replace("-", "_") in done.stderr or "rate" in done.stderr
    up_nowhere = subprocess.run([BIN / "kinora", "up"], capture_output=True, text=True)
    assert up_nowhere.returncode == 2 and "--data" in up_nowhere.stderr
    # What an option names may be wrong, too; then it is the file's fault.
    table = tmp_path / "producers.yaml"
    table.write_text("producers: {a: {target: x, concurrency: -1}}\n")
    wrong = [BIN / "kinora-runner", "--listen", "127.0.0.1:0", "--producers", table]
    assert subprocess.run(wrong, capture_output=True).returncode == 1


def test_the_second_signal_ends_a_server_that_drains(tmp_path, producers, film):
    for second, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        directory = tmp_path / str(code)
        directory.mkdir()
        server = up(directory, producers)
        kinora = Kinora(server.address)
        blueprint = film("{delay_ms: 60000}")
        kinora.ok("movie", "create", "film", "--blueprint", blueprint)
        kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
        run_id = kinora.json("run", "film", "--detach")["run"]["runId"]
        watch = kinora.start("runs", "watch", run_id, "--json")
        for line in watch.stdout:
            if '"type":"step.started"' in line and "Picture" in line:
                break
        watch.kill()
        watch.communicate()
        server.signal(signal.SIGTERM)
        server.wait_for_log("draining")
        server.signal(second)
        assert server.wait() == code
