"""A run of 200 jobs whose runner, store and producer are killed (SIGKILL), also
two at once, when its ledger has come to some event. One of its jobs asks a
question, which is answered in the moment of one of the kills: others fall
before and after the answer. Its jobs have a price, and the run a budget that is
what they cost, and what the last of them reserves beyond that: whatever a kill
left reserved would keep that one from starting. However often that happens,
the run ends in the manifest of the undisturbed one, the provider has charged
each piece of work once and told what became of it, no finished job was called
again, no more was spent and reserved at any event than there is, and the answer
was taken once.

KINORA_RUN_KILLS kills (150) fall on events chosen by KINORA_RUN_KILLS_SEED,
which a failure names. `make kill-all` has one fall on every event.
"""

import concurrent.futures
import json
import os
import pathlib
import queue
import random

import pytest

from cluster import BIN, Kinora, Process, RunOutcome, Separate

KILLS = int(os.environ.get("KINORA_RUN_KILLS", "150"))
SEED = int(os.environ.get("KINORA_RUN_KILLS_SEED", random.randrange(2**32)))

# So many kills fall on one run, and so many runs go on at once.
KILLS_OF_A_RUN = 10
INSTALLATIONS = 3

# One script, 33 chains of six jobs, of which the third fails at first, a title
# that somebody is asked for, and a fan-in: 201 jobs.
SEGMENTS = 33
STAGES = 6
JOBS = SEGMENTS * STAGES + 3

# In micros. What nobody reports is charged as it was reserved.
CENT = 10_000
COSTS = {"script": 50 * CENT, "stage": 25 * CENT, "film": 100 * CENT}
PRICES = {producer: 2 * cost for producer, cost in COSTS.items()}
PRICES |= {"flaky": 25 * CENT, "title": 50 * CENT}
COST = 50 * CENT + SEGMENTS * STAGES * 25 * CENT + 50 * CENT + 100 * CENT
BUDGET = COST + PRICES["film"] - COSTS["film"]

PRODUCERS = ("script", "stage", "flaky", "title", "film")

# The simulated producer's name for what it asks, and what it is told.
QUESTION = "sim"
ANSWER = "The Whale"

VICTIMS = [
    ("runner",),
    ("store",),
    ("producer",),
    ("runner", "store"),
    ("runner", "producer"),
    ("store", "producer"),
]


def usd(micros: int) -> str:
    return f"{micros / 1_000_000:.2f}"


def node(name: str, producer: str, settings: str, rest: list[str]) -> list[str]:
    cost = f"cost: {usd(COSTS[producer])}, " if producer in COSTS else ""
    price = usd(PRICES[producer])
    return [
        f"  {name}:",
        f"    producer: {producer}",
        f"    price: {{min: 0, max: {price}, currency: USD}}",
        f"    settings: {{{cost}currency: USD, {settings}}}",
        *(f"    {line}" for line in rest),
    ]


def blueprint() -> str:
    lines = [
        "blueprint: kills",
        "inputs: {Story: {type: text}}",
        f"dimensions: {{segment: {{size: {SEGMENTS}}}}}",
        "nodes:",
    ]
    lines += node(
        "Script", "script", "log_lines: 1",
        ['inputs: {story: "Input:Story"}', "outputs: {Outline: text/plain}"],
    )
    read = "Outline"
    for stage in range(STAGES):
        flaky = stage == 2
        lines += node(
            f"Stage{stage}",
            "flaky" if flaky else "stage",
            f"delay_ms: 5, log_lines: 1, fail_attempts: {int(flaky)}",
            [
                "over: [segment]",
                f'inputs: {{from: "{read}"}}',
                f"outputs: {{Made{stage}: text/plain}}",
            ],
        )
        read = f"Made{stage}[segment]"
    lines += node(
        "Title", "title", 'question: "What is it called?"',
        ['inputs: {outline: "Outline"}', "outputs: {Title: text/plain}"],
    )
    lines += node(
        "Film", "film", "log_lines: 1",
        [
            f'inputs: {{title: "Title", clips: {{all: "{read}"}}}}',
            "outputs: {Film: text/plain}",
        ],
    )
    lines.append("outputs: [Film]")
    return "\n".join(lines) + "\n"


