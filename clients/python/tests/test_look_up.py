"""What a producer says of work that was begun before, and what is made of it."""

import pathlib
import re
import sys
import threading
import types

import grpc
import pytest

from conftest import element
from kinora import Producer
from kinora.v1 import error_pb2, producer_pb2

README = pathlib.Path(__file__).resolve().parents[1] / "README.md"


def look_up(runner, key="key-1", producer="p"):
    return runner.stub.LookUpJob(producer_pb2.LookUpJobRequest(producer=producer, idempotency_key=key)).state


def producer_that_says(answer):
    producer = Producer("p", version="1")
    producer.look_up(lambda key: answer(key) if callable(answer) else answer)
    return producer


def described(runner):
    return runner.stub.Describe(producer_pb2.DescribeRequest(producer="p"))


@pytest.mark.parametrize("said, state", [
    ("never_started", producer_pb2.LOOK_UP_STATE_NEVER_STARTED),
    ("running", producer_pb2.LOOK_UP_STATE_RUNNING),
    ("finished", producer_pb2.LOOK_UP_STATE_FINISHED),
    ("unknown", producer_pb2.LOOK_UP_STATE_UNKNOWN),
])
def test_the_answer_reaches_the_runner(serve, said, state):
    runner = serve(producer_that_says(said))
    assert described(runner).supports_look_up
    assert look_up(runner) == state


def test_the_function_is_given_the_key(serve):
    asked = []
    look_up(serve(producer_that_says(lambda key: asked.append(key) or "finished")), key="film/abc")
    assert asked == ["film/abc"]


def test_without_a_function_nothing_is_known(serve):
    runner = serve(Producer("p", version="1"))
    assert not described(runner).supports_look_up
    with pytest.raises(grpc.RpcError) as error:
        look_up(runner)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


# The runner must not take it for an answer: it asks again.
@pytest.mark.parametrize("answer, told", [
    (lambda key: 1 / 0, "ZeroDivisionError"),
    ("done", "'done'"),
    (None, "None"),
])
def test_no_answer_is_an_error_that_passes(serve, answer, told):
    with pytest.raises(grpc.RpcError) as error:
        look_up(serve(producer_that_says(answer)))
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE and told in error.value.details()


def test_a_key_is_needed(serve):
    with pytest.raises(grpc.RpcError) as error:
        look_up(serve(producer_that_says("finished")), key="")
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "idempotency_key" in error.value.details()
    raw = dict(error.value.trailing_metadata())["grpc-status-details-bin"]
    detail = error_pb2.ErrorDetail()
    error_pb2.StatusDetails.FromString(raw).details[0].Unpack(detail)
    assert detail.reason == error_pb2.ERROR_REASON_INVALID_FIELD


@pytest.fixture
def painter(serve, tmp_path, monkeypatch):
    """The producer of the README over a provider that counts, and whose work
    takes until `go` is set."""
    (code,) = re.findall(r"```python\n(import .*?)painter\.serve\(\)\n```", README.read_text(), re.DOTALL)
    provider = types.ModuleType("provider")
    provider.bought, provider.go, provider.begun = [], threading.Event(), threading.Event()

    def buy(text, key):
        provider.bought.append(key)
        provider.begun.set()
        assert provider.go.wait(20)
        return f"a picture of {text}".encode()

    provider.buy = buy
    monkeypatch.setitem(sys.modules, "provider", provider)
    monkeypatch.setenv("PAINTER_RECORDS", str(tmp_path / "records.sqlite"))
    names = {}
    exec(compile(code, str(README), "exec"), names)
    yield serve(names["painter"]), provider
    provider.go.set()


def test_the_example_buys_once(painter):
    runner, provider = painter
    job = {"outputs": ["Picture"], "inputs": {"text": element("the sea")}, "idempotency_key": "film/abc"}
    assert look_up(runner, "film/abc", "painter") == producer_pb2.LOOK_UP_STATE_NEVER_STARTED
    lost = runner.start("painter", **job)
    assert provider.begun.wait(20)
    lost.cancel()
    assert look_up(runner, "film/abc", "painter") == producer_pb2.LOOK_UP_STATE_RUNNING
    joined = runner.start("painter", **job)
    provider.go.set()
    assert [m.output_chunk.data for m in joined if m.output_chunk.data] == [b"a picture of the sea"]
    assert look_up(runner, "film/abc", "painter") == producer_pb2.LOOK_UP_STATE_FINISHED
    again = runner.run("painter", **job)
    assert again.outputs["Picture"] == b"a picture of the sea"
    assert again.usage.cost.micros == 20_000
    assert provider.bought == ["film/abc"]
