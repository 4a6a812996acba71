"""One job, as its function sees it."""

from __future__ import annotations

import datetime
import json
import os
import threading
from collections.abc import Callable

from . import canonical_json, questions
from .errors import Cancelled, OutputMissing, WaitingForAnswer
from .inputs import Input, Inputs
from .v1 import producer_pb2, types_pb2

# The contract asks for chunks of 64 KiB to 1 MiB; a few of them are in flight.
CHUNK_BYTES = 128 * 1024
_LINE_BYTES = 16 * 1024


class Job:
    """What a job is given, and how it answers.

    Safe to use from several threads. Every call that sends something blocks
    while the runner is slower than the job, and raises `Cancelled` once the
    runner has given the job up.
    """

    def __init__(self, header: producer_pb2.JobHeader, inputs: Inputs,
                 send: Callable[[producer_pb2.ProduceResponse], None], cancelled: threading.Event,
                 trace_parent: str = ""):
        self.id = header.job_id
        """The job, such as `Narration[segment=0]`."""
        self.movie_id = header.movie_id
        self.run_id = header.run_id
        self.node = header.node
        """The blueprint node, such as `Narration`."""
        self.point = {d.dimension: d.index for d in header.point}
        """The job's coordinates, such as `{"segment": 0}`."""
        self.attempt = header.attempt
        """Counts from 1."""
        self.draw = header.draw
        self.inputs_hash = header.inputs_hash
        self.idempotency_key = header.idempotency_key
        """The same for every attempt at this work; pass it to a provider."""
        self.settings: dict = json.loads(header.settings_json or "{}")
        """The node's settings from the blueprint."""
        self.deadline: datetime.datetime | None = (
            header.deadline.ToDatetime(datetime.timezone.utc) if header.HasField("deadline") else None)
        self.heartbeat_details = header.heartbeat_details
        """What the attempt before this one left with `progress(details=...)`."""
        self.trace_parent = trace_parent
        """W3C `traceparent` of the call, to pass on."""
        self._inputs, self._send, self._cancelled = inputs, send, cancelled
        self._answers = questions.Answers(header.answers)
        self._expected = {o.name: o for o in header.outputs}
        self._written: set[str] = set()
        self._lock = threading.Lock()
        self._lines_sent = 0
        self._usage = producer_pb2.Usage()

    # Inputs.

    def input(self, name: str) -> Input:
        """The input bound to `name`; KeyError if there is none."""
        return self._inputs.one(name)

    def list(self, name: str) -> list[Input]:
        """All elements of a fan-in, in index order."""
        return list(self._inputs.all(name))

    def groups(self, name: str) -> list[list[Input]]:
        """The elements of a fan-in with `group`, group by group; a group may
        be empty."""
        return self._inputs.groups(name)

    def has(self, name: str) -> bool:
        """False for an input that is absent, such as what comes before the
        first segment."""
        return name in self._inputs

    def text(self, name: str) -> str:
        return self.input(name).text()

    def bytes(self, name: str) -> bytes:
        return self.input(name).bytes()

    def json(self, name: str):
        return self.input(name).json()

    def path(self, name: str) -> str:
        """A file with the input's bytes, there until the job ends. Only to be
        read."""
        return self.input(name).path()

    @property
    def folder(self) -> str:
        """A directory of the job's own, removed when the job ends."""
        return self._inputs.folder

    def temporary(self, name: str) -> str:
        """A path for a file of that name in a directory of the job's own."""
        folder = os.path.join(self.folder, "work")
        os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, name)

    # Outputs.

    def elements(self, output: str) -> list[dict[str, int]]:
        """Coordinates of each element of an output, beyond the job's own."""
        return [{d.dimension: d.index for d in e.index} for e in self._output(output).elements] or [{}]

    def write(self, output: str, data: str | bytes, mime_type: str = "", at=None, readable_path: str = ""):
        """Sends one output whole. `at` chooses the element of an output that
        has several: its position, or its coordinates as a dict."""
        with self.open(output, mime_type, at, readable_path) as writer:
            writer.write(data.encode("utf-8") if isinstance(data, str) else data)

    def write_json(self, output: str, value, at=None, readable_path: str = ""):
        """Sends a JSON value in canonical form."""
        self.write(output, canonical_json.dumps(value), "application/json", at, readable_path)

    def write_file(self, output: str, path: str, mime_type: str = "", at=None):
        """Sends a file's bytes, a piece at a time."""
        with self.open(output, mime_type, at) as writer, open(path, "rb") as file:
            while piece := file.read(CHUNK_BYTES):
                writer.write(piece)

    def open(self, output: str, mime_type: str = "", at=None, readable_path: str = "") -> "OutputWriter":
        """A writer to send an output as it is made; use it in a `with`."""
        name = self._element(output, at)
        with self._lock:
            if name in self._written:
                raise ValueError(f"output {name!r} is written twice")
            self._written.add(name)
        return OutputWriter(self._emit, name, mime_type or self._output(output).mime_type, readable_path)

    def _output(self, name: str) -> producer_pb2.ExpectedOutput:
        if name not in self._expected:
            known = ", ".join(sorted(self._expected)) or "none"
            raise ValueError(f"the job makes no output {name!r}; it makes: {known}")
        return self._expected[name]

    def _element(self, output: str, at) -> str:
        elements = self._output(output).elements
        if at is None:
            if len(elements) > 1:
                raise ValueError(f"output {output!r} has {len(elements)} elements; say which with at=")
            return elements[0].artefact_id if elements else output
        if isinstance(at, int):
            if not 0 <= at < max(1, len(elements)):
                raise ValueError(f"output {output!r} has no element {at}")
            return elements[at].artefact_id if elements else output
        for element, index in zip(elements, self.elements(output)):
            if index == at:
                return element.artefact_id
        raise ValueError(f"output {output!r} has no element at {at}")

    # Telling the runner.

    def progress(self, completed: float | None = None, message: str = "", total: float = 1.0, details: bytes = b""):
        """Says how far the job is, for example `progress(3, "frame 3", total=10)`."""
        report = producer_pb2.Progress(message=message, heartbeat_details=details)
        if completed is not None:
            report.completed, report.total = completed, total
        self._emit(producer_pb2.ProduceResponse(progress=report))

    def log(self, *lines: str):
        """Adds lines to the run's log."""
        split = [piece for line in lines for text in (str(line).splitlines() or [""]) for piece in _pieces(text)]
        with self._lock:
            offset, self._lines_sent = self._lines_sent, self._lines_sent + len(split)
            message = producer_pb2.LogLines(channel_offset=offset, lines=split)
            self._emit(producer_pb2.ProduceResponse(log_lines=message))

    def cost(self, amount: float, currency: str = "USD"):
        """Adds to the money this job has cost so far."""
        with self._lock:
            self._usage.cost.currency_code = currency
            self._usage.cost.micros += round(amount * 1_000_000)
            self._emit(producer_pb2.ProduceResponse(usage=self._usage))

    def usage(self, **quantities: float):
        """Adds to further measures, such as `usage(tokens=512)`."""
        with self._lock:
            for name, value in quantities.items():
                self._usage.quantities[name] += value
            self._emit(producer_pb2.ProduceResponse(usage=self._usage))

    def ask(self, question_id: str, prompt: str, kind: str = "text", options=(), default=None,
            timeout: datetime.timedelta | None = None, schema: dict | None = None, content_hash: str = "",
            about: bytes | str | None = None, **terms):
        """The recorded answer to a question for a person.

        Without one the question is sent and the job ends here; the runner
        calls it again, from its start, when the answer is there. Ask before
        doing anything that costs money.

        `about` is the content under review, of which the digest is sent (or
        give that as `content_hash`): the answer holds for this content only,
        an approval also in later runs, where nobody is asked again.

        `terms`: `deadline` (a time, in place of `timeout`), `on_deadline`
        ("default", "fail_job" or "cancel_run"), `assignees`, `escalations` (a
        list of people and a timedelta or None), `quorum`, `voters`,
        `min_choices`, `max_choices`, `max_length`, `pattern`, `required` (if
        False the answer may be None) and `metadata` (a dict), as Question in
        producer.proto says.
        """
        question = questions.make(question_id, prompt, kind, options, default=default, timeout=timeout,
                                  schema=schema, content_hash=content_hash, about=about, **terms)
        answer = self._answers.to(question)
        if answer is not None:
            return questions.value_of(answer)
        self._emit(producer_pb2.ProduceResponse(question=question))
        raise WaitingForAnswer(question_id)

    @property
    def cancelled(self) -> bool:
        """True once the runner has given the job up."""
        return self._cancelled.is_set()

    def _emit(self, message: producer_pb2.ProduceResponse):
        if self.cancelled:
            raise Cancelled(self.id)
        self._send(message)

    def check_outputs(self):
        """Raises OutputMissing for what was not written; used by the server."""
        owed = [e.artefact_id for o in self._expected.values() for e in o.elements]
        owed += [name for name, o in self._expected.items() if not o.elements]
        missing = [name for name in owed if name not in self._written]
        if missing:
            raise OutputMissing(f"the job did not write {', '.join(missing[:8])}{' …' if len(missing) > 8 else ''}")


