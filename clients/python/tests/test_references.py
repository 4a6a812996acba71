"""Inputs that a producer reads from where the store has them."""

import os
import urllib.parse

import grpc
import pytest
from conftest import element

from kinora import Producer
from kinora.v1 import producer_pb2

DATA = bytes(range(256)) * 10000  # above the spool limit


def producer_of(function, **options):
    producer = Producer("p", version="1", **options)
    producer.job(function)
    return producer


def reference(path, data=DATA):
    made, _ = element(data, streamed=True)
    made.reference = "file://" + urllib.parse.quote(os.fsencode(path))
    return made, data


# F: S0-17
@pytest.mark.parametrize("name", ["blob", "50% of #1?", "ü %41", os.fsdecode(b"\xff\n")])
def test_a_reference_is_read_as_any_other_input(serve, tmp_path, name):
    path = str(tmp_path / name)
    with open(path, "wb") as file:
        file.write(DATA)
    seen = {}

    def look(job):
        blob = job.input("blob")
        with blob.open() as opened:
            seen.update(same=job.bytes("blob") == DATA == opened.read(), size=blob.size, path=blob.path(),
                        complete=blob.complete)
        job.write("Out", "")

    outcome = serve(producer_of(look)).run("p", inputs={"blob": reference(path), "text": element("x", streamed=True)})
    assert outcome.result.WhichOneof("outcome") == "succeeded"
    # No copy is made, and the file is not the job's to remove.
    assert seen == {"same": True, "size": len(DATA), "path": path, "complete": True}
    assert os.path.getsize(path) == len(DATA)


def refusal_of(serve, given):
    """What a job is told that is called with this input."""
    with pytest.raises(grpc.RpcError) as error:
        serve(producer_of(lambda job: job.write("Out", ""))).run("p", inputs={"blob": given})
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "inputs['blob'].elements[0]" in error.value.details()
    return error.value.details()


@pytest.mark.parametrize("change", [
    lambda path: path.write_bytes(DATA[:-1]),
    lambda path: path.write_bytes(DATA + b"\n"),
    lambda path: path.write_bytes(b"\1" + DATA[1:]),
])
def test_a_reference_to_other_bytes_is_refused(serve, tmp_path, change):
    path = tmp_path / "blob"
    change(path)
    made, _ = given = reference(path)
    assert f"expected {made.content.digest.hash}" in refusal_of(serve, given)


# A pipe would keep the call waiting for whoever writes to it.
@pytest.mark.parametrize("make", [lambda path: None, os.mkdir, os.mkfifo])
def test_a_reference_to_no_file_says_who_promised_it(serve, tmp_path, make):
    path = tmp_path / "blob"
    make(path)
    said = refusal_of(serve, reference(path))
    assert str(path) in said and "`references`" in said


@pytest.mark.parametrize("url", ["/blob", "file:blob", "file://host/blob", "file:///blob?x", "https://host/blob"])
def test_other_urls_are_refused(serve, url):
    made, data = reference("/blob")
    made.reference = url
    assert url in refusal_of(serve, (made, data))


@pytest.mark.parametrize("options, mode", [
    ({}, producer_pb2.INPUT_MODE_STREAM),
    ({"references": True}, producer_pb2.INPUT_MODE_REFERENCE),
])
def test_a_producer_is_streamed_to_unless_it_asks_for_references(serve, options, mode):
    runner = serve(producer_of(lambda job: None, **options))
    assert runner.stub.Describe(producer_pb2.DescribeRequest(producer="p")).input_mode == mode
