"""What outside workers report of runs, by `kinora ledger ingest`: also again and
again, while the run's runner is killed."""

import json
import os
import random
import re

import pytest

from cluster import ROOT, Separate

SEED = int(os.environ.get("KINORA_INGEST_SEED", random.randrange(2**32)))

ENDS = ("run.completed", "run.failed", "run.cancelled")
PAGE = (ROOT / "docs/reporting.md").read_text()


def write(path, *lines: dict) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def lines_of(events: list[dict]) -> list[str]:
    return [
        line
        for event in events
        if event["type"] == "log.appended"
        for line in event.get("lines", [])
    ]


class Worker:
    """Keeps the last lines of its log, and sends from some of them on what it
    has not been told to be there."""

    def __init__(self, chance: random.Random):
        self._chance = chance
        self._kept: list[str] = []
        self.total = 0
        self.sent = 0

    def log(self, lines: int) -> None:
        for _ in range(lines):
            self.total += 1
            self._kept.append(f"worker {self.total}")
        self._kept = self._kept[-10:]

    def event(self) -> dict:
        first = self.total - len(self._kept)
        offset = self._chance.randint(first, max(first, self.sent))
        return {
            "type": "log.appended",
            "channel": "farm",
            "channelOffset": offset,
            "lines": self._kept[offset - first :],
        }


# F: S2-9 S2-75 S2-76 S2-78 S2-80
def test_each_line_is_there_once_or_one_gap_is(tmp_path, producers, film):
    chance = random.Random(SEED)
    services = Separate(tmp_path, producers)
    services.kinora.ok("movie", "create", "film", "--blueprint",
                       film("{delay_ms: 700, log_lines: 3}"))  # fmt: skip
    services.kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    started = services.kinora.json("run", "film", "--detach")
    run_id = started["run"]["runId"]
    worker = Worker(chance)
    for turn in range(40):
        worker.log(chance.randrange(5))
        report = write(tmp_path / f"{turn}.jsonl", worker.event())
        sending = services.kinora.start("ledger", "ingest", run_id, report)
        if turn % 8 == 3:
            services.runner.kill()
            services.start_runner()
        sending.communicate(timeout=120)
        # The answer may get lost, too.
        if sending.returncode == 0 and chance.random() < 0.7:
            worker.sent = worker.total
    services.kinora.call("runs", "watch", run_id)
    worker.log(1)
    report = write(tmp_path / "last.jsonl", worker.event())
    services.kinora.ok("ledger", "ingest", run_id, report)

    # A watch ends with the run, and one from there has what is behind.
    events = services.kinora.lines("runs", "watch", run_id)
    end = next(event["seq"] for event in events if event["type"] in ENDS)
    events = [event for event in events if event["seq"] <= end]
    events += services.kinora.lines("runs", "watch", run_id, "--after", str(end))
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    number = 1
    for line in lines_of(events):
        if gap := re.fullmatch(r"\[kinora\] (\d+) log lines of farm are missing", line):
            number += int(gap[1])
        elif line.startswith("worker "):
            assert line == f"worker {number}", f"seed {SEED}"
            number += 1
    assert number == worker.total + 1, f"seed {SEED}"

    # All who count lines count the same.
    shown = services.kinora.json("runs", "show", run_id)
    assert int(shown["totalLogCount"]) == len(lines_of(events)), f"seed {SEED}"
    assert shown["record"]["status"] == "completed"
    assert services.stop() == [0, 0, 0]


@pytest.fixture
def ended(kinora, film):
    """The id of a run that has ended."""
    kinora.ok("movie", "create", "film", "--blueprint", film())
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    return kinora.run("film").run_id


def shown_lines() -> str:
    """The events of the page's example."""
    return re.search(r"^```json\n(.*?)^```$", PAGE, re.M | re.S)[1]


def test_the_example_of_the_page_is_taken_once(kinora, film, tmp_path):
    kinora.ok("movie", "create", "film", "--blueprint", film("{delay_ms: 60000}"))
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    run_id = kinora.json("run", "film", "--detach")["run"]["runId"]
    path = tmp_path / "events.jsonl"
    path.write_text(shown_lines())
    shown = [json.loads(line)["type"] for line in shown_lines().splitlines()]
    assert kinora.json("ledger", "ingest", run_id, str(path))["appended"] == len(shown)
    assert kinora.ok("ledger", "ingest", run_id, str(path)).startswith("0 appended, ")
    again = kinora.call_bytes("ledger", "ingest", run_id, given=path.read_bytes())
    assert again.stdout.startswith(b"0 appended, ")
    kinora.ok("runs", "cancel", run_id)
    told = [
        json.loads(line)
        for line in kinora.call("runs", "watch", run_id, "--json").stdout.splitlines()
    ]
    reported = [e for e in told if e.get("source") in ("worker", "external")]
    assert [event["type"] for event in reported] == shown
    assert told[-1]["type"] == "run.cancelled"


