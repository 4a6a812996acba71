"""What the HTTP listener of every server tells an operator."""

import re
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from cluster import BIN, Kinora, Process, Separate, metrics_address, sim, up
from cluster import write_producers
from conftest import FILM_PRODUCERS

LISTEN = ("--metrics-listen", "127.0.0.1:0")


def get(address: str, path: str = "/metrics") -> str:
    with urllib.request.urlopen(f"http://{address}{path}", timeout=30) as answer:
        return answer.read().decode()


def samples(text: str) -> dict[str, float]:
    """By name and labels as they are written. Every line must be one of the
    format, and no metric may be told of twice."""
    found = {}
    types = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, line
            types[name] = kind
        if line.startswith("#"):
            continue
        match = re.fullmatch(r"([a-z_]+(?:\{[^}]*\})?) ([-+0-9.eE]+)", line)
        assert match, line
        assert match[1] not in found, line
        found[match[1]] = float(match[2])
        name = re.match("[a-z_]+", line)[0]
        base = re.sub("_(bucket|sum|count)$", "", name)
        assert name in types or types[base] == "histogram", line
    return found


def wait_for_end(address: str, runs: int) -> dict[str, float]:
    """The samples once so many runs have ended: a run is seen to end before its
    runner is done with it. Metrics are there to be asked for again and again;
    nothing tells that they changed."""
    deadline = time.monotonic() + 60
    while True:
        found = samples(get(address))
        ended = found.get('kinora_runner_runs_total{end="completed"}', 0)
        if ended >= runs and found["kinora_runner_runs_active"] == 0:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def call(method: str, code: str = "OK") -> str:
    return f'kinora_rpc_calls_total{{method="kinora.v1.{method}",code="{code}"}}'


def jobs(producer: str, event: str) -> str:
    return f'kinora_runner_jobs_total{{producer="{producer}",event="{event}"}}'


def make_film(kinora, blueprint) -> None:
    kinora.ok("movie", "create", "film", "--blueprint", blueprint)
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    assert kinora.run("film").end == "run.completed"


def test_one_process_tells_of_all_its_services(tmp_path, producers, film):
    server = up(tmp_path, producers, *LISTEN)
    address = metrics_address(server)
    assert get(address, "/healthz") == "ok\n"
    kinora = Kinora(server.address)
    make_film(kinora, film("{fail_attempts: 1}"))
    before = wait_for_end(address, 1)
    assert before[jobs("picture", "started")] == 6
    assert before[jobs("picture", "retrying")] == 3
    assert before[jobs("picture", "succeeded")] == 3
    assert before[jobs("film", "succeeded")] == 1
    assert before['kinora_runner_attempt_seconds_count{producer="clip"}'] == 3
    assert before["kinora_runner_dispatch_seconds_count"] == 8
    assert before['kinora_runner_runs_total{end="completed"}'] == 1
    assert before['kinora_planner_plans_total{outcome="made"}'] >= 1
    assert before["kinora_planner_plan_seconds_count"] >= 1
    assert before["kinora_store_appends_total"] > 0
    assert before["kinora_store_events_total"] > before["kinora_store_appends_total"]
    assert before["kinora_store_commit_seconds_count"] > 0
    assert before["kinora_store_group_commit_appends_count"] > 0
    assert before[call("RunnerService/StartRun")] == 1

    # Nothing is left to do: no job is started, all else goes on.
    kinora.run("film")
    kinora.ok("plan", "film")
    assert "MOVIE_NOT_FOUND" in kinora.fails("movie", "show", "nope")
    after = wait_for_end(address, 2)
    assert after[jobs("picture", "started")] == 6
    assert after['kinora_runner_runs_total{end="completed"}'] == 2
    assert after[call("RunnerService/StartRun")] == 2
    assert after[call("MovieService/GetMovie", "NOT_FOUND")] == 1
    assert after["kinora_store_appends_total"] > before["kinora_store_appends_total"]
    # The last plan was made on the graph of the one before it.
    assert after['kinora_planner_graphs_total{source="kept"}'] >= 1
    text = get(address)
    assert "film\"" not in text.replace('producer="film"', "")
    assert "run-" not in text
    for path in ("/", "/metrics/x"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(address, path)
    assert server.stop() == 0


def test_each_server_tells_of_itself(tmp_path, film):
    with sim(tmp_path, *LISTEN) as producer:
        producers = write_producers(tmp_path, producer.address, *FILM_PRODUCERS)
        services = Separate(tmp_path, producers, *LISTEN)
        make_film(services.kinora, film())
        told = {
            name: samples(get(metrics_address(process)))
            for name, process in {
                "store": services.store,
                "planner": services.planner,
                "runner": services.runner,
                "producer": producer,
            }.items()
        }
        assert services.stop() == [0, 0, 0]
    assert told["store"]["kinora_store_appends_total"] > 0
    assert told["planner"]['kinora_planner_plans_total{outcome="made"}'] >= 1
    assert told["runner"][jobs("clip", "succeeded")] == 3
    assert told["producer"][call("ProducerService/Produce")] == 8
    assert not any("runner" in name for name in told["store"])


def test_a_metrics_port_that_is_taken_is_named_with_its_flag(tmp_path):
    with sim(tmp_path, *LISTEN) as first:
        address = metrics_address(first)
        for given in (["--metrics-listen", address], []):
            second = subprocess.run(
                [BIN / "kinora-store", "--listen", "127.0.0.1:0", *given],
                capture_output=True,
                text=True,
                timeout=60,
                env={} if given else {"KINORA_METRICS_LISTEN": address},
            )
            assert second.returncode == 1
            assert f"metrics_listen: cannot listen on {address}" in second.stderr
            assert second.stdout == ""


def test_nothing_listens_unless_it_is_asked_for(tmp_path):
    process = Process(
        [str(BIN / "kinora-store"), "--listen", "127.0.0.1:0"], tmp_path / "log"
    )
    assert "metrics" not in process.log()
    assert process.stop() == 0
