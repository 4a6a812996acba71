"""Producers as a runner stands with them, and what it may call in all."""

import select
import socket

from cluster import Kinora, metrics_address, sim, up
from test_incremental import create
from test_metrics import get, samples


def test_a_producer_that_is_down_is_told_of(tmp_path, film):
    with sim(tmp_path) as producer:
        table = tmp_path / "producers.yaml"
        lines = ["producers:"]
        for name in ("script", "picture", "clip", "film"):
            lines.append(
                f"  {name}: {{target: 'dns:///{producer.address}', "
                "rate_per_minute: 9000, rate_burst: 5, breaker: "
                "{failures: 1, open_seconds: 600, longest_open_seconds: 600}}"
            )
        table.write_text("\n".join(lines) + "\n")
        server = up(tmp_path, table, "--metrics-listen", "127.0.0.1:0")
        kinora = Kinora(server.address)
        labels = f'{{producer="picture",target="dns:///{producer.address}"}}'
        try:
            assert kinora.ok("producers", "list", "picture") == (
                "picture  1  0 of 4 calls  150 a second, 5 at once\n"
                f"    dns:///{producer.address}  closed  0 calls\n"
            )
            listed = kinora.json("producers", "list")["producers"]
            assert [p["name"] for p in listed] == ["clip", "film", "picture", "script"]
            assert '"pikture"' in kinora.fails("producers", "list", "pikture")
            found = samples(get(metrics_address(server)))
            assert found[f"kinora_runner_breaker_open{labels}"] == 0
            assert found[f"kinora_runner_breaker_opened_total{labels}"] == 0

            create(kinora, film("{delay_ms: 600000}"))
            run_id = kinora.json("run", "film", "--detach")["run"]["runId"]
            watch = kinora.start("runs", "watch", run_id, "--json")
            for line in watch.stdout:
                if '"step.started"' in line and '"Picture[' in line:
                    break
            producer.kill()  # with the calls that are under way
            for line in watch.stdout:
                if '"job.retrying"' in line or '"job.in_doubt"' in line:
                    break
            watch.kill()
            watch.communicate()
            shown = kinora.ok("producers", "list", "picture")
            assert f"dns:///{producer.address}  open for " in shown
            found = samples(get(metrics_address(server)))
            assert found[f"kinora_runner_breaker_open{labels}"] == 1
            assert found[f"kinora_runner_breaker_opened_total{labels}"] == 1
            kinora.ok("runs", "cancel", run_id)
        finally:
            assert server.stop() == 0


# Whoever takes a connection and says nothing keeps each that asks it waiting.
def test_a_producer_that_hangs_delays_no_film_without_it(tmp_path, producers, film):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = "127.0.0.1:%d" % silent.getsockname()[1]
        with producers.open("a") as table:
            table.write(f"  silent: {{target: 'dns:///{address}'}}\n")
        server = up(tmp_path, producers)
        kinora = Kinora(server.address)
        create(kinora, film())
        kinora.ok("plan", "film")
        assert kinora.run("film").end == "run.completed"
        assert select.select([silent], [], [], 0)[0] == []
        listed = kinora.json("producers", "list", "silent")["producers"]
        assert "does not answer" in listed[0]["error"]
        assert select.select([silent], [], [], 0)[0] == [silent]
        assert server.stop() == 0


# Every call of whichever producer counts.
def test_a_rate_of_all_calls_is_kept(tmp_path, producers, film):
    server = up(tmp_path, producers, "--rate-per-second", "5")
    kinora = Kinora(server.address)
    shown = kinora.ok("producers", "list").splitlines()
    assert shown[0].startswith("all producers together: ")
    assert shown[0].endswith(" calls at once  5 a second")
    assert kinora.json("producers", "list")["callInterval"] == 0.2
    create(kinora, film())
    run = kinora.run("film")
    assert run.end == "run.completed"
    events = kinora.lines("runs", "watch", run.run_id)
    starts = sorted(e["occurredAt"] for e in events if e["type"] == "step.started")
    assert len(starts) == 8
    # 1.4 s, but that they are told a moment after they may begin.
    assert starts[-1] - starts[0] >= 1000
    assert server.stop() == 0
    refused = tmp_path / "refused"
    refused.mkdir()
    try:
        up(refused, producers, "--rate-per-second", "5", "--rate-per-minute", "90")
    except AssertionError as error:
        assert "rate_per_minute" in str(error) and "90" in str(error)
    else:
        raise AssertionError("started with two rates")
