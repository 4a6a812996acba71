"""A producer declares JSON Schemas, and what does not fit is not taken."""

import pytest

from cluster import Kinora, python_producer, up, write_producers

PLANNER = """
from kinora import Producer

planner = Producer(
    "planner",
    version="1",
    outputs={"Plan": "application/json"},
    schemas={"Plan": SCHEMA},
)


@planner.job
def plan(job):
    if job.settings.get("confirm"):
        job.write_json("Plan", job.ask("plan", "Which plan?", "json", schema=SCHEMA))
        return
    # A model that does better when it is asked again.
    good = job.attempt >= job.settings["good_from"]
    shots = [{"prompt": "sea", "seconds": 4 if good else "four"}]
    job.write_json("Plan", {"shots": shots * job.settings.get("shots", 1)})


planner.serve()
"""

SCHEMA = {
    "type": "object",
    "required": ["shots"],
    "properties": {
        "shots": {
            "type": "array",
            "items": {
                "properties": {
                    "prompt": {"pattern": "^[a-z]+$"},
                    "seconds": {"type": "number", "exclusiveMinimum": 0},
                }
            },
        }
    },
}

BLUEPRINT = """
blueprint: plan
nodes:
  Plan:
    producer: planner
    settings: SETTINGS
    limits: {max_attempts: 2}
    outputs: {Plan: application/json}
outputs: [Plan]
"""


@pytest.fixture
def serve(tmp_path):
    """`kinora up` with a producer on the Python SDK that declares a schema."""
    processes = []

    def start(schema: dict) -> Kinora:
        planner = python_producer(
            tmp_path / "planner.py", PLANNER.replace("SCHEMA", repr(schema))
        )
        processes.append(planner)
        server = up(tmp_path, write_producers(tmp_path, planner.address, "planner"))
        processes.append(server)
        return Kinora(server.address)

    yield start
    for process in reversed(processes):
        assert process.stop() == 0, process.log()


def create(kinora, tmp_path, settings):
    path = tmp_path / "plan.yaml"
    path.write_text(BLUEPRINT.replace("SETTINGS", settings))
    kinora.ok("movie", "create", "film", "--blueprint", str(path))


# F: S1-53 (what a model makes may fit the next time)
def test_an_output_that_does_not_fit_is_made_again(serve, tmp_path):
    kinora = serve(SCHEMA)
    create(kinora, tmp_path, "{good_from: 2}")
    outcome = kinora.run("film")
    assert outcome.end == "run.completed"
    assert outcome.steps("step.started") == ["Plan", "Plan"]
    assert '"seconds":4' in kinora.ok("artefact", "get", "film", "Plan")


# Both kept inline and as a blob.
@pytest.mark.parametrize("shots", [1, 1000])
def test_a_run_fails_with_the_place_of_what_never_fits(serve, tmp_path, shots):
    kinora = serve(SCHEMA)
    create(kinora, tmp_path, f"{{good_from: 99, shots: {shots}}}")
    done = kinora.call("run", "film")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "at /shots/0/seconds: expected a number" in said, said
    assert '"Plan"' in said, said
    assert "currentRevision" not in kinora.json("movie", "show", "film")
    run = kinora.json("runs", "list")["runs"][0]
    watched = kinora.call("runs", "watch", run["runId"], "--json")
    assert watched.returncode == 1  # the run has failed
    assert watched.stdout.count('"type":"step.started"') == 2


def test_a_schema_that_is_none_keeps_runs_from_starting(serve, tmp_path):
    kinora = serve({"properties": {"shots": {"type": "list"}}})
    create(kinora, tmp_path, "{good_from: 1}")
    said = kinora.fails("run", "film")
    assert "planner" in said and '"Plan"' in said, said
    assert "/properties/shots/type" in said, said


def test_an_answer_fits_the_schema_of_its_question(serve, tmp_path):
    kinora = serve(SCHEMA)
    create(kinora, tmp_path, "{confirm: true}")
    run = kinora.start("run", "film")
    run_id = next(line for line in run.stdout if "kinora answer" in line).split()[2]
    said = kinora.fails("answer", run_id, "plan", '{"shots":[{"seconds":0}]}')
    assert "at /shots/0/seconds: expected more than 0, got 0" in said, said
    assert kinora.ok("answer", run_id, "plan", '{"shots":[]}') == ""
    assert run.wait(timeout=60) == 0, run.stderr.read()
    assert kinora.ok("artefact", "get", "film", "Plan") == '{"shots":[]}'
