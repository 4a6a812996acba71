"""A run spends no more than it may."""

from test_control import wait_for

PAID = """
blueprint: paid
dimensions:
  part: {size: 6}
nodes:
  Part:
    producer: clip
    over: [part]
    price: {min: 0.10, max: 0.50, currency: USD}
    settings: {cost: 0.50, currency: USD}
    outputs: {Text: text/plain}
outputs: [Text]
"""


def create(kinora, tmp_path):
    path = tmp_path / "paid.yaml"
    path.write_text(PAID)
    kinora.ok("movie", "create", "film", "--blueprint", str(path))


def at_the_edge(text):
    """Whether a run waits for its budget, and for so much."""
    return lambda event: (
        event["type"] == "run.waiting"
        and event["reason"] == "budget"
        and text in event["message"]
    )


# F: Invariant 14
def test_a_run_waits_at_its_budget_and_goes_on_when_it_is_raised(kinora, tmp_path):
    create(kinora, tmp_path)
    said = kinora.ok("run", "film", "--budget", "USD 1.20", "--detach")
    run_id = said.split()[0]
    wait_for(kinora, run_id, at_the_edge("'1.50 USD'"))
    run = kinora.json("runs", "show", run_id)
    assert run["record"]["status"] == "waiting"
    assert run["record"]["cost"] == {"currencyCode": "USD", "micros": 1000000}
    assert run["record"]["budget"]["micros"] == 1200000
    shown = kinora.ok("runs", "show", run_id)
    assert "spent 1.00 USD, budget 1.20 USD" in shown

    assert kinora.ok("runs", "budget", run_id) == "spent 1.00 USD, budget 1.20 USD\n"
    too_low = kinora.fails("runs", "budget", run_id, "USD 0.99")
    assert "0.99 USD" in too_low and "1.00 USD" in too_low
    assert "AMOUNT" in kinora.fails("runs", "budget", run_id, "a lot")
    assert "USD" in kinora.fails("runs", "budget", run_id, "EUR 5")

    (asked,) = kinora.json("questions", "--movie", "film")["questions"]
    assert (asked["runId"], asked["question"]["questionId"]) == (run_id, "budget")
    assert run["pendingQuestionIds"] == ["budget"]
    shown = kinora.ok("questions")
    assert f"{run_id}  budget  job Part[part=" in shown
    assert shown.endswith(f"    kinora answer {run_id} budget '1.50 USD'\n")
    for bad in ("a lot", "1.49"):
        refused = kinora.fails("answer", run_id, "budget", bad)
        assert "answer.value_json" in refused and bad in refused
    kinora.ok("answer", run_id, "budget", "1.50")
    assert kinora.json("runs", "budget", run_id)["budget"]["micros"] == 1500000
    wait_for(kinora, run_id, at_the_edge("'2.00 USD'"))
    (asked,) = kinora.json("questions", run_id)["questions"]
    assert asked["question"]["defaultJson"] == '"2.00 USD"'

    raised = kinora.json("runs", "budget", run_id, "3.00 USD")
    assert raised["budget"] == {"currencyCode": "USD", "micros": 3000000}
    watched = kinora.call("runs", "watch", run_id)
    assert watched.returncode == 0, watched.stdout
    assert "job Part[part=" in watched.stdout
    assert f"kinora runs budget {run_id} '1.50 USD'" in watched.stdout
    run = kinora.json("runs", "show", run_id)["record"]
    assert run["cost"]["micros"] == 3000000
    assert "RUN_TERMINAL" in kinora.fails("runs", "budget", run_id, "none")
    assert kinora.ok("questions") == ""

    # Each attempt in the ledger with what it reserved and cost, and at no event
    # more than there was.
    cap, spent, reserved = 1200000, 0, {}
    for event in kinora.lines("runs", "watch", run_id):
        if event["type"] == "run.budget":
            cap = event["cap"]["micros"]
        elif event["type"] == "step.started":
            reserved[event["stepId"]] = event["reserved"]["micros"]
        elif event["type"] == "step.completed":
            spent += event["cost"]["micros"]
            del reserved[event["stepId"]]
        assert spent + sum(reserved.values()) <= cap
    assert spent == 3000000
    assert kinora.run("film").called == set()


def test_a_budget_that_cannot_be_kept_is_refused(kinora, tmp_path):
    create(kinora, tmp_path)
    for bad in ("12,50", "-1 USD", "dollars 3"):
        assert "--budget" in kinora.fails("run", "film", "--budget", bad)
    refused = kinora.fails("run", "film", "--budget", "EUR 5")
    assert "clip" in refused and "EUR" in refused and "USD" in refused
    assert kinora.json("runs", "list").get("runs", []) == []
