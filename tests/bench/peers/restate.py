"""Restate: its server as npm packs it, one node, its log as durable as it comes
(synced in batches)."""

import contextlib
import os
import pathlib

from peers import node
from peers.ports import free_port
from programs import await_ready, peer_process

SERVER = node.FOLDER / "node_modules/.bin/restate-server"


class Restate:
    def __init__(self, ingress_port: int, admin_port: int):
        self._ports = [ingress_port, admin_port]

    def workflows(self, count: int, steps: int) -> float:
        """Durable steps per second of so many workflows at once."""
        return node.rate(
            node.figures("restate.mjs", *self._ports, free_port(), count, steps)
        )


@contextlib.contextmanager
def server(scratch: pathlib.Path):
    ingress, admin, fabric = free_port(), free_port(), free_port()
    config = scratch / "restate.toml"
    config.write_text(
        f'base-dir = "{scratch / "restate"}"\n'
        'node-name = "node"\n'
        'cluster-name = "bench"\n'
        'bind-ip = "127.0.0.1"\n'
        f'bind-address = "127.0.0.1:{fabric}"\n'
        "disable-telemetry = true\n"
        "[ingress]\n"
        f'bind-address = "127.0.0.1:{ingress}"\n'
        "[admin]\n"
        f'bind-address = "127.0.0.1:{admin}"\n'
    )
    environment = {**os.environ, "DO_NOT_TRACK": "1"}
    with peer_process(
        [SERVER, "--config-file", config], scratch / "restate.log", env=environment
    ) as process:
        for port, path in ((admin, "health"), (ingress, "restate/health")):
            probe = ["curl", "-sf", f"http://127.0.0.1:{port}/{path}"]
            await_ready("Restate", process, probe)
        yield Restate(ingress, admin)
