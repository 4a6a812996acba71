"""Work that may have been paid for, of which nobody can tell what became of it,
waits until a person has it called again."""

from cluster import Separate, sim, write_producers
from test_control import starts, wait_for

# The simulated provider keeps no record of its work; it answers at once when it
# is called once more.
BLUEPRINT = """
blueprint: sea
nodes:
  Sea:
    producer: painter
    price: {min: 0.10, max: 0.50, currency: USD}
    settings: {delay_ms: 600000, slow_attempts: 1, cost: 0.50, currency: USD}
    outputs: {Picture: text/plain}
outputs: [Picture]
"""


def waits_in_doubt(event: dict) -> bool:
    return event["type"] == "run.waiting" and event["reason"] == "in_doubt"


# F: B-10
def test_a_job_in_doubt_is_called_again_when_somebody_says_so(tmp_path):
    blueprint = tmp_path / "sea.yaml"
    blueprint.write_text(BLUEPRINT)
    with sim(tmp_path) as provider:
        table = write_producers(tmp_path, provider.address, "painter")
        servers = Separate(tmp_path, table, lease_seconds=1)
        try:
            kinora = servers.kinora
            kinora.ok("movie", "create", "sea", "--blueprint", str(blueprint))
            started = kinora.json("run", "sea", "--budget", "USD 1", "--detach")
            run_id = started["run"]["runId"]
            wait_for(kinora, run_id, starts("Sea"))
            servers.runner.kill()
            servers.start_runner(listen=servers.runner.address)
            events = wait_for(kinora, run_id, waits_in_doubt)

            # It says so, with the command that decides, and has called nobody.
            (doubt,) = [e for e in events if e["type"] == "job.in_doubt"]
            assert doubt["jobId"] == "Sea"
            assert "may have been paid for" in doubt["message"]
            assert f"kinora runs retry {run_id} 'Sea'" in doubt["message"]
            assert [e["type"] for e in events].count("step.started") == 1
            shown = kinora.json("runs", "show", run_id)
            assert shown["waitReason"] == "in_doubt"
            assert shown["reserved"] == [{"currencyCode": "USD", "micros": 500_000}]
            assert f"runs retry {run_id} 'Sea'" in kinora.ok("runs", "show", run_id)
            refused = kinora.fails("runs", "retry", run_id, "See")
            assert 'job_id: "See"' in refused, refused

            assert kinora.json("runs", "retry", run_id, "Sea") == {"jobIds": ["Sea"]}
            events = kinora.lines("runs", "watch", run_id)
            assert events[-1]["type"] == "run.completed", events[-1]
            calls = [e for e in events if e["type"] == "step.started"]
            assert [e["attempt"] for e in calls] == [1, 2]
        finally:
            servers.stop()
