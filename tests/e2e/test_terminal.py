"""What `kinora run` and `runs watch` draw on a terminal."""

import codecs
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import pytest

from cluster import BIN
from test_control import wait_for

LIMIT_S = 120


class OnTerminal:
    """A command whose terminal is ours."""

    def __init__(self, server, *words, columns=100, rows=30, **environment):
        self.output = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            # Whoever runs the tests in the background has it ignored.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            size = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            # A terminal sends SIGINT first and shows the `^C` then, before or
            # after what the command says of it.
            mode = termios.tcgetattr(0)
            mode[3] &= ~termios.ECHO
            termios.tcsetattr(0, termios.TCSANOW, mode)
            env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
            env |= {"TERM": "xterm", "KINORA_ADDR": server.address, **environment}
            os.execve(BIN / "kinora", ["kinora", *words], env)

    def read_until(self, pattern: str) -> None:
        """Reads until the output has it, or up to its end if it is empty."""
        deadline = time.monotonic() + LIMIT_S
        while not pattern or not re.search(pattern, self.output):
            left = deadline - time.monotonic()
            assert left > 0, self.output
            if not select.select([self._fd], [], [], left)[0]:
                continue
            try:
                read = os.read(self._fd, 65536)
            except OSError:  # EIO: nobody has the terminal open any more
                read = b""
            if not read:
                assert not pattern, f"no {pattern}: {self.output}"
                return
            text = self.output + self._decoder.decode(read)
            self.output = text.replace("\r\n", "\n")

    def press_ctrl_c(self) -> None:
        os.write(self._fd, b"\x03")

    def end(self) -> int:
        """Its exit code, negative for a signal."""
        self.read_until("")
        _, status = os.waitpid(self._pid, 0)
        os.close(self._fd)
        return os.waitstatus_to_exitcode(status)

    def screen(self) -> list[str]:
        """The lines that are seen at the end. Knows what the bars use: to the
        beginning of the line, up, and away with all below."""
        lines, row = [], 0
        for part in re.split(r"(\r(?:\x1b\[\d+A)?\x1b\[J|\n)", self.output):
            if part == "\n":
                row += 1
            elif part.startswith("\r"):
                up = re.match(r"\r\x1b\[(\d+)A", part)
                row -= int(up[1]) if up else 0
                assert row >= 0
                del lines[row:]
            else:
                lines += [""] * (row + 1 - len(lines))
                lines[row] += part
        return [line for line in lines if line]


def create(kinora, blueprint) -> None:
    kinora.ok("movie", "create", "film", "--blueprint", blueprint)
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')


def test_bars_are_drawn_in_place_and_full_at_the_end(kinora, server, film):
    create(kinora, film("{delay_ms: 300, fail_attempts: 1}"))
    begin = time.monotonic()
    run = OnTerminal(server, "run", "film")
    assert run.end() == 0
    drawings = run.output.count("  total ")
    assert drawings <= 2 + 10 * (time.monotonic() - begin)
    assert "1 running" in run.output or "3 running" in run.output
    screen = run.screen()
    assert re.match(r"run-\S+ of film: rev-0001, 8 jobs", screen[0])
    assert len([line for line in screen if "retrying" in line]) == 3
    assert screen[-6:-1] == [
        "  Script  [####################] 1/1",
        "  Picture [####################] 3/3",
        "  Clip    [####################] 3/3",
        "  Film    [####################] 1/1",
        screen[-2],
    ]
    assert re.match(r"  total 8/8  [0-9.]+ jobs/s$", screen[-2])
    assert screen[-1].startswith("completed: rev-0001, 8 jobs called")


def test_failures_stay_above_the_bars_also_when_they_are_watched_later(
    kinora, server, film
):
    create(kinora, film("{fail_attempts: 99, fail_code: INVALID_ARGUMENT}"))
    run = OnTerminal(server, "run", "film")
    assert run.end() == 1
    run_id = kinora.json("runs", "list")["runs"][0]["runId"]
    events = kinora.call("runs", "watch", run_id, "--json").stdout.splitlines()
    last = json.loads(events[-1])["seq"]
    watch = OnTerminal(server, "runs", "watch", run_id, columns=50)
    assert watch.end() == 1
    for screen in (run.screen(), watch.screen()):
        failed = [i for i, line in enumerate(screen) if "simulated INVALID" in line]
        bars = [i for i, line in enumerate(screen) if re.match(r"  Picture +\[", line)]
        assert failed[0] < bars[0]
        assert "3 failed" in screen[bars[0]]
        assert screen[-1].startswith("failed: job Picture[")
    assert all(len(line) < 50 for line in watch.screen()[-6:-1])
    # What was seen before is counted and not told again.
    rest = OnTerminal(server, "runs", "watch", run_id, "--after", str(last - 1))
    assert rest.end() == 1
    assert "simulated INVALID" not in "\n".join(rest.screen()[:-1])
    assert any("3 failed" in line for line in rest.screen())


def test_ctrl_c_ends_the_command_and_not_the_run(kinora, server, film):
    create(kinora, film("{delay_ms: 60000}"))
    run = OnTerminal(server, "run", "film")
    run.read_until("3 running")
    run.press_ctrl_c()
    assert run.end() == -signal.SIGINT  # 130, as shells count
    run_id = kinora.json("runs", "list")["runs"][0]["runId"]
    assert run.screen()[-1] == (
        f"kinora: run {run_id} goes on; kinora runs watch {run_id} shows it, "
        f"kinora runs cancel {run_id} ends it"
    )
    assert kinora.json("runs", "show", run_id)["record"]["status"] == "running"
    kinora.ok("runs", "cancel", run_id)


def test_what_producers_say_moves_no_cursor(kinora, film):
    # Plain lines and what commands show end up on terminals, too.
    create(kinora, film(r'{question: "Which \e[2Jtone?"}'))
    run_id = kinora.json("run", "film", "--detach")["run"]["runId"]
    events = wait_for(kinora, run_id, lambda event: event["type"] == "job.question")
    assert "\x1b" in events[-1]["message"]
    watch = kinora.start("runs", "watch", run_id, "--plain")
    asked = next(line for line in watch.stdout if "Which" in line)
    watch.kill()
    watch.communicate()
    for said in (asked, kinora.ok("questions"), kinora.ok("runs", "show", run_id)):
        assert "Which  [2Jtone?" in said and "\x1b" not in said
    kinora.ok("runs", "cancel", run_id, "--reason", "enough\x1b[2J\nof it")
    assert kinora.call("runs", "watch", run_id).returncode == 1
    (listed,) = kinora.ok("runs", "list").splitlines()
    assert listed.endswith("enough [2J of it")


@pytest.mark.parametrize(
    "words, environment",
    [(["--plain"], {}), ([], {"TERM": "dumb"}), ([], {"NO_COLOR": "1"})],
)
def test_plain_lines_where_bars_are_not_wanted(
    kinora, server, film, words, environment
):
    create(kinora, film())
    run = OnTerminal(server, "run", "film", *words, **environment)
    assert run.end() == 0
    assert "\x1b" not in run.output
    assert "  done     Script" in run.output