class Film:
    """Separate processes over a simulated provider with a memory, of which any
    may be killed and started again where it was."""

    def __init__(self, tmp: pathlib.Path):
        self._tmp = tmp
        self._record = tmp / "provider"
        self._listen = "127.0.0.1:0"
        self._start_producer()
        self._listen = self._producer.address
        # A producer may be killed under a job, and not be back when it is
        # called again a few milliseconds later, more than once.
        table = tmp / "producers.yaml"
        table.write_text(
            "producers:\n"
            + "".join(
                f"  {name}: {{target: 'dns:///{self._listen}', concurrency: 16, "
                "max_attempts: 8, breaker: {open_seconds: 1}}\n"
                for name in PRODUCERS
            )
        )
        self._servers = Separate(tmp, table, lease_seconds=1)
        self._blueprint = tmp / "kills.yaml"
        self._blueprint.write_text(blueprint())
        self._movies = 0

    def _start_producer(self) -> None:
        argv = [BIN / "kinora-sim-producer", "--listen", self._listen]
        argv += ["--record", self._record]
        self._producer = Process([str(word) for word in argv], self._tmp / "sim.log")

    @property
    def kinora(self) -> Kinora:
        return self._servers.kinora

    def kill(self, victims: tuple[str, ...]) -> None:
        """Kills them together, then starts them again."""
        servers = self._servers
        running = {
            "runner": servers.runner,
            "store": servers.store,
            "producer": self._producer,
        }
        for name in victims:
            running[name].kill()
        for name in sorted(victims, key=["store", "producer", "runner"].index):
            if name == "store":
                servers.start_store(listen=servers.store.address)
            elif name == "producer":
                self._start_producer()
            else:
                servers.start_runner(listen=servers.runner.address)

    def stop(self) -> None:
        self._producer.stop()
        self._servers.stop()

    def charged(self) -> list[str]:
        """What the provider was paid for, in its order."""
        lines = self._record.read_text().splitlines()
        return [
            line.removeprefix("finished ")
            for line in lines
            if line.startswith("finished ")
        ]

    def start(self) -> tuple[str, str]:
        """A new movie, and its run."""
        self._movies += 1
        movie = f"movie-{self._movies}"
        self.kinora.ok("movie", "create", movie, "--blueprint", str(self._blueprint))
        self.kinora.ok("input", "set", movie, 'Story="Call me Ishmael."')
        started = self.kinora.json(
            "run", movie, "--budget", f"USD {usd(BUDGET)}", "--detach"
        )
        return movie, started["run"]["runId"]

    def wait_for(self, run_id: str, event: int) -> bool:
        """Until the ledger has come to an event; false if it ends before."""
        return self._wait_until(run_id, lambda entry: entry["seq"] >= event)

    def answer(self, run_id: str) -> None:
        """Answers what is asked, or was, unless it was answered."""
        asked = self._wait_until(run_id, lambda e: e["type"] == "job.question")
        assert asked, "the run has ended without an answer"
        refused = self.kinora.answer(run_id, QUESTION, ANSWER)
        answered = ("QUESTION_NOT_FOUND", "RUN_TERMINAL")  # the run may be over
        assert not refused or any(word in refused for word in answered), refused

    def answer_while_killing(self, run_id: str, victims: tuple[str, ...]) -> None:
        """Answers in vain, in time, or to nobody who hears of it."""
        with self.kinora.start("answer", run_id, QUESTION, ANSWER):
            self.kill(victims)
        self.answer(run_id)

    def _wait_until(self, run_id: str, holds) -> bool:
        seen = 0
        while True:
            watch = self.kinora.start(
                "runs", "watch", run_id, "--after", str(seen), "--json"
            )
            with watch:
                for line in watch.stdout:
                    entry = json.loads(line)
                    seen = entry["seq"]
                    if entry["type"] in ("run.completed", "run.failed"):
                        return False
                    if holds(entry):
                        watch.kill()
                        return True

    def outcome(self, movie: str, run_id: str) -> RunOutcome:
        self.kinora.call("runs", "watch", run_id)
        return RunOutcome(self._servers.ledger(movie, run_id))


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Several installations: most of the time goes by in waiting for leases."""
    films = [Film(tmp_path_factory.mktemp("kills")) for _ in range(INSTALLATIONS)]
    yield films
    for film in films:
        film.stop()


@pytest.fixture(scope="module")
def undisturbed(films):
    film = films[0]
    before = len(film.charged())
    movie, run_id = film.start()
    film.answer(run_id)
    outcome = film.outcome(movie, run_id)
    assert outcome.end == "run.completed"
    assert len(outcome.finished) == JOBS
    assert len(film.charged()) == before + JOBS
    return film.kinora.manifest_bytes(movie), len(outcome.events)


def check_money(events: list) -> None:
    """At each event no more is spent and reserved than there is. In the end each
    job was charged once and nothing is reserved, for every lost attempt was
    asked after, and what it had reported is reported again."""
    spent, reserved, lost, known = 0, {}, {}, set()
    for event in events:
        detail = event.get("detail", {})
        cost = event.get("cost") or detail.get("cost") or {"micros": 0}
        spent += cost["micros"]
        job = event.get("stepId", event.get("jobId"))
        if event["type"] == "step.started":
            # A lost attempt keeps what it reserved, unless its work is known:
            # then this one has its place.
            if job in known:
                known.remove(job)
                reserved.pop(job, None)
                spent -= lost.get(job, 0)
            amount = reserved.get(job, 0) + event["reserved"]["micros"]
            reserved[job] = amount
            lost.pop(job, None)
        elif event["type"] == "job.retrying" and detail.get("inDoubt"):
            reserved[job] = max(0, reserved[job] - cost["micros"])
            lost[job] = cost["micros"]
        elif event["type"] in ("step.completed", "job.asking", "job.retrying"):
            reserved.pop(job, None)
        elif event["type"] == "job.recovering" and detail.get("released"):
            known.add(job)
        assert spent + sum(reserved.values()) <= BUDGET, (event, reserved)
    assert (spent, reserved) == (COST, {})


def check(film: Film, movie: str, run_id: str, manifest: bytes, before: int) -> int:
    """Returns how many lost attempts the provider was asked about."""
    outcome = film.outcome(movie, run_id)
    assert outcome.end == "run.completed", outcome.events[-1]
    assert [event["seq"] for event in outcome.events] == list(
        range(1, len(outcome.events) + 1)
    )
    ends = [e for e in outcome.events if e["type"] in ("run.completed", "run.failed")]
    assert len(ends) == 1
    ended = set()
    for event in outcome.events:
        if event["type"] == "step.completed":
            assert event["stepId"] not in ended, event
            ended.add(event["stepId"])
        if event["type"] == "step.started":
            assert event["stepId"] not in ended, event
    assert len(ended) == JOBS
    check_money(outcome.events)
    answers = [e for e in outcome.events if e["type"] == "job.answered"]
    assert [e["detail"]["value"] for e in answers] == [ANSWER]
    assert film.kinora.manifest_bytes(movie) == manifest
    charged = film.charged()[before:]
    assert len(charged) == len(set(charged)) == JOBS
    assert film.kinora.json("plan", movie)["layers"] == []
    recovering = [e for e in outcome.events if e["type"] == "job.recovering"]
    return sum(bool(e.get("detail", {}).get("released")) for e in recovering)


def run_with_kills(film: Film, plan: list, answered_at: int, manifest: bytes) -> int:
    """One run, and kills at some of its events. It is answered with that kill,
    or before all of them. As check()."""
    before = len(film.charged())
    movie, run_id = film.start()
    try:
        if answered_at < 0:
            film.answer(run_id)
        for number, (event, victims) in enumerate(plan):
            if not film.wait_for(run_id, event):
                break
            if number == answered_at:
                film.answer_while_killing(run_id, victims)
            else:
                film.kill(victims)
        return check(film, movie, run_id, manifest, before)
    except BaseException:
        print(f"{movie} {run_id}: {plan}, answered at {answered_at}")
        raise


def share(films: list[Film], plans: list, manifest: bytes) -> int:
    """Carries out a run for each plan and place of its answer, on whichever
    installation is free. As check(), for all of them."""
    free = queue.SimpleQueue()
    for film in films:
        free.put(film)

    def carry_out(plan: list, answered_at: int) -> int:
        film = free.get()
        try:
            return run_with_kills(film, plan, answered_at, manifest)
        finally:
            free.put(film)

    with concurrent.futures.ThreadPoolExecutor(len(films)) as pool:
        runs = [pool.submit(carry_out, *plan) for plan in plans]
        return sum(done.result() for done in runs)


def last_in_reach(plan: list, events: int) -> int:
    """The last of its kills to which a run comes without an answer, or -1."""
    return sum(event < 0.75 * events for event, _ in plan) - 1


# F: F3 (a run survives the death of any of its processes), Invariant 9
def test_kills_change_nothing_but_time(films, undisturbed):
    manifest, events = undisturbed
    print(f"KINORA_RUN_KILLS_SEED={SEED}")
    rng = random.Random(SEED)
    plans = []
    for first in range(0, KILLS, KILLS_OF_A_RUN):
        count = min(KILLS - first, KILLS_OF_A_RUN)
        places = sorted(rng.sample(range(1, events), count))
        plan = [(event, rng.choice(VICTIMS)) for event in places]
        plans.append((plan, rng.randint(-1, last_in_reach(plan, events))))
    asked = share(films, plans, manifest)
    print(f"{asked} lost attempts were looked up")
    assert asked or KILLS < 100


@pytest.mark.skipif(
    "KINORA_RUN_KILLS_ALL" not in os.environ, reason="hours; see make kill-all"
)
@pytest.mark.parametrize("victims", VICTIMS, ids="+".join)
def test_a_kill_at_any_event_changes_nothing(films, undisturbed, victims):
    manifest, events = undisturbed
    plans = [[(event, victims)] for event in range(1, events)]
    share(films, [(p, last_in_reach(p, events)) for p in plans], manifest)
