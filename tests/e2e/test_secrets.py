"""Secrets that a producer lets slip reach neither a log nor the store."""

import os

from cluster import Kinora, files_below, python_producer, up

SECRET = "correct-horse-battery"
TOKEN = "sk-abcdefghijklmnopqrstuvwx"

# Everything that a producer may say, but for what it makes.
PRODUCER = f"""
from kinora import Producer, Rejected, Retryable

painter = Producer("painter", version="1")

@painter.job
def paint(job):
    job.log("key {SECRET}", "Authorization: Bearer {TOKEN}")
    job.progress(0.5, "asking with {SECRET}")
    if job.attempt == 1:
        raise Retryable("401 for {SECRET}")
    job.ask("again", "Once more with {SECRET}?", "confirm")
    job.write("Picture", "a sea")
    return {{"request": "with {SECRET}"}}

@painter.look_up
def look_up(key):
    raise RuntimeError("{SECRET}")

critic = Producer("critic", version="1")

@critic.job
def judge(job):
    raise Rejected("no for {SECRET}")

from kinora import serve
serve(painter, critic)
"""

BLUEPRINT = """
blueprint: sea
nodes:
  Sea: {producer: painter, outputs: {Picture: text/plain}}
  Critique: {producer: critic, inputs: {picture: Picture}, outputs: {Text: text/plain}}
outputs: [Text]
"""


def test_what_a_producer_lets_slip_is_written_nowhere(tmp_path):
    (tmp_path / "sea.yaml").write_text(BLUEPRINT)
    producer = python_producer(tmp_path / "painter.py", PRODUCER)
    table = tmp_path / "producers.yaml"
    entry = f"{{target: 'dns:///{producer.address}', redact: [$THE_KEY, $NO_KEY]}}"
    table.write_text(f"producers:\n  painter: {entry}\n  critic: {entry}\n")
    os.environ["THE_KEY"] = SECRET
    try:
        server = up(tmp_path, table, "--log-level", "debug")
    finally:
        del os.environ["THE_KEY"]
    try:
        server.wait_for_log('a variable to redact is not set.*NO_KEY', count=2)
        kinora = Kinora(server.address)
        kinora.ok("movie", "create", "sea", "--blueprint", str(tmp_path / "sea.yaml"))
        run_id = kinora.json("run", "sea", "--detach")["run"]["runId"]
        asked = None
        with kinora.start("runs", "watch", run_id, "--json") as watch:
            for line in watch.stdout:
                if '"job.question"' in line:
                    asked = line
                    watch.kill()
        assert "Once more with [redacted]?" in asked
        kinora.ok("answer", run_id, "again", "yes")
        events = kinora.call("runs", "watch", run_id, "--json").stdout
        assert "401 for [redacted]" in events and "no for [redacted]" in events
        assert "asking with [redacted]" in events and "key [redacted]" in events
        assert kinora.json("runs", "show", run_id)["record"]["status"] == "failed"
    finally:
        assert server.stop() == 0
        producer.stop()
    files = files_below(tmp_path / "data")
    assert any(b"[redacted]" in data for data in files.values())
    for secret in (SECRET, TOKEN):
        holders = [name for name, data in files.items() if secret.encode() in data]
        assert holders == []
        assert secret not in server.whole_log()
