"""A run of which nothing goes on says why, and until when, wherever one looks."""

import re
import threading
import time

import pytest

from cluster import COMMAND_LIMIT_S, Kinora, sim, up

BLUEPRINT = """
blueprint: busy
nodes:
  Busy:
    producer: busy
    settings: {fail_attempts: 1, fail_code: RESOURCE_EXHAUSTED, retry_after_ms: 600000}
    outputs: {Busy: text/plain}
outputs: [Busy]
"""

WHY = "busy asked not to be called yet"
UNTIL = r", until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


@pytest.fixture
def kinora(tmp_path):
    with sim(tmp_path) as producer:
        table = tmp_path / "producers.yaml"
        table.write_text(
            f"producers:\n  busy: {{target: 'dns:///{producer.address}'}}\n"
        )
        process = up(tmp_path, table)
        yield Kinora(process.address)
        assert process.stop() == 0, process.log()


def watch_until(kinora, run_id: str, pattern: str) -> None:
    watch = kinora.start("runs", "watch", run_id)
    limit = threading.Timer(COMMAND_LIMIT_S, watch.kill)
    limit.start()
    try:
        for line in watch.stdout:
            if re.search(pattern, line):
                return
    finally:
        limit.cancel()
        watch.kill()
        watch.communicate()
    raise AssertionError(f"never said: {pattern}")


def listed_as(kinora, status: str) -> dict:
    """The run as the list has it; its record is written behind its ledger."""
    deadline = time.monotonic() + COMMAND_LIMIT_S
    while time.monotonic() < deadline:
        (run,) = kinora.json("runs", "list")["runs"]
        if run["status"] == status:
            return run
        time.sleep(0.05)
    raise AssertionError(f"never {status}: {run}")


def test_a_run_whose_producer_is_left_alone_says_so(kinora, tmp_path):
    (tmp_path / "busy.yaml").write_text(BLUEPRINT)
    kinora.ok("movie", "create", "film", "--blueprint", str(tmp_path / "busy.yaml"))
    run_id = kinora.json("run", "film", "--detach")["run"]["runId"]
    watch_until(kinora, run_id, "waiting  producer  " + WHY + UNTIL)

    run = kinora.json("runs", "show", run_id)
    assert run["record"]["status"] == "waiting"
    assert run["waitReason"] == run["record"]["wait"]["reason"] == "producer"
    assert run["record"]["wait"]["message"] == WHY
    assert "simulated RESOURCE_EXHAUSTED" in run["jobs"][0]["detail"]
    shown = kinora.ok("runs", "show", run_id)
    assert re.search("waits: producer: " + WHY + UNTIL, shown), shown

    wait = listed_as(kinora, "waiting")["wait"]
    assert wait == run["record"]["wait"]
    assert re.search("producer: " + WHY + UNTIL, kinora.ok("runs", "list"))

    kinora.ok("runs", "cancel", run_id)
    assert "wait" not in listed_as(kinora, "cancelled")
