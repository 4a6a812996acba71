"""What an attempt leaves with its progress is where the next one goes on, also
if the runner was lost with the attempt."""

import base64
import json
import os

from cluster import Separate, python_producer, write_producers

# The first attempt says how far it has come, twice at once, and hangs until
# somebody writes to the pipe.
PRODUCER = """
import os

from kinora import Producer

painter = Producer("painter", version="1")

@painter.job
def paint(job):
    if job.attempt == 1:
        job.progress(0.1, "begun", details=b"frame 1")
        job.progress(0.2, "going on", details=b"frame 2")
        open(os.environ["GATE"]).read()
    job.write("Picture", b"from " + job.heartbeat_details)

painter.serve()
"""

BLUEPRINT = """
blueprint: sea
nodes:
  Sea: {producer: painter, outputs: {Picture: text/plain}}
outputs: [Picture]
"""


def wait_for_details(kinora, run_id: str, details: bytes) -> None:
    wanted = base64.b64encode(details).decode()
    with kinora.start("runs", "watch", run_id, "--json") as watch:
        for line in watch.stdout:
            if json.loads(line).get("heartbeatDetails") == wanted:
                watch.kill()
                return
    raise AssertionError(f"{details} is not in the ledger")


def test_the_next_runner_hands_on_what_was_left(tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    blueprint = tmp_path / "sea.yaml"
    blueprint.write_text(BLUEPRINT)
    producer = python_producer(tmp_path / "painter.py", PRODUCER, GATE=str(gate))
    table = write_producers(tmp_path, producer.address, "painter")
    servers = Separate(tmp_path, table, lease_seconds=1)
    try:
        kinora = servers.kinora
        kinora.ok("movie", "create", "sea", "--blueprint", str(blueprint))
        run_id = kinora.json("run", "sea", "--detach")["run"]["runId"]
        wait_for_details(kinora, run_id, b"frame 2")
        servers.runner.kill()
        servers.start_runner(listen=servers.runner.address)
        servers.kinora.ok("runs", "watch", run_id)
        picture = servers.kinora.call_bytes("artefact", "get", "sea", "Picture")
        assert picture.stdout == b"from frame 2", picture.stderr
    finally:
        # Both ends at once: this waits for nobody, and who reads is let go.
        os.close(os.open(gate, os.O_RDWR))
        servers.stop()
        producer.stop()
