"""How a run's jobs are dispatched, as its ledger tells it."""

import pytest


def positions(outcome, event_type: str) -> dict[str, int]:
    """Where in the ledger each job's event of that type is."""
    return {
        event["stepId"]: place
        for place, event in enumerate(outcome.events)
        if event["type"] == event_type
    }


def most_at_once(outcome) -> int:
    running = most = 0
    for event in outcome.events:
        running += event["type"] == "step.started"
        running -= event["type"] == "step.completed"
        most = max(most, running)
    return most


@pytest.fixture
def movie(kinora, film):
    """Three pictures of 50 ms each."""
    kinora.ok("movie", "create", "m", "--blueprint", film("{delay_ms: 50}"))
    kinora.ok("input", "set", "m", 'Story="Call me Ishmael."')
    return "m"


def test_a_layered_run_waits_for_the_whole_layer(kinora, movie):
    outcome = kinora.run(movie, "--dispatch", "layered", "--concurrency", "2")
    assert outcome.end == "run.completed"
    started = positions(outcome, "step.started")
    completed = positions(outcome, "step.completed")
    last_picture = max(
        place for job, place in completed.items() if job.startswith("Picture")
    )
    first_clip = min(place for job, place in started.items() if job.startswith("Clip"))
    assert last_picture < first_clip


def test_an_eager_run_starts_what_it_can(kinora, movie):
    # Of three pictures in two places the last is alone with the first clip.
    outcome = kinora.run(movie, "--dispatch", "eager", "--concurrency", "2")
    started = positions(outcome, "step.started")
    completed = positions(outcome, "step.completed")
    last_picture = max(
        place for job, place in completed.items() if job.startswith("Picture")
    )
    first_clip = min(place for job, place in started.items() if job.startswith("Clip"))
    assert first_clip < last_picture


def test_concurrency_is_kept_to(kinora, movie):
    assert most_at_once(kinora.run(movie, "--concurrency", "1")) == 1


@pytest.mark.parametrize(
    "flags", [("--dispatch", "random"), ("--concurrency", "0"), ("--concurrency", "x")]
)
def test_bad_values_are_named_and_nothing_is_started(kinora, movie, flags):
    message = kinora.fails("run", movie, *flags)
    assert flags[0] in message and flags[1] in message, message
    assert kinora.json("runs", "list", "--movie", movie).get("runs", []) == []
