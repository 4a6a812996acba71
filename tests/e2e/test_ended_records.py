"""The records that runners leave of runs that end: --records."""

import json
import pathlib
import signal
import subprocess

import pytest

from cluster import (
    BIN,
    Kinora,
    RunOutcome,
    Separate,
    python_producer,
    up,
    write_producers,
)
from file_changes import wait_until
from volume import Volume, make_library

LIMIT_S = 60

# `writer` returns what a model said on the way.
WRITER = """
from kinora import Producer, serve

writer = Producer("writer", version="1")


@writer.job
def write(job):
    job.write("Script", "A night in Rome")
    return {
        "branch": "night",
        "transcript": {
            "id": "t1",
            "events": [
                {"kind": "message", "text": "Rome, then."},
                {"kind": "compaction", "metadata": {"archived_messages": 4}},
                {"type": "daemon_event", "daemon_id": "d1", "kind": "triggered"},
            ],
        },
    }


serve(writer)
"""

FILM = """
blueprint: film
nodes:
  Write: {producer: writer, outputs: {Script: text/plain}}
outputs: [Script]
"""


@pytest.fixture
def table(tmp_path):
    producer = python_producer(tmp_path / "writer.py", WRITER)
    yield write_producers(tmp_path, producer.address, "writer")
    assert producer.stop() == 0, producer.log()


def create(kinora: Kinora, tmp_path, movie: str) -> None:
    path = tmp_path / "film.yaml"
    path.write_text(FILM)
    kinora.ok("movie", "create", movie, "--blueprint", str(path))


