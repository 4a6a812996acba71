"""A producer that has said how long it is silent at most, and is silent for
longer: its attempt ends, and says why."""

from cluster import Kinora, python_producer, up, write_producers

# The first attempt hangs; the second speaks often enough, though it takes
# longer than the producer may be silent.
PRODUCER = """
import datetime, threading

from kinora import Producer

painter = Producer("painter", version="1", heartbeat_timeout=datetime.timedelta(seconds=1))

@painter.job
def paint(job):
    if job.attempt == 1:
        job.progress(0.5, details=b"frame 1")
        threading.Event().wait(30)
    for frame in range(6):
        threading.Event().wait(0.3)
        job.progress(frame, total=6)
    job.write("Picture", b"after " + job.heartbeat_details)

painter.serve()
"""

BLUEPRINT = """
blueprint: sea
nodes:
  Sea: {producer: painter, outputs: {Picture: text/plain}}
outputs: [Picture]
"""


def test_a_stalled_attempt_ends_and_the_next_goes_on(tmp_path):
    (tmp_path / "sea.yaml").write_text(BLUEPRINT)
    producer = python_producer(tmp_path / "painter.py", PRODUCER)
    server = up(tmp_path, write_producers(tmp_path, producer.address, "painter"))
    try:
        kinora = Kinora(server.address)
        kinora.ok("movie", "create", "sea", "--blueprint", str(tmp_path / "sea.yaml"))
        outcome = kinora.run("sea")
        (again,) = [e for e in outcome.events if e["type"] == "job.retrying"]
        assert "the producer has stalled: no word from it for 1s" in again["message"]
        assert outcome.end == "run.completed"
        picture = kinora.call_bytes("artefact", "get", "sea", "Picture")
        assert picture.stdout == b"after frame 1", picture.stderr
    finally:
        server.stop()
        producer.kill()
