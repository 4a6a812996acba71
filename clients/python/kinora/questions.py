"""Questions for people, as `Job.ask` sends them."""

from __future__ import annotations

import datetime
import hashlib
import json

from . import canonical_json
from .v1 import producer_pb2

_KINDS = {
    "text": producer_pb2.QUESTION_KIND_TEXT,
    "confirm": producer_pb2.QUESTION_KIND_CONFIRM,
    "choice": producer_pb2.QUESTION_KIND_CHOICE,
    "multiple": producer_pb2.QUESTION_KIND_MULTIPLE,
    "json": producer_pb2.QUESTION_KIND_JSON,
}
_AT_DEADLINE = {
    "": producer_pb2.QUESTION_DEADLINE_ACTION_UNSPECIFIED,
    "default": producer_pb2.QUESTION_DEADLINE_ACTION_DEFAULT,
    "fail_job": producer_pb2.QUESTION_DEADLINE_ACTION_FAIL_JOB,
    "cancel_run": producer_pb2.QUESTION_DEADLINE_ACTION_CANCEL_RUN,
}


def content_hash_of(content: bytes | str) -> str:
    """The digest that `about=` sends: SHA-256 in hexadecimal, of a text's UTF-8."""
    return hashlib.sha256(content.encode("utf-8") if isinstance(content, str) else content).hexdigest()


def make(question_id: str, prompt: str, kind: str = "text", options=(), *, default=None,
         timeout: datetime.timedelta | None = None, deadline: datetime.datetime | None = None, on_deadline: str = "",
         assignees=(), escalations=(), quorum: int = 0, voters: int = 0, schema: dict | None = None,
         min_choices: int = 0, max_choices: int = 0, max_length: int = 0, pattern: str = "", content_hash: str = "",
         about: bytes | str | None = None, required: bool = True, metadata: dict | None = None) -> producer_pb2.Question:
    """The question. The runner checks it; what is wrong here is only what has no form at all (ValueError)."""
    if about is not None and content_hash:
        raise ValueError("a question has about= or content_hash=, not both")
    question = producer_pb2.Question(
        question_id=question_id, prompt=prompt, kind=_word("kind", kind, _KINDS), options=list(options),
        on_deadline=_word("on_deadline", on_deadline, _AT_DEADLINE), assignees=list(assignees), quorum=quorum,
        voters=voters, min_choices=min_choices, max_choices=max_choices, max_length=max_length, pattern=pattern,
        content_hash=content_hash if about is None else content_hash_of(about),
        default_json="" if default is None else canonical_json.dumps(default),
        schema_json="" if schema is None else canonical_json.dumps(schema),
        metadata_json="" if metadata is None else canonical_json.dumps(metadata))
    if not required:
        question.required = False
    if timeout is not None:
        question.timeout.FromTimedelta(timeout)
    if deadline is not None:
        if deadline.tzinfo is None:
            raise ValueError("deadline: a time without a time zone could be any of 24 hours")
        question.deadline.FromDatetime(deadline)
    for people, patience in escalations:
        escalation = question.escalations.add(assignees=list(people))
        if patience is not None:
            escalation.timeout.FromTimedelta(patience)
    return question


class Answers:
    """What people have answered to questions of a job."""

    def __init__(self, recorded):
        self._recorded = list(recorded)

    def to(self, question: producer_pb2.Question) -> producer_pb2.Answer | None:
        """The answer to that question, about that content."""
        for answer in reversed(self._recorded):
            # A runner that does not know what answers are about does not tell it.
            if (answer.question_id == question.question_id
                    and answer.content_hash in ("", question.content_hash)):
                return answer
        return None


def value_of(answer: producer_pb2.Answer):
    return json.loads(answer.value_json)


def _word(name: str, word: str, words: dict):
    if word not in words:
        raise ValueError(f"{name}: {word!r} is none of {', '.join(repr(w) for w in words if w)}")
    return words[word]
