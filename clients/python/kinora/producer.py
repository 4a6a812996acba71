"""A producer: a name, a version and the function that does its jobs."""

import datetime
from collections.abc import Callable, Mapping

from . import canonical_json
from .job import Job
from .v1 import producer_pb2

_STATES = {
    "never_started": producer_pb2.LOOK_UP_STATE_NEVER_STARTED,
    "running": producer_pb2.LOOK_UP_STATE_RUNNING,
    "finished": producer_pb2.LOOK_UP_STATE_FINISHED,
    "unknown": producer_pb2.LOOK_UP_STATE_UNKNOWN,
}


class Producer:
    """Describes a producer and holds its job function.

    `version` is part of every key: change it when the same inputs would now
    give a different output. `concurrency` is the number of jobs it takes at
    once; more are refused with RESOURCE_EXHAUSTED. `outputs` maps names to
    media types, and may be empty for a producer that makes whatever a
    blueprint declares. `schemas` maps names of JSON outputs to their JSON
    Schemas (draft 2020-12): an output that does not fit is refused, and the
    job is called again. With `references` large inputs are read from the
    store's own files, where the runner's producer table allows that; jobs read
    them as any input, but MUST NOT write to what `path()` gives.
    """

    def __init__(self, name: str, version: str, *, description: str = "", concurrency: int = 4,
                 settings_schema: dict | None = None, outputs: Mapping[str, str] | None = None,
                 schemas: Mapping[str, dict | bool] | None = None,
                 heartbeat_timeout: datetime.timedelta | None = None, references: bool = False):
        if not name:
            raise ValueError("name: empty")
        if not version:
            raise ValueError(f"version of producer {name!r}: empty")
        if concurrency < 1:
            raise ValueError(f"concurrency of producer {name!r}: {concurrency} is not at least 1")
        self.name, self.version, self.concurrency = name, version, concurrency
        self._description, self._schema = description, settings_schema
        self._outputs, self._heartbeat = dict(outputs or {}), heartbeat_timeout
        self._input_mode = producer_pb2.INPUT_MODE_REFERENCE if references else producer_pb2.INPUT_MODE_STREAM
        self._schemas = {output: canonical_json.dumps(schema) for output, schema in (schemas or {}).items()}
        for output in self._schemas:
            if self._outputs.get(output) != "application/json":
                raise ValueError(f"schemas of producer {name!r}: {output!r} is no application/json output of it")
        self._function: Callable[[Job], dict | None] | None = None
        self._look_up: Callable[[str], str] | None = None

    def job(self, function: Callable[[Job], dict | None]):
        """Decorator: the function that does one job.

        What it returns, a dict or None, is kept as diagnostics. What it raises
        fails the job; see `kinora.errors`.
        """
        self._function = function
        return function

    def look_up(self, function: Callable[[str], str]):
        """Decorator: the function that says what became of earlier work.

        It is given an idempotency key and returns one of

        - "never_started": there is no record of it, so a call cannot pay twice;
        - "running": it is under way, and a call with the same key joins it;
        - "finished": it is done, and a call with the same key returns the
          outputs;
        - "unknown": nobody can tell.

        The runner asks after a crash, before it would call the job function
        again. Without this function it takes the answer for "unknown". What is
        raised counts as no answer: the runner asks again later. Called from
        any thread.
        """
        self._look_up = function
        return function

    @property
    def looks_up(self) -> bool:
        """True if there is a @producer.look_up function."""
        return self._look_up is not None

    def state_of(self, idempotency_key: str) -> int:
        """The LookUpState of earlier work; used by the server."""
        said = self._look_up(idempotency_key)
        if said not in _STATES:
            raise ValueError(f"look_up of producer {self.name!r} returned {said!r}; it returns one of: "
                             + ", ".join(_STATES))
        return _STATES[said]

    def run(self, job: Job) -> dict | None:
        """Does one job; used by the server."""
        if self._function is None:
            raise RuntimeError(f"producer {self.name!r} has no @producer.job function")
        return self._function(job)

    def identity(self):
        from .v1 import types_pb2

        return types_pb2.ProducerIdentity(name=self.name, version=self.version)

    def describe(self) -> producer_pb2.DescribeResponse:
        """The answer of `ProducerService.Describe`."""
        response = producer_pb2.DescribeResponse(
            identity=self.identity(), description=self._description, max_concurrency=self.concurrency,
            settings_schema_json=canonical_json.dumps(self._schema) if self._schema else "",
            input_mode=self._input_mode, supports_look_up=self.looks_up,
            outputs=[producer_pb2.DeclaredOutput(name=n, mime_type=m, schema_json=self._schemas.get(n, ""))
                     for n, m in sorted(self._outputs.items())])
        if self._heartbeat is not None:
            response.heartbeat_timeout.FromTimedelta(self._heartbeat)
        return response

    def serve(self, listen: str | None = None):
        """Serves this producer until SIGTERM or SIGINT; see `kinora.serve`."""
        from .server import serve

        serve(self, listen=listen)
