"""Many watchers of one run, and slow ones: what they see, and what they cost the
runner."""

from __future__ import annotations

import asyncio
import itertools

import grpc
import pytest

from cluster import Separate, sim, write_producers
from watching import (
    CHANNEL,
    LIMIT_S,
    Watcher,
    content_of,
    is_terminal,
    ledger_of,
    runner_pb2,
    runner_pb2_grpc,
    watch_request,
)

# The simulated producer's name for what it asks.
QUESTION = "sim"

# Prepared work, a question, and work behind it.
ASKING = """
blueprint: asking
dimensions: {part: {size: 40}}
nodes:
  Before:
    producer: work
    over: [part]
    settings: {log_lines: 10}
    outputs: {Made: text/plain}
  Title:
    producer: work
    settings: {question: "What is it called?"}
    inputs: {made: {all: "Made[part]"}}
    outputs: {Title: text/plain}
  After:
    producer: work
    over: [part]
    inputs: {title: "Title"}
    outputs: {Done: text/plain}
outputs: [Done]
"""

WATCHERS = 1000
CONNECTIONS = 20
MIB_OF_A_WATCHER = 0.25

# A ledger of many pages.
LONG = """
blueprint: long
dimensions: {part: {size: 10000}}
nodes:
  Part:
    producer: work
    over: [part]
    outputs: {Made: text/plain}
outputs: [Made]
"""

SLOW_READERS = 32
MIB_OF_A_SLOW_READER = 2


@pytest.fixture
def servers(tmp_path):
    with sim(tmp_path) as producer:
        table = write_producers(tmp_path, producer.address, "work", concurrency=16)
        servers = Separate(tmp_path, table)
        yield servers
        servers.stop()


def start(servers: Separate, tmp_path, blueprint: str) -> str:
    path = tmp_path / "blueprint.yaml"
    path.write_text(blueprint)
    servers.kinora.ok("movie", "create", "film", "--blueprint", str(path))
    return servers.kinora.json("run", "film", "--detach")["run"]["runId"]


def wait_for_question(servers: Separate, run_id: str) -> None:
    """Until the run waits for an answer alone."""
    with servers.kinora.start("runs", "watch", run_id, "--json") as watch:
        for line in watch.stdout:
            if '"run.waiting"' in line:
                watch.kill()
                return
    raise AssertionError("nobody asked anything")


def last_of_snapshot(servers: Separate, run_id: str) -> int:
    """Where the snapshot of a run ends: a watch from there misses nothing."""
    with grpc.insecure_channel(servers.runner.address) as channel:
        stub = runner_pb2_grpc.RunnerServiceStub(channel)
        request = runner_pb2.GetRunRequest(run_id=run_id)
        return stub.GetRun(request, timeout=LIMIT_S).run.last_sequence


class AwaitingWatcher:
    """One of the thousand: it begins anywhere, and is cut off once it has been
    told by a heartbeat where it is."""

    def __init__(self, stub, run_id: str, after: int):
        self._stub = stub
        self._run_id = run_id
        self.first = after + 1
        self._position = after
        self.seen: list[bytes] = []

    def _call(self):
        request = watch_request(self._run_id, self._position)
        return self._stub.WatchRun(request, timeout=LIMIT_S)

    def _take(self, message) -> None:
        for event in message.events:
            assert event.sequence == self._position + 1
            self._position = event.sequence
            self.seen.append(content_of(event))
        assert message.bookmark.sequence == self._position

    async def watch_until_heartbeat(self, last: int) -> None:
        """Whose bookmark is at the last event, and leaves."""
        call = self._call()
        async for message in call:
            self._take(message)
            if not message.events:
                assert message.bookmark.sequence == last
                call.cancel()
                return
        raise AssertionError("the watch has ended before the run")

    async def watch_to_the_end(self, began: asyncio.Event) -> None:
        async for message in self._call():
            began.set()
            self._take(message)
        assert is_terminal(message.events[-1])


# F: F3 (1,000 watchers of one run; heartbeats carry a bookmark to resume from)
def test_a_thousand_watchers_of_a_run_that_waits(servers, tmp_path):
    run_id = start(servers, tmp_path, ASKING)
    wait_for_question(servers, run_id)
    last = last_of_snapshot(servers, run_id)
    assert last > 0
    before = servers.runner.peak_mib

    async def watch_all() -> list[AwaitingWatcher]:
        channels = [
            grpc.aio.insecure_channel(servers.runner.address, CHANNEL)
            for _ in range(CONNECTIONS)
        ]
        stubs = itertools.cycle(map(runner_pb2_grpc.RunnerServiceStub, channels))
        # All of them resume from somewhere, also from the ledger's beginning
        # and from the snapshot.
        watchers = [
            AwaitingWatcher(next(stubs), run_id, number % (last + 1))
            for number in range(WATCHERS)
        ]
        await asyncio.gather(*(w.watch_until_heartbeat(last) for w in watchers))
        # They come back where the heartbeat said, all before the answer.
        begun = [asyncio.Event() for _ in watchers]
        ends = asyncio.gather(
            *(w.watch_to_the_end(b) for w, b in zip(watchers, begun))
        )
        await asyncio.gather(*(b.wait() for b in begun))
        servers.kinora.ok("answer", run_id, QUESTION, "The Whale")
        await ends
        for channel in channels:
            await channel.close()
        return watchers

    watchers = asyncio.run(watch_all())
    grown = servers.runner.peak_mib - before
    ledger = ledger_of(servers.store.address, "film", run_id)
    whole = [ledger[sequence] for sequence in range(1, len(ledger) + 1)]
    assert len(whole) > last
    for watcher in watchers:
        assert watcher.seen == whole[watcher.first - 1 :]
    print(f"{len(whole)} events; {grown:.0f} MiB for {WATCHERS} watchers")
    assert grown < WATCHERS * MIB_OF_A_WATCHER


# F: F3 (slow readers cost bounded memory)
def test_readers_that_stop_cost_a_page_each(servers, tmp_path):
    run_id = start(servers, tmp_path, LONG)
    assert servers.kinora.call("runs", "watch", run_id).returncode == 0
    ledger = ledger_of(servers.store.address, "film", run_id)
    size_mib = sum(map(len, ledger.values())) / 2**20
    # In memory events are several times as large as on the wire.
    assert size_mib > MIB_OF_A_SLOW_READER

    servers.runner.stop()  # what the run took is no part of it
    servers.start_runner(listen=servers.runner.address)
    before = servers.runner.peak_mib
    slow = [Watcher(servers.runner.address, run_id) for _ in range(SLOW_READERS)]
    calls = [each.begin() for each in slow]
    # Each has taken a message, and leaves the rest with the runner for as long
    # as others read the whole ledger.
    for _ in range(2):
        quick = Watcher(servers.runner.address, run_id)
        assert quick.watch(2 * len(ledger), hangs_up=False)
        assert quick.seen == ledger
        quick.close()
    grown = servers.runner.peak_mib - before
    print(
        f"{len(ledger)} events, {size_mib:.0f} MiB; {grown:.0f} MiB for "
        f"{SLOW_READERS} slow readers"
    )
    assert grown < SLOW_READERS * MIB_OF_A_SLOW_READER
    for each, call in zip(slow, calls):
        each.finish(call)
        assert each.seen == ledger
        each.close()
