"""Watches that begin with the run as it stands, while its store and its runner are
killed (SIGKILL): the snapshot is what the ledger tells up to its last event, and
every event behind that comes once."""

from __future__ import annotations

import concurrent.futures
import json

import grpc
import pytest

from cluster import Separate, sim, write_producers
from watching import (
    LIMIT_S,
    Watcher,
    event_pb2,
    is_terminal,
    ledger_of,
    runner_pb2_grpc,
    watch_request,
)

JOBS = 400

# Long enough that the kills fall into it.
BLUEPRINT = f"""
blueprint: wide
dimensions: {{part: {{size: {JOBS}}}}}
nodes:
  Part:
    producer: work
    over: [part]
    settings: {{delay_ms: 50, log_lines: 1}}
    outputs: {{Made: text/plain}}
outputs: [Made]
"""


@pytest.fixture
def servers(tmp_path):
    with sim(tmp_path) as producer:
        table = write_producers(tmp_path, producer.address, "work", concurrency=16)
        servers = Separate(tmp_path, table, lease_seconds=1)
        yield servers
        servers.stop()


def start(servers: Separate, tmp_path) -> str:
    path = tmp_path / "blueprint.yaml"
    path.write_text(BLUEPRINT)
    servers.kinora.ok("movie", "create", "film", "--blueprint", str(path))
    return servers.kinora.json("run", "film", "--detach")["run"]["runId"]


def kill_all(servers: Separate) -> None:
    """And starts them again where they were."""
    servers.runner.kill()
    servers.store.kill()
    servers.start_store(listen=servers.store.address)
    servers.start_runner(listen=servers.runner.address)


def completed_in(snapshot) -> set[str]:
    return {job.job_id for job in snapshot.jobs if job.status == "completed"}


def completed_through(ledger: dict[int, bytes], last: int) -> set[str]:
    """The same of the events up to `last`."""
    events = (event_pb2.Event.FromString(ledger[i]) for i in range(1, last + 1))
    return {
        event.ledger.step_completed.step.step_id
        for event in events
        if event.ledger.HasField("step_completed")
    }


def behind(ledger: dict[int, bytes], sequence: int) -> dict[int, bytes]:
    return {i: content for i, content in ledger.items() if i > sequence}


# F: F3, S3-13, Invariant 9
def test_snapshot_and_events_are_the_run_across_restarts(servers, tmp_path):
    run_id = start(servers, tmp_path)
    address = servers.runner.address
    watchers = [Watcher(address, run_id)]
    snapshots = [watchers[0].begin_with_snapshot()]
    with (
        servers.kinora.start("runs", "watch", run_id, "--snapshot", "--json") as shown,
        concurrent.futures.ThreadPoolExecutor(1) as pool,
    ):
        # The command line resumes by itself, once it has begun.
        begin = json.loads(shown.stdout.readline())
        rest = pool.submit(shown.stdout.readlines)
        for _ in range(2):
            # Well into the run, by one that is cut off there.
            assert not watchers[-1].watch(50, hangs_up=False)
            kill_all(servers)
            watchers.append(Watcher(address, run_id))
            snapshots.append(watchers[-1].begin_with_snapshot())
        # Each goes on where it was, without a snapshot.
        for watcher in watchers:
            assert watcher.watch(10**9, hangs_up=False)
        shown_events = [json.loads(line) for line in rest.result()]
    ledger = ledger_of(servers.store.address, "film", run_id)
    end = len(ledger)
    assert list(ledger) == list(range(1, end + 1))
    assert is_terminal(event_pb2.Event.FromString(ledger[end]))
    begins = [snapshot.last_sequence for snapshot in snapshots]
    assert sorted(begins) == begins and begins[-1] < end
    for watcher, snapshot in zip(watchers, snapshots):
        assert watcher.seen == behind(ledger, snapshot.last_sequence)
        assert completed_in(snapshot) == completed_through(
            ledger, snapshot.last_sequence
        )
        watcher.close()
    assert [event["seq"] for event in shown_events] == list(
        range(begin["snapshot"]["lastSequence"] + 1, end + 1)
    )

    # Of a run that has ended the snapshot is all, and history is given to who
    # asks for it.
    with grpc.insecure_channel(address) as channel:
        stub = runner_pb2_grpc.RunnerServiceStub(channel)
        for after, first in ((0, end + 1), (-1, 1), (end - 3, end - 2)):
            request = watch_request(run_id, after)
            request.with_snapshot = True
            messages = list(stub.WatchRun(request, timeout=LIMIT_S))
            assert messages[0].snapshot.last_sequence == end
            assert len(messages[0].snapshot.jobs) == JOBS
            assert not any(m.HasField("snapshot") for m in messages[1:])
            assert [e.sequence for m in messages for e in m.events] == list(
                range(first, end + 1)
            )
            assert messages[-1].bookmark.sequence == end

    # The same on the command line.
    (only,) = servers.kinora.lines("runs", "watch", run_id, "--snapshot")
    assert only["snapshot"]["lastSequence"] == end
    assert only["snapshot"]["record"]["status"] == "completed"
    again, *events = servers.kinora.lines(
        "runs", "watch", run_id, "--snapshot", "--after", str(end - 2)
    )
    assert again == only
    assert [event["seq"] for event in events] == [end - 1, end]
    text = servers.kinora.ok("runs", "watch", run_id, "--snapshot")
    assert text.startswith(f"event {end}  completed  jobs: 0 running, ")
