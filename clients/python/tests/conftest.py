"""A runner for tests: plays one job against a real server over loopback."""

import hashlib
import json

import grpc
import pytest

from kinora import ProducerServer
from kinora.v1 import producer_pb2, producer_pb2_grpc, types_pb2

CHUNK = 64 * 1024


def element(data, source="Input:Text", streamed=False, mime="text/plain"):
    """An input element and, when it is streamed, its bytes."""
    data = data.encode() if isinstance(data, str) else data
    digest = types_pb2.Digest(hash=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
    made = producer_pb2.InputElement(source_id=source, content=types_pb2.BlobRef(digest=digest, mime_type=mime))
    if streamed:
        made.streamed = True
    else:
        made.inline = data
    return made, data


class Outcome:
    """Everything one call answered."""

    def __init__(self):
        self.messages, self.outputs, self.mime_types, self.logs, self.progress = [], {}, {}, [], []
        self.result = self.usage = self.question = None
        self.complete = set()

    def take(self, message):
        self.messages.append(message.WhichOneof("message"))
        kind = self.messages[-1]
        if kind == "output_chunk":
            chunk = message.output_chunk
            held = self.outputs.setdefault(chunk.output, bytearray())
            assert chunk.offset == len(held), "chunks are contiguous"
            if not chunk.offset and chunk.mime_type:
                self.mime_types[chunk.output] = chunk.mime_type
            held += chunk.data
            if chunk.last:
                self.complete.add(chunk.output)
        elif kind == "log_lines":
            assert message.log_lines.channel_offset == len(self.logs)
            self.logs += message.log_lines.lines
        elif kind == "progress":
            self.progress.append((message.progress.completed, message.progress.message))
        else:
            setattr(self, kind, getattr(message, kind))
        return self


class Runner:
    """Calls one server as the runner does."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        self.stub = producer_pb2_grpc.ProducerServiceStub(self.channel)

    def header(self, producer, outputs=("Out",), inputs=None, settings=None, groups=None, **fields):
        header = producer_pb2.JobHeader(
            movie_id="film", run_id="run-1", job_id="Node[segment=1]", producer=producer, node="Node", attempt=1,
            point=[types_pb2.DimensionIndex(dimension="segment", index=1)],
            settings_json=json.dumps(settings or {}), **fields)
        for output in outputs:
            header.outputs.append(output if isinstance(output, producer_pb2.ExpectedOutput)
                                  else producer_pb2.ExpectedOutput(name=output, mime_type="text/plain"))
        chunks = []
        for name, value in sorted((inputs or {}).items()):
            many = isinstance(value, list)
            binding = header.inputs.add(name=name, is_list=many, group_sizes=(groups or {}).get(name, []))
            for i, (made, data) in enumerate(value if many else [value] if value else []):
                binding.elements.append(made)
                if made.streamed:
                    chunks.append((name, i, data))
        return header, chunks

    def requests(self, header, chunks):
        yield producer_pb2.ProduceRequest(header=header)
        for name, i, data in chunks:
            for start in range(0, max(1, len(data)), CHUNK):
                piece = data[start : start + CHUNK]
                yield producer_pb2.ProduceRequest(input_chunk=producer_pb2.InputChunk(
                    binding=name, element=i, offset=start, data=piece, last=start + CHUNK >= len(data)))

    def start(self, producer, **job):
        header, chunks = self.header(producer, **job)
        return self.stub.Produce(self.requests(header, chunks), timeout=30)

    def run(self, producer, **job) -> Outcome:
        outcome = Outcome()
        for message in self.start(producer, **job):
            outcome.take(message)
        return outcome


@pytest.fixture
def serve():
    """`serve(producer, ...)` starts a server and gives its runner."""
    started = []

    def start(*producers):
        server = ProducerServer(*producers)
        started.append((server, Runner(server.address)))
        return started[-1][1]

    yield start
    for server, runner in started:
        runner.channel.close()
        server.stop(5)
