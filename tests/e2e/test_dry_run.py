"""A dry run goes the whole way of a run and leaves nothing behind."""

import pytest

from cluster import Separate, files_below, sim, write_producers
from conftest import FILM_PRODUCERS
from test_budget import create as create_paid
from test_incremental import create


# F: B-8
def test_a_dry_run_tells_what_a_run_would_do_and_writes_nothing(
    server, kinora, film, tmp_path
):
    create(kinora, film())
    run_id = kinora.run("film").run_id
    # A run's record comes after its ledger, which `run` waits for.
    server.wait_for_log(f'msg="run ended" run={run_id}')
    before = files_below(tmp_path / "data")
    story = tmp_path / "story.txt"
    story.write_text("A longer story. " * 1000)
    said = kinora.ok(
        "run", "film", "--dry-run",
        "--set", "SegmentCount=5", "--set", f"Story=file:{story}",
    )
    lines = said.splitlines()
    assert "rev-0002" in lines[0]
    assert any(line.startswith("  start    Clip[segment=4]") for line in lines)
    assert lines[-1] == (
        "dry run: 12 jobs would be called, 0 reused; nothing was written"
    )
    assert files_below(tmp_path / "data") == before
    assert len(kinora.json("runs", "list")["runs"]) == 1

    run_id = lines[0].split()[0]
    shown = kinora.json("runs", "show", run_id)
    assert shown["record"]["dryRun"] is True
    assert shown["record"]["status"] == "completed"
    assert len(shown["jobs"]) == 12
    assert "dry run: nothing of it" in kinora.ok("runs", "show", run_id)
    watched = kinora.lines("runs", "watch", run_id)
    assert watched[-1]["type"] == "run.completed"

    # The next run does what it would have done without.
    assert kinora.run("film").called == set()
    changed = kinora.run("film", "--set", "SegmentCount=4")
    assert changed.end == "run.completed"


# F: B-8
def test_a_dry_run_costs_the_most_that_it_may(kinora, tmp_path):
    create_paid(kinora, tmp_path)
    said = kinora.ok("run", "film", "--dry-run")
    assert said.splitlines()[-1] == (
        "dry run: 6 jobs would be called, 0 reused; at most 3.00 USD; "
        "nothing was written"
    )
    record = kinora.lines("run", "film", "--dry-run")[0]["run"]
    assert record["cost"] == {"currencyCode": "USD", "micros": 3000000}
    assert record["jobs"]["succeeded"] == 6

    stopped = kinora.call("run", "film", "--dry-run", "--budget", "USD 1.20")
    assert stopped.returncode == 1
    assert "cancelled: a run would wait: budget" in stopped.stdout
    assert "2 jobs would be called" in stopped.stdout
    assert "--dry-run" in kinora.fails("run", "film", "--dry-run", "--queue")


@pytest.fixture
def separate(tmp_path):
    with sim(tmp_path) as producer:
        table = write_producers(tmp_path, producer.address, *FILM_PRODUCERS)
        cluster = Separate(tmp_path, table)
        yield cluster
        assert cluster.stop() == [0, 0, 0]


# F: B-8 Between processes, and beside a run that goes on.
def test_a_run_that_is_active_goes_on(separate, film, tmp_path):
    kinora = separate.kinora
    create(kinora, film("{delay_ms: 600000}"))
    run_id = kinora.json("run", "film", "--detach")["run"]["runId"]
    dry = kinora.run("film", "--dry-run")
    assert dry.end == "run.completed"
    assert "Film" in dry.called
    assert kinora.json("runs", "show", run_id)["record"]["status"] == "running"
    kinora.ok("runs", "cancel", run_id)
