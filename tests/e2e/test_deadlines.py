"""A job has so much time in all, whatever its attempts do with it."""

import time

import pytest

from cluster import Kinora, sim, up

# Each fails in a way of its own; Fine and After stand beside and behind them.
BLUEPRINT = """
blueprint: late
nodes:
  Slow:
    producer: slow
    settings: {delay_ms: 60000}
    limits: {job_timeout_seconds: 1}
    outputs: {Slow: text/plain}
  Flaky:
    producer: flaky
    settings: {fail_attempts: 99, delay_ms: 300}
    limits: {max_attempts: 100, job_timeout_seconds: 2}
    outputs: {Flaky: text/plain}
  Busy:
    producer: busy
    settings: {fail_attempts: 99, fail_code: RESOURCE_EXHAUSTED, retry_after_ms: 600000}
    limits: {job_timeout_seconds: 30}
    outputs: {Busy: text/plain}
  Table:
    producer: impatient
    settings: {delay_ms: 60000}
    outputs: {Table: text/plain}
  After:
    producer: fine
    inputs: {slow: Slow}
    outputs: {After: text/plain}
  Fine:
    producer: fine
    settings: {delay_ms: 3000}
    outputs: {Fine: text/plain}
outputs: [After, Flaky, Busy, Table, Fine]
"""


@pytest.fixture
def kinora(tmp_path):
    with sim(tmp_path) as producer:
        table = tmp_path / "producers.yaml"
        lines = ["producers:"]
        for name in ("slow", "flaky", "busy", "fine"):
            lines.append(f"  {name}: {{target: 'dns:///{producer.address}'}}")
        lines.append(
            f"  impatient: {{target: 'dns:///{producer.address}', job_timeout_seconds: 2}}"
        )
        table.write_text("\n".join(lines) + "\n")
        process = up(tmp_path, table)
        yield Kinora(process.address)
        assert process.stop() == 0, process.log()


# F: S1-53 B-9
def test_a_job_whose_time_is_over_fails_and_its_siblings_go_on(kinora, tmp_path):
    (tmp_path / "late.yaml").write_text(BLUEPRINT)
    kinora.ok("movie", "create", "late", "--blueprint", str(tmp_path / "late.yaml"))
    begun = time.monotonic()
    assert kinora.call("run", "late").returncode == 1
    # Nobody waits for an attempt that will not be made.
    assert time.monotonic() - begun < 30

    run = kinora.json("runs", "list")["runs"][0]
    jobs = {
        job["jobId"]: job for job in kinora.json("runs", "show", run["runId"])["jobs"]
    }
    assert {name: job["status"] for name, job in jobs.items()} == {
        "Slow": "failed",
        "Flaky": "failed",
        "Busy": "failed",
        "Table": "failed",
        "After": "skipped",
        "Fine": "completed",
    }
    assert jobs["Slow"]["attempts"] == 1
    slow = jobs["Slow"]["detail"]
    assert slow.startswith("job timeout of 1 s is over after 1 attempt: "), slow
    attempts = jobs["Flaky"]["attempts"]
    assert 2 <= attempts < 10
    flaky = jobs["Flaky"]["detail"]
    assert flaky.startswith(f"job timeout of 2 s is over after {attempts} attempts"), flaky
    assert jobs["Busy"]["detail"] == (
        "job timeout of 30 s is over after 1 attempt, before the next one is due: "
        "simulated RESOURCE_EXHAUSTED in attempt 1 of Busy"
    )
    table = jobs["Table"]["detail"]
    assert table.startswith("job timeout of 2 s is over after 1 attempt: "), table
