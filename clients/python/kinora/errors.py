"""What a job function raises to say how it failed."""

from .v1 import types_pb2


class JobError(Exception):
    """A failure of the job. The runner records it; it does not retry.

    Any other exception that leaves a job function is reported the same way,
    with its type's name before its message.
    """

    reason = types_pb2.FAILURE_REASON_PRODUCER_ERROR
    retryable = False

    def __init__(self, message: str, *, provider: str = "", provider_request_id: str = "",
                 retry_after: float | None = None):
        """`retry_after` is for how many seconds the provider asks not to be called; it holds for all jobs."""
        super().__init__(message)
        if retry_after is not None and not retry_after >= 0:
            raise ValueError(f"retry_after: {retry_after} is no number of seconds")
        self.provider = provider
        self.provider_request_id = provider_request_id
        self.retry_after = retry_after


class Retryable(JobError):
    """The same call may succeed later; the runner tries again."""

    retryable = True


class RateLimited(Retryable):
    """The provider asks to slow down; the runner waits, for `retry_after` if it is known, and tries again."""

    reason = types_pb2.FAILURE_REASON_RATE_LIMITED


class Rejected(JobError):
    """The provider refused the content or the request; retrying cannot help."""

    reason = types_pb2.FAILURE_REASON_REJECTED


class OutputMissing(JobError):
    """The job function returned without writing every output it owes."""

    reason = types_pb2.FAILURE_REASON_OUTPUT_MISSING


class Cancelled(BaseException):
    """The runner cancelled the job, or its stream broke.

    Raised inside the job function by the next call that talks to the runner.
    It is no `Exception`, so that `except Exception` does not swallow it.
    """


class WaitingForAnswer(BaseException):
    """Ends the job until a person has answered; raised by `Job.ask`."""

    def __init__(self, question_id: str):
        super().__init__(question_id)
        self.question_id = question_id
