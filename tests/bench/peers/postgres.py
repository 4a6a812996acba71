"""PostgreSQL with its defaults (fsync and synchronous_commit on): one INSERT a
transaction, prepared, by pgbench."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess

from peers.ports import free_port
from programs import await_ready, peer_process

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")

INSERT = """
insert into event (run, body) values ('run', decode(repeat('78', 300), 'hex'));
"""


def _as_nobody() -> list[str]:
    """PostgreSQL refuses root. The folders above ours may be root's alone."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] + [
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
    ]


class Postgres:
    def __init__(self, port: int, script: pathlib.Path):
        self.port = port
        self._connection = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
        self._script = script

    def query(self, sql: str) -> str:
        return subprocess.run(
            [PROGRAMS / "psql", *self._connection, "-qtAc", sql],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def append(self, clients: int, seconds: float) -> float:
        """Transactions per second into an empty table."""
        self.query("truncate event")
        output = subprocess.run(
            [PROGRAMS / "pgbench", *self._connection, "-n", "-M", "prepared"]
            + ["-f", self._script, "-c", str(clients), "-j", "2"]
            + ["-T", str(max(1, round(seconds))), "postgres"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        done = int(re.search(r"actually processed: (\d+)", output)[1])
        kept = int(self.query("select count(*) from event"))
        assert done == kept, f"{done} transactions, {kept} rows"
        return float(re.search(r"tps = ([\d.]+)", output)[1])


@contextlib.contextmanager
def server(scratch: pathlib.Path):
    folder = scratch / "postgres"
    folder.mkdir()
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    data, port = folder / "data", free_port()
    subprocess.run(
        [*_as_nobody(), PROGRAMS / "initdb"]
        + ["-D", data, "-A", "trust", "-U", "postgres"],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    argv = [*_as_nobody(), PROGRAMS / "postgres", "-D", data, "-p", port]
    argv += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    argv += ["-c", "max_wal_size=8GB"]
    log = scratch / "postgres.log"
    with peer_process(argv, log, signal.SIGINT, cwd=folder) as process:
        probe = [PROGRAMS / "pg_isready", "-q", "-h", "127.0.0.1", "-p", port]
        await_ready("PostgreSQL", process, probe)
        script = scratch / "insert.sql"
        script.write_text(INSERT)
        postgres = Postgres(port, script)
        assert postgres.query("show synchronous_commit") == "on"
        postgres.query(
            "create table event (id bigserial primary key, run text, body bytea)"
        )
        yield postgres
