"""Watchers of one run that are cut off at random, a thousand times in all, while
the store and the runner are killed (SIGKILL) under them: each goes on behind
the last event that it has seen, and in the end has seen 1 to n, each event
once, in order and as all the others have, and then its stream ends.

KINORA_DISCONNECTS (1000) are shared by the watchers; where and how they fall,
and the KINORA_WATCH_KILLS (12) kills, KINORA_DISCONNECTS_SEED says, which each
run of the test prints.
"""

from __future__ import annotations

import concurrent.futures
import os
import random
import threading
import time

import grpc
import pytest

from cluster import Separate, sim, write_producers
from watching import Watcher, ledger_of

DISCONNECTS = int(os.environ.get("KINORA_DISCONNECTS", "1000"))
KILLS = int(os.environ.get("KINORA_WATCH_KILLS", "12"))
SEED = int(os.environ.get("KINORA_DISCONNECTS_SEED", random.randrange(2**32)))

WATCHERS = 20

# 60 chains of five jobs: 300, of which each starts, logs and completes.
CHAINS = 60
STAGES = 5
JOBS = CHAINS * STAGES
EVENTS = 3 * JOBS  # at least
WHOLE = 1000 * EVENTS  # no run has so many

# After a refusal, as the command line does; it is nobody's to wake watchers when
# a server is back.
PAUSE_S = 0.05

VICTIMS = [("store",), ("runner",), ("runner", "store")]


def blueprint() -> str:
    lines = [
        "blueprint: chains",
        f"dimensions: {{chain: {{size: {CHAINS}}}}}",
        "nodes:",
    ]
    for stage in range(STAGES):
        reads = f'"Made{stage - 1}[chain]"' if stage else ""
        lines += [
            f"  Stage{stage}:",
            "    producer: stage",
            "    over: [chain]",
            "    settings: {delay_ms: 5, log_lines: 2}",
            f"    inputs: {{{f'from: {reads}' if reads else ''}}}",
            f"    outputs: {{Made{stage}: text/plain}}",
        ]
    lines.append(f"outputs: [Made{STAGES - 1}]")
    return "\n".join(lines) + "\n"


class Progress:
    """How far the first of the watchers is, and whether one has failed."""

    def __init__(self):
        self._changed = threading.Condition()
        self._position = 0
        self._over = False

    def reached(self, position: int) -> None:
        with self._changed:
            self._position = max(self._position, position)
            self._changed.notify_all()

    def finish(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def wait_for(self, position: int) -> bool:
        """False if all is over before."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._position >= position)
            return not self._over


def kill(servers: Separate, victims: tuple[str, ...]) -> None:
    """Kills them together, then starts them again where they were."""
    for name in victims:
        getattr(servers, name).kill()
    if "store" in victims:
        servers.start_store(listen=servers.store.address)
    if "runner" in victims:
        servers.start_runner(listen=servers.runner.address)


def watch_with_disconnects(
    watcher: Watcher, count: int, rng: random.Random, progress: Progress
) -> int:
    """Watches to the run's end and is cut off `count` times, of its own will:
    those that the run is too short for fall on later looks at it, from anywhere.
    Returns how often a server has cut it off."""
    apart = max(1, EVENTS // max(1, count))
    cut_off = 0
    ended = False
    while count > 0 or not ended:
        if ended:
            watcher.position = rng.randint(0, watcher.end - 1)
        events = rng.randint(0, 2 * apart) if count > 0 else WHOLE
        try:
            ended = watcher.watch(events, hangs_up=rng.random() < 0.25)
            count -= not ended
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
            ended = False
            cut_off += 1
            time.sleep(PAUSE_S)
        progress.reached(watcher.position)
    return cut_off


@pytest.fixture
def servers(tmp_path):
    with sim(tmp_path) as producer:
        table = write_producers(tmp_path, producer.address, "stage", concurrency=16)
        servers = Separate(tmp_path, table, lease_seconds=1)
        yield servers
        servers.stop()


# F: F3, S3-24, Invariant 9 (replay then follow, across restarts of everything)
def test_each_watcher_sees_every_event_once_however_it_is_cut_off(servers, tmp_path):
    print(f"KINORA_DISCONNECTS_SEED={SEED}")
    rng = random.Random(SEED)
    path = tmp_path / "chains.yaml"
    path.write_text(blueprint())
    servers.kinora.ok("movie", "create", "film", "--blueprint", str(path))
    # The kills are planned before the run, so that they do not depend on it.
    kills = sorted(rng.sample(range(1, EVENTS), KILLS))
    plan = [(event, rng.choice(VICTIMS)) for event in kills]
    run_id = servers.kinora.json("run", "film", "--detach")["run"]["runId"]
    watchers = [Watcher(servers.runner.address, run_id) for _ in range(WATCHERS)]
    shares = [DISCONNECTS // WATCHERS] * WATCHERS
    shares[0] += DISCONNECTS % WATCHERS
    progress = Progress()
    with concurrent.futures.ThreadPoolExecutor(WATCHERS) as pool:
        done = [
            pool.submit(
                watch_with_disconnects,
                watcher,
                share,
                random.Random(rng.randrange(2**32)),
                progress,
            )
            for watcher, share in zip(watchers, shares)
        ]
        for each in done:
            each.add_done_callback(lambda d: d.exception() and progress.finish())
        for event, victims in plan:
            if not progress.wait_for(event):
                break
            kill(servers, victims)
        cut_off = sum(each.result() for each in done)
    ledger = ledger_of(servers.store.address, "film", run_id)
    end = watchers[0].end
    assert list(ledger) == list(range(1, end + 1))
    assert end >= EVENTS
    for watcher in watchers:
        assert watcher.seen == ledger
        watcher.close()
    empty = sum(watcher.empty for watcher in watchers)
    print(f"{end} events; cut off {cut_off} times more; {empty} bookmarks alone")