class OutputWriter:
    """Sends one output in pieces. An exception inside its `with` leaves the
    output incomplete, which fails the job."""

    def __init__(self, emit, name: str, mime_type: str, readable_path: str):
        self._emit, self._name = emit, name
        self._mime_type, self._readable_path = mime_type, readable_path
        self._offset = 0
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        """Takes bytes; sends them once a chunk is full."""
        view = memoryview(data)
        for start in range(0, len(view), CHUNK_BYTES):
            self._held += view[start : start + CHUNK_BYTES]
            if len(self._held) >= CHUNK_BYTES:
                self._flush(False)
        return len(view)

    def _flush(self, last: bool):
        chunk = producer_pb2.OutputChunk(output=self._name, offset=self._offset, last=last, data=bytes(self._held))
        if self._offset == 0:
            chunk.mime_type, chunk.readable_path = self._mime_type, self._readable_path
        self._offset += len(self._held)
        self._held.clear()
        self._emit(producer_pb2.ProduceResponse(output_chunk=chunk))

    def __enter__(self) -> "OutputWriter":
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self._flush(True)


def _pieces(line: str):
    """Cuts a line into pieces of at most 16 KiB of UTF-8."""
    data = line.encode("utf-8", "replace")
    if len(data) <= _LINE_BYTES:
        return [line]
    return [data[i : i + _LINE_BYTES].decode("utf-8", "ignore") for i in range(0, len(data), _LINE_BYTES)]


def failure_of(error: BaseException) -> types_pb2.Failure:
    """How the runner records an exception that left a job function."""
    from .errors import JobError

    if isinstance(error, JobError):
        failure = types_pb2.Failure(reason=error.reason, message=str(error)[:3000], retryable=error.retryable,
                                    provider=error.provider, provider_request_id=error.provider_request_id)
        if error.retry_after is not None:
            # A day is more than any runner waits, and no provider's typing error overflows.
            failure.retry_after.FromMilliseconds(round(min(error.retry_after, 86400) * 1000))
        return failure
    return types_pb2.Failure(reason=types_pb2.FAILURE_REASON_PRODUCER_ERROR,
                             message=f"{type(error).__name__}: {error}"[:3000])
