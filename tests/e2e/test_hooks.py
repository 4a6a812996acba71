"""Hooks: whom a runner tells of what happens in runs."""

import contextlib
import hashlib
import hmac
import http.server
import json
import os
import queue
import subprocess
import threading
import time

from cluster import BIN, Kinora, up
from file_changes import wait_until

LIMIT_S = 60
SECRET = "a secret"


class Webhook:
    """An HTTP server that answers with the given codes, then with 200."""

    def __init__(self, *codes: int):
        self.calls = queue.Queue()
        codes = list(codes)
        calls = self.calls

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                calls.put((dict(self.headers), body))
                self.send_response(codes.pop(0) if codes else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?token=t0p"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def next(self) -> tuple[dict, bytes]:
        return self.calls.get(timeout=LIMIT_S)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def hooked(tmp_path, producers, hooks, *options, **environment):
    path = tmp_path / "hooks.yaml"
    path.write_text(json.dumps({"hooks": hooks}))  # JSON is YAML, too
    environment["no_proxy"] = "127.0.0.1"
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        process = up(tmp_path, producers, "--hooks", str(path), *options)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    yield process
    assert process.stop() == 0, process.log()


def make_film(kinora, blueprint) -> str:
    kinora.ok("movie", "create", "film", "--blueprint", blueprint)
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    kinora.call("run", "film")
    return kinora.json("runs", "list")["runs"][0]["runId"]


def wait_for_lines(path, count: int) -> list[str]:
    def lines() -> list[str]:
        return path.read_text().splitlines() if path.exists() else []

    wait_until(path.parent, lambda: len(lines()) >= count, LIMIT_S, lines)
    return lines()


def test_a_webhook_hears_of_the_end_once_it_can(tmp_path, producers, film):
    webhook = Webhook(503)
    hooks = [{"on": ["completion"], "webhook": webhook.url, "secret_env": "HOOKED"}]
    with hooked(tmp_path, producers, hooks, HOOKED=SECRET) as server:
        kinora = Kinora(server.address)
        run_id = make_film(kinora, film())
        (first, body), (again, same) = webhook.next(), webhook.next()
        assert body == same
        last = kinora.lines("runs", "watch", run_id)[-1]
        assert last["type"] == "run.completed"
        assert json.loads(body) == {
            "event": "completion",
            "key": f"{run_id}/{last['seq']}",
            "ledgerEvent": last,
            "movieId": "film",
            "runId": run_id,
        }
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        for headers in (first, again):
            assert headers["Idempotency-Key"] == f"{run_id}/{last['seq']}"
            assert headers["Kinora-Event"] == "completion"
            assert headers["Kinora-Signature"] == f"sha256={signature}"
            assert headers["Content-Type"] == "application/json"
        log = server.whole_log()
        assert "a hook failed and is called again" in log and "503" in log
        assert "t0p" not in log and SECRET not in log
        assert webhook.calls.empty()
    webhook.close()


def test_a_command_hears_of_each_failure(tmp_path, producers, film):
    told = tmp_path / "told"
    # One write a line: several hooks run at once.
    script = (
        'printf "%s %s %s %s\\n" "$KINORA_EVENT" "$KINORA_MOVIE_ID" '
        f'"$KINORA_RUN_ID" "$(cat)" >> {told}'
    )
    hooks = [
        {"on": ["failure"], "command": ["sh", "-c", script]},
        {"on": ["completion"], "command": ["/no/such/program"]},
        {"on": ["completion"], "command": ["sleep", "1000"], "timeout_seconds": 1},
    ]
    settings = "{fail_attempts: 99, fail_code: INVALID_ARGUMENT}"
    with hooked(tmp_path, producers, hooks) as server:
        kinora = Kinora(server.address)
        begin = time.monotonic()
        run_id = make_film(kinora, film(settings))
        assert kinora.json("runs", "show", run_id)["record"]["status"] == "failed"
        told_types = []
        for line in wait_for_lines(told, 4):
            event, movie, run, document = line.split(" ", 3)
            assert (event, movie, run) == ("failure", "film", run_id)
            told_types.append(json.loads(document)["ledgerEvent"]["type"])
        assert sorted(told_types) == ["run.failed"] + 3 * ["step.failed"]
        # Hooks that fail are told of, and nothing else.
        server.wait_for_log("/no/such/program")
        server.wait_for_log("sleep was killed after 1s")
        assert time.monotonic() - begin < LIMIT_S


def test_a_hook_that_hangs_delays_no_run(tmp_path, producers, film):
    hooks = [{"on": ["completion"], "command": ["sleep", "5"]}]
    with hooked(tmp_path, producers, hooks) as server:
        kinora = Kinora(server.address)
        make_film(kinora, film())
        begin = time.monotonic()
        for _ in range(3):
            assert kinora.run("film").end == "run.completed"
        assert time.monotonic() - begin < 5


def test_a_wrong_table_is_named_and_nothing_is_served(tmp_path):
    table = tmp_path / "hooks.yaml"
    table.write_text("hooks:\n  - {on: [end], command: [x]}\n")
    for argv in (
        [BIN / "kinora", "up", "--data", tmp_path / "data"],
        [BIN / "kinora-runner"],
    ):
        done = subprocess.run(
            [*argv, "--listen", "127.0.0.1:0", "--hooks", table],
            capture_output=True, text=True, timeout=LIMIT_S,
        )
        assert done.returncode == 1
        assert "hooks.yaml" in done.stderr and "hooks[0].on" in done.stderr
        assert done.stdout == ""
