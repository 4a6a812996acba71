"""Redis: XADD to one stream, each answered after an fsync of the append-only
file (appendfsync always), by redis-benchmark."""

import contextlib
import csv
import pathlib
import subprocess

from peers.ports import free_port
from programs import await_ready, peer_process

PAYLOAD = "x" * 300


class Redis:
    def __init__(self, port: int):
        self.port = port

    def command(self, *words: str) -> str:
        return subprocess.run(
            ["redis-cli", "-h", "127.0.0.1", "-p", str(self.port), *words],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def _benchmark(self, clients: int, requests: int, pipeline: int, *command) -> float:
        """Requests per second."""
        output = subprocess.run(
            ["redis-benchmark", "-h", "127.0.0.1", "-p", str(self.port), "--csv"]
            + ["-c", str(clients), "-n", str(requests), "-P", str(pipeline), *command],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        return float(list(csv.DictReader(output.splitlines()))[-1]["rps"])

    def append(self, clients: int, requests: int, pipeline: int = 1) -> float:
        """Events appended per second to an empty stream."""
        self.command("del", "log")
        rate = self._benchmark(
            clients, requests, pipeline, "XADD", "log", "*", "event", PAYLOAD
        )
        # redis-benchmark rounds up to whole pipelines of each client.
        kept = int(self.command("xlen", "log"))
        assert requests <= kept < requests + clients * pipeline, kept
        return rate

    def replay(self, requests: int) -> float:
        """Events per second that one client reads, 1,000 a request."""
        return 1000 * self._benchmark(
            1, requests, 1, "XRANGE", "log", "-", "+", "COUNT", "1000"
        )


@contextlib.contextmanager
def server(scratch: pathlib.Path):
    data = scratch / "redis"
    data.mkdir()
    port = free_port()
    argv = ["redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", data]
    argv += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    argv += ["--auto-aof-rewrite-percentage", "0", "--daemonize", "no"]
    with peer_process(argv, scratch / "redis.log") as process:
        probe = ["redis-cli", "-e", "-h", "127.0.0.1", "-p", port, "ping"]
        await_ready("Redis", process, probe)
        redis = Redis(port)
        assert redis.command("config", "get", "appendfsync").endswith("always")
        yield redis