def uncounted(*lines: str) -> dict:
    """Lines of a worker that does not know how many there were before."""
    return {"type": "log.appended", "channel": "farm", "lines": list(lines)}


def test_a_worker_that_cannot_count_may_send_its_tail_again(kinora, ended, tmp_path):
    last = str(kinora.lines("runs", "watch", ended)[-1]["seq"])
    reports = [["a", "b", "b"], ["b", "b", "c"], ["a", "b", "b", "c"], ["c", "d", "c"]]
    for turn, lines in enumerate(reports):
        report = write(tmp_path / f"{turn}.jsonl", uncounted(*lines))
        kinora.ok("ledger", "ingest", ended, report)
    behind = kinora.lines("runs", "watch", ended, "--after", last)
    assert lines_of(behind) == ["a", "b", "b", "c", "d", "c"]
    shown = kinora.ok("runs", "watch", ended, "--after", last)
    assert shown.count("d\n") == 1 and shown.count("b\n") == 2


def test_a_log_that_is_full_says_so_and_counts_on(kinora, ended, tmp_path):
    before = kinora.lines("runs", "watch", ended)
    stored = len(lines_of(before))
    number, size = 0, 1000
    for turn in range(27):
        event = uncounted(*(f"line {number + i}" for i in range(size)))
        event["channelOffset"] = number
        number += size
        report = write(tmp_path / f"{turn}.jsonl", event)
        kinora.ok("ledger", "ingest", ended, report)
    last = str(before[-1]["seq"])
    lines = lines_of(kinora.lines("runs", "watch", ended, "--after", last))
    assert len(lines) + stored == 25000
    assert lines[-1] == "[kinora] the log is full: further lines are not stored"
    assert lines[:-1] == [f"line {i}" for i in range(len(lines) - 1)]
    shown = kinora.json("runs", "show", ended)
    assert int(shown["totalLogCount"]) == stored + number


# F: S2-96
@pytest.mark.parametrize(
    "event, why",
    [
        ({"type": "job.answered", "jobId": "Film"}, "is said by Kinora alone"),
        ({"type": "run.cancelled"}, "by the runner that carries the run out"),
        ({"type": "step.started", "stepId": " "}, "must not be blank"),
        ({"type": "step.started", "stepId": "a", "occurredAt": -1}, "occurred_at_ms"),
        ({"type": "log.appended", "runId": "run-of-another"}, "run_id"),
        ({"type": "log.appended", "lines": "x"}, "line 2: log.appended: lines"),
    ],
)
def test_one_event_that_is_refused_keeps_out_all(kinora, ended, tmp_path, event, why):
    good = {"type": "log.appended", "lines": ["good"]}
    report = write(tmp_path / "events.jsonl", good, event)
    said = kinora.fails("ledger", "ingest", ended, report)
    assert why in said
    assert "INVALID_ARGUMENT" in said
    everything = kinora.lines("runs", "watch", ended)
    assert "good" not in lines_of(everything)


# F: S2-87 S2-88 S2-89 S2-90 S2-93
def test_a_status_document_is_taken_once(kinora, ended, tmp_path):
    last = kinora.lines("runs", "watch", ended)[-1]["seq"]
    document = {
        "runId": ended,
        "status": "completed",
        "liveLogs": ["sent", "sent"],
        "liveLogsChannelOffset": 0,
        "liveNodeProgress": {"upload": {"completed": 3, "total": 3,
                                        "startedAt": 5, "completedAt": 9}},
    }  # fmt: skip
    path = write(tmp_path / "status.jsonl", document, document)
    said = kinora.json("ledger", "ingest", ended, path, "--patch")
    events = kinora.lines("runs", "watch", ended, "--after", str(last))
    assert [event["type"] for event in events] == ["log.appended", "step.progress"]
    assert said == {"appended": 2, "lastSequence": events[-1]["seq"]}
    assert lines_of(events) == ["sent", "sent"]


def test_a_run_that_is_not_there_is_named(kinora, tmp_path):
    nobody = "run-01J9ZZZZZZZZZZZZZZZZZZZZZZ"
    nothing = write(tmp_path / "nothing.jsonl")
    assert "RUN_NOT_FOUND" in kinora.fails("ledger", "ingest", nobody, nothing)
