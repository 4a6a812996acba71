"""Two runners over one store, and the network between them and the store cut.

The runner that is cut off carries a film out; the other adopts the run once its
lease has expired. Whenever the first one is heard of again, it has nothing to
say: the run ends once, every job counts once, and the film is the one that
nobody has disturbed. A cut that is shorter than the lease changes nothing.

The cuts fall on events chosen by KINORA_NETWORK_CUT_SEED, which a failure
names; there are KINORA_NETWORK_CUTS (20) of them.
"""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from two_runners import TwoRunners, Watch

CUTS = int(os.environ.get("KINORA_NETWORK_CUTS", "20"))
SEED = int(os.environ.get("KINORA_NETWORK_CUT_SEED", random.randrange(2**32)))


def cluster(tmp_path_factory, lease_seconds: int):
    two = TwoRunners(tmp_path_factory.mktemp("cuts"), lease_seconds)
    try:
        two.serve()
        yield two
    finally:
        two.stop()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Leases expire as soon as they can."""
    yield from cluster(tmp_path_factory, 1)


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """Leases outlive a short cut, also on a busy machine."""
    yield from cluster(tmp_path_factory, 6)


# Which ways are cut.
WAYS = [
    {},
    {"requests": False},  # what is asked is done, but nobody is told
    {"answers": False},
]


def variants(name: str, count: int):
    """Each with random numbers of its own, so that it can be had alone."""
    seeds = [f"{SEED}-{name}-{i}" for i in range(count)]
    return pytest.mark.parametrize("seed", seeds)


# F: Invariant 11 (one owner, no event lost or doubled, whatever is cut)
@variants("long", CUTS - CUTS // 4)
def test_a_runner_that_was_cut_off_has_nothing_more_to_say(two, seed):
    print(f"KINORA_NETWORK_CUT_SEED={SEED}")
    rng = random.Random(seed)
    ways = rng.choice(WAYS)
    resets = rng.random() < 0.4
    movie, run_id = two.begin()
    with Watch(two.b, run_id) as watch:
        watch.until_seq(rng.randrange(2, two.events - 4))
        two.a.link.cut(**ways)
        try:
            adopted = watch.until_adopted()
            calls = two.a.calls()
            # From the moment of its adoption to after the end of the run.
            healed_at = watch.seen + rng.randrange(0, two.events + 20)
            watch.until_seq(healed_at)
        finally:
            two.a.link.heal(reset=resets)
        watch.until_end()
    two.a.wait_until_done_with(run_id)
    adoptions = two.check(movie, run_id)
    assert adoptions >= int(adopted)
    # A busy machine may be too slow for the lease of the other, too.
    if adopted and adoptions == 1:
        assert two.b.has_adopted(run_id)
        assert two.a.calls() == calls


# F: Invariant 11 (a lease that is still held is held on to)
@variants("short", CUTS // 4)
def test_a_cut_shorter_than_the_lease_changes_nothing(patient, seed):
    print(f"KINORA_NETWORK_CUT_SEED={SEED}")
    rng = random.Random(seed)
    ways = rng.choice(WAYS)
    movie, run_id = patient.begin()
    with Watch(patient.b, run_id) as watch:
        watch.until_seq(rng.randrange(2, patient.events - 4))
        patient.a.link.cut(**ways)
        time.sleep(rng.uniform(0.05, 0.5))  # so long is the cut
        patient.a.link.heal()
        watch.until_end()
    patient.a.wait_until_done_with(run_id)
    assert patient.check(movie, run_id) == 0
    assert not patient.b.has_adopted(run_id)


# The runner has written down that it calls a producer, is told so when another
# has the run, and must not make that call.
def test_an_answer_that_comes_too_late_starts_nothing(two):
    movie, run_id = two.begin()
    with Watch(two.b, run_id) as watch:
        watch.until(lambda event: event["type"] == "step.started")
        two.a.link.cut(requests=False)
        try:
            two.a.link.wait_for_held_answer()
            assert watch.until_adopted()
            calls = two.a.calls()
        finally:
            two.a.link.heal()
        watch.until_end()
    two.a.wait_until_done_with(run_id)
    adoptions = two.check(movie, run_id)
    assert adoptions >= 1
    if adoptions == 1:
        assert two.a.calls() == calls


# Packets that vanish: the runner's calls of the store neither fail nor end, for
# half a minute. Its lease has expired long before, and by its own clock: it gives
# up what it calls before anybody else calls the same.
# F: Invariant 11 (who cannot know that the lease is held gives its calls up)
def test_calls_are_given_up_in_time_when_the_store_is_a_black_hole(two):
    movie, run_id = two.begin()
    with Watch(two.b, run_id) as watch:
        watch.until_seq(two.events // 3)
        began = time.monotonic()
        two.a.link.swallow()
        try:
            two.a.wait_until_lease_is_given_up()
            took = time.monotonic() - began
            assert watch.until_adopted()
            calls = two.a.calls()
            watch.until_end()
        finally:
            two.a.link.heal()
    # Not after the 30 seconds of a call.
    assert took < 15, took
    two.a.wait_until_done_with(run_id)
    adoptions = two.check(movie, run_id)
    assert adoptions >= 1
    if adoptions == 1:
        assert two.a.calls() == calls


# The run goes from A to B and back, whose own earlier self must not disturb it.
@pytest.mark.parametrize("resets", [False, True])
def test_a_run_that_was_given_away_may_come_back(two, resets):
    movie, run_id = two.begin()
    a, b = two.a.link, two.b.link
    b.delay(0.03)  # or it is done before it is cut off
    try:
        with Watch(two.b, run_id) as watch:
            watch.until_seq(two.events // 5)
            a.cut()
            assert watch.until_adopted()
            watch.until(lambda event: event["type"] == "step.completed")
            b.cut()
        a.heal(reset=resets)
        with Watch(two.a, run_id, after=watch.seen) as watch:
            assert watch.until_adopted()
            calls = two.b.calls()
            watch.until_end()
    finally:
        a.heal()
        b.delay(0)
        b.heal(reset=resets)
    two.b.wait_until_done_with(run_id)
    adoptions = two.check(movie, run_id)
    assert adoptions >= 2
    if adoptions == 2:
        assert two.b.calls() == calls


# Connections that break all the time, over a slow line.
def test_broken_connections_cost_time_only(patient):
    movie, run_id = patient.begin()
    link = patient.a.link
    link.delay(0.005)
    try:
        with Watch(patient.b, run_id) as watch:
            for event in range(10, patient.events, patient.events // 5):
                watch.until_seq(event)
                link.reset()
            # It may hit what must not be repeated: then the run is adopted.
            watch.until_end()
    finally:
        link.delay(0)
    patient.check(movie, run_id)


# One that hangs is as good as gone; when it goes on, it is not.
def test_a_runner_that_was_stopped_has_nothing_more_to_say(two):
    movie, run_id = two.begin()
    with Watch(two.b, run_id) as watch:
        watch.until_seq(two.events // 3)
        two.a.process.signal(signal.SIGSTOP)
        try:
            adopted = watch.until_adopted()
            watch.until(lambda event: event["type"] == "step.completed")
        finally:
            two.a.process.signal(signal.SIGCONT)
        watch.until_end()
    two.a.wait_until_done_with(run_id)
    assert two.check(movie, run_id) >= int(adopted)
