"""What a provider says of a failure is kept: who it was, the name it gave the
request, and whether another attempt can help."""

import json

from cluster import Kinora, python_producer, up, write_producers

PRODUCER = """
from kinora import Producer, Rejected, Retryable

painter = Producer("painter", version="1")

@painter.job
def paint(job):
    raised = Retryable if job.attempt == 1 else Rejected
    raise raised("no", provider="atelier", provider_request_id=f"req-{job.attempt}")

painter.serve()
"""

BLUEPRINT = """
blueprint: sea
nodes:
  Sea: {producer: painter, outputs: {Picture: text/plain}}
outputs: [Picture]
"""


# F: B-9
def test_a_failure_keeps_provider_and_request(tmp_path):
    (tmp_path / "sea.yaml").write_text(BLUEPRINT)
    producer = python_producer(tmp_path / "painter.py", PRODUCER)
    server = up(tmp_path, write_producers(tmp_path, producer.address, "painter"))
    try:
        kinora = Kinora(server.address)
        kinora.ok("movie", "create", "sea", "--blueprint", str(tmp_path / "sea.yaml"))
        assert kinora.call("run", "sea").returncode == 1
        log = tmp_path / "data/builds/sea/events/artefacts.log"
        tried = [json.loads(line)["artefact"] for line in log.read_text().splitlines()]
        assert [attempt["status"] for attempt in tried] == ["failed", "failed"]
        assert [attempt["failure"] for attempt in tried] == [
            {
                "reason": "producer_error",
                "message": "no",
                "retryable": True,
                "provider": "atelier",
                "providerRequestId": "req-1",
            },
            {
                "reason": "rejected",
                "message": "no",
                "provider": "atelier",
                "providerRequestId": "req-2",
            },
        ]
    finally:
        assert server.stop() == 0
        producer.stop()