def await_file(path: pathlib.Path) -> bytes:
    """What is in a file, once there is one: it comes whole, by its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wait_until(path.parent, path.exists, LIMIT_S, lambda: f"no {path}")
    return path.read_bytes()


def check_record(kinora: Kinora, path: pathlib.Path, tmp_path) -> dict:
    """`kinora records` reads it, and its fixture is one that it passes."""
    document = json.loads(kinora.ok("records", "load", str(path)))
    fixture = tmp_path / "fixture.json"
    fixture.write_text(kinora.ok("records", "fixture", str(path)))
    said = kinora.ok("records", "evaluate", str(path), "--fixture", str(fixture))
    assert said == "passed\n"
    return document


# F: S4-22, S4-23, S4-26, S4-35, S4-40
def test_a_run_that_ends_leaves_its_record(tmp_path, table):
    records, told = tmp_path / "deep/records", tmp_path / "told"
    told.mkdir()
    # The copy is of what is there when the hook is called.
    script = (
        f'cp "{records}/$KINORA_MOVIE_ID/$KINORA_RUN_ID.json" {told}/copy && '
        f"cat > {told}/new && mv {told}/new {told}/document"
    )
    hooks = tmp_path / "hooks.yaml"
    hooks.write_text(
        json.dumps({"hooks": [{"on": ["record"], "command": ["sh", "-c", script]}]})
    )
    server = up(tmp_path, table, "--records", str(records), "--hooks", str(hooks))
    kinora = Kinora(server.address)
    assert records.is_dir()
    create(kinora, tmp_path, "film")
    done = kinora.run("film")
    assert done.end == "run.completed", done.events[-1]

    call = json.loads(await_file(told / "document"))
    path = records / "film" / f"{done.run_id}.json"
    assert (told / "copy").read_bytes() == path.read_bytes()
    assert call["event"] == "record" and call["key"] == f"{done.run_id}/record"
    assert (call["movieId"], call["runId"]) == ("film", done.run_id)
    published = call["record"]
    assert published["topic"] == "observability.action_graph"
    assert published["kind"] == "action_graph_update"
    assert published["headers"]["run_id"] == done.run_id
    assert published["payload"]["persisted_path"] == str(path)
    assert published["payload"]["status"] == "completed"

    document = check_record(kinora, path, tmp_path)
    assert document == json.loads(path.read_text())
    assert document["status"] == "completed" and document["id"] == done.run_id
    assert document["stages"][0]["branch"] == "night"
    graph = document["observability"]
    assert published["payload"]["observability"] == graph
    assert [e["archived_messages"] for e in graph["compaction_events"]] == [4]
    assert [e["daemon_id"] for e in graph["daemon_events"]] == ["d1"]
    sidecar = path.with_name(f"{done.run_id}-llm") / "llm_transcript.jsonl"
    assert graph["transcript_sidecar"] == {"path": str(sidecar), "available": True}
    lines = [json.loads(line) for line in sidecar.read_text().splitlines()]
    assert [line.get("kind") for line in lines] == ["message", "compaction", "triggered"]
    assert all(line["stage_id"] == "Write" for line in lines)

    # The command makes the same, and changes nothing.
    saved = path.read_bytes()
    kinora.ok("runs", "record", done.run_id, "--dir", str(path.parent))
    assert path.read_bytes() == saved
    assert server.stop() == 0, server.log()


def test_a_runner_of_its_own_does_so(tmp_path, table, monkeypatch):
    records = tmp_path / "records"
    monkeypatch.setenv("KINORA_RECORDS", str(records))
    servers = Separate(tmp_path, table)
    create(servers.kinora, tmp_path, "film")
    done = servers.kinora.run("film")
    path = records / "film" / f"{done.run_id}.json"
    await_file(path)
    assert check_record(servers.kinora, path, tmp_path)["status"] == "completed"
    assert servers.stop() == [0, 0, 0]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return make_library(tmp_path_factory.mktemp("disk"))


class RecordsVolume(Volume):
    """The volume that fails has the records, and nothing else."""

    def __init__(self, tmp: pathlib.Path, library: pathlib.Path, table):
        super().__init__(tmp / "volume", library, table)
        self._servers = tmp
        self.records = tmp / "volume/data/records"
        self.records.mkdir(parents=True)

    def start(self) -> Kinora:
        self.server = up(
            self._servers,
            self._producers,
            "--records",
            str(self.records),
            LD_PRELOAD=str(self._library),
            KINORA_FAILING_DISK=str(self._tmp),
        )
        return Kinora(self.server.address)


# F: S4-35, S4-42: behind the end of its ledger, at each change of the disk
def test_a_runner_that_is_killed_leaves_it_to_the_next(tmp_path, library, table):
    volume = RecordsVolume(tmp_path, library, table)
    far = 10**6
    kinora = volume.start()
    create(kinora, tmp_path, "film")
    volume.kill_in(far)
    assert kinora.run("film").end == "run.completed"
    volume.end()
    changes = far - volume.spare()
    # Of two files each, at least, the writing and the naming.
    assert 4 <= changes <= 40

    for change in range(1, changes + 1):
        movie = f"film-{change}"
        kinora = volume.start()
        create(kinora, tmp_path, movie)
        volume.kill_in(change)
        kinora.call("run", movie, "--detach")
        assert volume.server.wait() == -signal.SIGKILL, volume.server.log()
        volume.spare()
        assert not list((volume.records / movie).glob("*.json"))

        kinora = volume.start()
        (listed,) = kinora.json("runs", "list", "--movie", movie)["runs"]
        run_id = listed["runId"]
        path = volume.records / movie / f"{run_id}.json"
        await_file(path)
        watched = RunOutcome(kinora.lines("runs", "watch", run_id))
        assert watched.end == "run.completed"
        assert watched.called == {"Write"}
        assert check_record(kinora, path, tmp_path)["status"] == "completed"
        sidecar = path.with_name(f"{run_id}-llm") / "llm_transcript.jsonl"
        assert len(sidecar.read_text().splitlines()) == 3
        volume.end()


def test_a_disk_that_fails_keeps_no_run_from_ending(tmp_path, library, table):
    volume = RecordsVolume(tmp_path, library, table)
    kinora = volume.start()
    create(kinora, tmp_path, "film")
    volume.make_read_only()
    lost = kinora.run("film")
    assert lost.end == "run.completed"
    volume.server.wait_for_log("the record of a run is not saved")
    assert not list(volume.records.rglob("*.json"))
    volume.make_writable()
    # The movie was not kept for it.
    saved = kinora.run("film")
    assert saved.end == "run.completed"
    await_file(volume.records / "film" / f"{saved.run_id}.json")
    volume.end()
    assert len(list(volume.records.rglob("*.json"))) == 1


def test_what_is_no_directory_is_named_and_nothing_is_served(tmp_path):
    (tmp_path / "file").touch()
    for argv in (
        [BIN / "kinora", "up", "--data", tmp_path / "data"],
        [BIN / "kinora-runner"],
    ):
        done = subprocess.run(
            [*argv, "--listen", "127.0.0.1:0", "--records", tmp_path / "file/records"],
            capture_output=True, text=True, timeout=LIMIT_S,
        )  # fmt: skip
        assert done.returncode == 2  # as for any option
        assert "records: " in done.stderr and "file/records" in done.stderr
        assert done.stdout == ""
