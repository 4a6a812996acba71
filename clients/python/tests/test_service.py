"""How calls fail, end early, are limited and are described."""

import threading
import time

import grpc
import pytest
from conftest import Outcome, Runner, element
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kinora import Cancelled, Producer, ProducerServer, RateLimited, Rejected, Retryable
from kinora.v1 import error_pb2, producer_pb2, types_pb2


def producer_of(function, name="p", **options):
    producer = Producer(name, version="1", **options)
    producer.job(function)
    return producer


def raising(error):
    def work(job):
        raise error

    return producer_of(work)


def reason_of(call: grpc.RpcError):
    raw = dict(call.trailing_metadata())["grpc-status-details-bin"]
    detail = error_pb2.ErrorDetail()
    error_pb2.StatusDetails.FromString(raw).details[0].Unpack(detail)
    return detail


@pytest.mark.parametrize("error, reason, retryable", [
    (ValueError("no"), types_pb2.FAILURE_REASON_PRODUCER_ERROR, False),
    (Retryable("later"), types_pb2.FAILURE_REASON_PRODUCER_ERROR, True),
    (RateLimited("slow"), types_pb2.FAILURE_REASON_RATE_LIMITED, True),
    (Rejected("never", provider="x"), types_pb2.FAILURE_REASON_REJECTED, False),
])
def test_exceptions_become_failures(serve, error, reason, retryable):
    outcome = serve(raising(error)).run("p")
    assert outcome.result.failed.reason == reason
    assert outcome.result.failed.retryable == retryable
    assert str(error) in outcome.result.failed.message
    assert any("Traceback" in line for line in outcome.logs)


def test_retry_after_reaches_the_runner(serve):
    failed = serve(raising(RateLimited("slow", retry_after=1.5))).run("p").result.failed
    assert failed.retry_after.ToMilliseconds() == 1500
    assert not serve(raising(RateLimited("slow"))).run("p").result.failed.HasField("retry_after")
    with pytest.raises(ValueError):
        RateLimited("slow", retry_after=-1)


def test_forgotten_output_is_a_failure(serve):
    failed = serve(producer_of(lambda job: job.write("A", "x"))).run("p", outputs=["A", "B"]).result.failed
    assert failed.reason == types_pb2.FAILURE_REASON_OUTPUT_MISSING and "B" in failed.message


def test_input_that_does_not_match_its_digest_is_refused(serve):
    made, _ = element("right", streamed=True)
    with pytest.raises(grpc.RpcError) as error:
        serve(producer_of(lambda job: job.write("Out", ""))).run("p", inputs={"text": (made, b"wrong")})
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "inputs['text'].elements[0]" in error.value.details()
    assert reason_of(error.value).reason == error_pb2.ERROR_REASON_INVALID_FIELD


def test_settings_that_are_no_object_are_refused(serve):
    with pytest.raises(grpc.RpcError) as error:
        serve(producer_of(lambda job: None)).run("p", settings=[1])
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "settings_json" in error.value.details()


def test_unknown_producer_is_not_found(serve):
    with pytest.raises(grpc.RpcError) as error:
        serve(producer_of(lambda job: None)).run("q")
    assert error.value.code() == grpc.StatusCode.NOT_FOUND and "'q'" in error.value.details()
    assert reason_of(error.value).metadata["producer"] == "q"


def test_one_server_serves_several_producers(serve):
    runner = serve(*(producer_of(lambda job, n=n: job.write("Out", n), n) for n in ("a", "b")))
    assert [runner.run(n).outputs["Out"] for n in ("a", "b")] == [b"a", b"b"]
    described = runner.stub.Describe(producer_pb2.DescribeRequest(producer="b"))
    assert described.identity.name == "b" and described.max_concurrency == 4


def test_schemas_of_outputs_are_described(serve):
    schema = {"type": "object", "required": ["shots"]}
    producer = producer_of(lambda job: None, outputs={"Plan": "application/json", "Notes": "text/plain"},
                           schemas={"Plan": schema})
    described = serve(producer).stub.Describe(producer_pb2.DescribeRequest(producer="p"))
    assert [(o.name, o.schema_json) for o in described.outputs] == [
        ("Notes", ""), ("Plan", '{"required":["shots"],"type":"object"}')]


@pytest.mark.parametrize("output", ["Notes", "Film"])
def test_a_schema_is_of_a_json_output(output):
    with pytest.raises(ValueError, match=output):
        Producer("p", version="1", outputs={"Notes": "text/plain"}, schemas={output: {}})


# The job function learns of it by the exception its next message raises.
def test_cancelled_call_ends_the_job_function(serve):
    started, ended = threading.Event(), threading.Event()

    def work(job):
        started.set()
        try:
            while True:
                job.progress(0.1)
        except Cancelled:
            ended.set()
            raise

    call = serve(producer_of(work)).start("p")
    next(call)
    assert started.wait(10)
    call.cancel()
    assert ended.wait(10)


# With nobody reading, the job function stops after a few chunks.
def test_slow_runner_holds_the_job_function_back(serve):
    sent, stuck = [0], threading.Event()

    def work(job):
        with job.open("Out") as out:
            for _ in range(4000):
                out.write(b"x" * 131072)
                sent[0] += 1

    call = serve(producer_of(work)).start("p")
    next(call)
    # Held back means: it has begun, and then sends nothing for a while.
    before, deadline = 0, time.monotonic() + 60
    while (sent[0] == 0 or sent[0] != before) and time.monotonic() < deadline:
        before = sent[0]
        stuck.wait(0.5)
    call.cancel()
    assert 0 < sent[0] < 400


def test_job_over_the_limit_is_refused_and_the_slot_comes_back(serve):
    started, go = threading.Event(), threading.Event()

    def work(job):
        started.set()
        go.wait(20)
        job.write("Out", "")

    runner = serve(producer_of(work, concurrency=1))
    first = runner.start("p")
    assert started.wait(10)
    with pytest.raises(grpc.RpcError) as error:
        runner.run("p")
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    go.set()
    for message in first:
        if message.WhichOneof("message") == "result":
            # The very moment the runner knows the result, the slot is free.
            assert runner.run("p").result.WhichOneof("outcome") == "succeeded"


def test_stop_lets_a_job_finish_and_turns_health_off():
    started, go = threading.Event(), threading.Event()

    def work(job):
        started.set()
        go.wait(20)
        job.write("Out", "done")

    server = ProducerServer(producer_of(work))
    runner = Runner(server.address)
    health = health_pb2_grpc.HealthStub(runner.channel)
    assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
    call = runner.start("p")
    assert started.wait(10)
    stopping = threading.Thread(target=server.stop, args=(20,))
    stopping.start()
    go.set()
    outcome = Outcome()
    for message in call:
        outcome.take(message)
    stopping.join(20)
    assert outcome.outputs["Out"] == b"done" and not stopping.is_alive()
    runner.channel.close()


def test_port_in_use_is_an_error_not_a_shared_port():
    server = ProducerServer(producer_of(lambda job: None))
    with pytest.raises(OSError, match="cannot listen"):
        ProducerServer(producer_of(lambda job: None), listen=server.address)
    server.stop(0)
