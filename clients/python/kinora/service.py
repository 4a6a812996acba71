"""ProducerService over job functions.

A job function runs on a thread of its own and sends into a short queue; the
call's thread takes from it. gRPC takes the next message only when the last one
has left, so a slow runner stops the job function instead of filling memory.
"""

import contextlib
import json
import logging
import queue
import threading
import traceback

import grpc

from . import canonical_json
from .errors import Cancelled, WaitingForAnswer
from .inputs import BadInput, Inputs
from .job import Job, failure_of
from .producer import Producer
from .v1 import error_pb2, producer_pb2, producer_pb2_grpc

_LOG = logging.getLogger("kinora")
_QUEUED_MESSAGES = 8
_END = object()


class ProducerService(producer_pb2_grpc.ProducerServiceServicer):
    """Serves any number of producers by name."""

    def __init__(self, producers):
        self._producers: dict[str, Producer] = {}
        self._slots: dict[str, threading.Semaphore] = {}
        for producer in producers:
            if producer.name in self._producers:
                raise ValueError(f"producer {producer.name!r} is given twice")
            self._producers[producer.name] = producer
            self._slots[producer.name] = threading.Semaphore(producer.concurrency)

    def Describe(self, request, context):
        return self._find(request.producer, context).describe()

    def LookUpJob(self, request, context):
        producer = self._find(request.producer, context)
        if not producer.looks_up:
            _abort(context, grpc.StatusCode.UNIMPLEMENTED, "LookUpJob: this producer keeps no record of its jobs",
                   error_pb2.ERROR_REASON_RPC_NOT_IMPLEMENTED, producer=request.producer)
        if not request.idempotency_key:
            _invalid(context, "idempotency_key", "idempotency_key: empty")
        try:
            return producer_pb2.LookUpJobResponse(state=producer.state_of(request.idempotency_key))
        except Exception as error:
            _LOG.warning("look_up of %s failed", request.idempotency_key, exc_info=True)
            message = f"LookUpJob: {type(error).__name__}: {error}"
        _abort(context, grpc.StatusCode.UNAVAILABLE, message, error_pb2.ERROR_REASON_PRODUCER_UNAVAILABLE,
               producer=request.producer)

    def Produce(self, request_iterator, context):
        first = next(request_iterator, None)
        if first is None or first.WhichOneof("message") != "header":
            _invalid(context, "header", "the first message is not a header")
        header = first.header
        producer = self._find(header.producer, context)
        slot = self._slots[producer.name]
        if not slot.acquire(blocking=False):
            _abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED,
                   f"producer {producer.name!r} is at its limit of {producer.concurrency} jobs",
                   error_pb2.ERROR_REASON_LIMIT_EXCEEDED, producer=producer.name)
        with contextlib.ExitStack() as held:
            held.callback(slot.release)
            yield producer_pb2.ProduceResponse(accepted=producer_pb2.Accepted(identity=producer.identity()))
            inputs = _receive(header, request_iterator, context)
            held.callback(inputs.close)
            call = _Call(producer, header, inputs, context)
            held.callback(call.end)
            for message in call.messages():
                yield message
            result = call.result
            # The slot is free before the runner can know that the job is done.
            held.close()
            if result is not None:
                yield producer_pb2.ProduceResponse(result=result)

    def _find(self, name: str, context) -> Producer:
        if name not in self._producers:
            known = ", ".join(sorted(self._producers))
            _abort(context, grpc.StatusCode.NOT_FOUND, f"producer {name!r} is not served here; these are: {known}",
                   error_pb2.ERROR_REASON_PRODUCER_UNKNOWN, producer=name)
        return self._producers[name]


class _Call:
    """One job function under way."""

    def __init__(self, producer: Producer, header, inputs: Inputs, context):
        self._producer = producer
        self._queue: queue.Queue = queue.Queue(_QUEUED_MESSAGES)
        self._cancelled = threading.Event()
        self.result: producer_pb2.JobResult | None = None
        # Also runs when the call ends well, which does no harm.
        context.add_callback(self._cancelled.set)
        trace = dict(context.invocation_metadata()).get("traceparent", "")
        self._job = Job(header, inputs, self._send, self._cancelled, trace)
        self._thread = threading.Thread(target=self._run, name=header.job_id, daemon=True)
        self._thread.start()

    def messages(self):
        while (message := self._queue.get()) is not _END:
            yield message

    def end(self):
        """Waits for the job function, which sees that it is cancelled."""
        self._cancelled.set()
        while self._thread.is_alive():
            with contextlib.suppress(queue.Empty):
                self._queue.get(timeout=0.1)
        self._thread.join()

    def _send(self, message):
        while True:
            try:
                return self._queue.put(message, timeout=0.2)
            except queue.Full:
                if self._cancelled.is_set():
                    raise Cancelled(self._job.id) from None

    def _run(self):
        try:
            self.result = self._outcome()
        except Cancelled:
            _LOG.info("%s cancelled", self._job.id)
        finally:
            with contextlib.suppress(Cancelled):
                self._send(_END)

    def _outcome(self) -> producer_pb2.JobResult:
        job = self._job
        try:
            diagnostics = self._producer.run(job)
            job.check_outputs()
            text = canonical_json.dumps(diagnostics) if diagnostics else ""
            return producer_pb2.JobResult(succeeded=producer_pb2.JobResult.Succeeded(diagnostics_json=text))
        except WaitingForAnswer as waiting:
            return producer_pb2.JobResult(waiting=producer_pb2.JobResult.Waiting(question_id=waiting.question_id))
        except Exception as error:
            if job.cancelled:
                raise Cancelled(job.id) from error
            _LOG.warning("%s failed: %s", job.id, error)
            job.log(*traceback.format_exc().splitlines()[-30:])
            return producer_pb2.JobResult(failed=failure_of(error))


def _receive(header, request_iterator, context) -> Inputs:
    """Reads until every streamed input is complete."""
    try:
        settings = json.loads(header.settings_json or "{}")
    except ValueError as error:
        _invalid(context, "settings_json", f"settings_json is no JSON: {error}")
    if not isinstance(settings, dict):
        _invalid(context, "settings_json", f"settings_json is no object: {header.settings_json[:200]}")
    inputs = None
    try:
        inputs = Inputs(header)
        while inputs.pending():
            request = next(request_iterator, None)
            if request is None:
                raise BadInput("inputs: the stream ended before all of them were complete")
            if request.WhichOneof("message") != "input_chunk":
                raise BadInput(f"message: {request.WhichOneof('message')} while inputs are incomplete")
            inputs.receive(request.input_chunk)
        return inputs
    except BaseException as error:
        if inputs is not None:
            inputs.close()
        if isinstance(error, BadInput):
            _invalid(context, "inputs", str(error))
        raise


def _invalid(context, field: str, message: str):
    _abort(context, grpc.StatusCode.INVALID_ARGUMENT, message, error_pb2.ERROR_REASON_INVALID_FIELD, field=field)


def _abort(context, code: grpc.StatusCode, message: str, reason, **metadata: str):
    """Ends the call with the details every Kinora error carries."""
    status = error_pb2.StatusDetails(code=code.value[0], message=message[:2000])
    status.details.add().Pack(error_pb2.ErrorDetail(reason=reason, metadata=metadata))
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, message[:2000])
