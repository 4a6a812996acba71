"""Watches runs over gRPC as a client in any language may: it is cut off and goes
on behind the last event that it has seen, or where a bookmark says."""

from __future__ import annotations

import sys

import grpc
from cluster import ROOT

sys.path.append(str(ROOT / "clients/python"))  # the generated messages

# pylint: disable=wrong-import-position
from kinora.v1 import event_pb2, event_pb2_grpc
from kinora.v1 import runner_pb2, runner_pb2_grpc

LIMIT_S = 90  # longer is taken for a hang

TERMINAL = ("run_completed", "run_failed", "run_cancelled")

# A server that was killed is back before long.
CHANNEL = (
    ("grpc.initial_reconnect_backoff_ms", 20),
    ("grpc.min_reconnect_backoff_ms", 20),
    ("grpc.max_reconnect_backoff_ms", 200),
    # Else all watchers of a process share one connection.
    ("grpc.use_local_subchannel_pool", 1),
)


def is_terminal(event: event_pb2.Event) -> bool:
    return event.ledger.WhichOneof("kind") in TERMINAL


def content_of(event: event_pb2.Event) -> bytes:
    return event.SerializeToString(deterministic=True)


def watch_request(run_id: str, after: int) -> runner_pb2.WatchRunRequest:
    return runner_pb2.WatchRunRequest(run_id=run_id, after_sequence=after)


def ledger_of(store: str, movie: str, run_id: str) -> dict[int, bytes]:
    """The events of a run by their sequence, as the store has them."""
    log = event_pb2.LogName(
        movie_id=movie, kind=event_pb2.LOG_KIND_LEDGER, run_id=run_id
    )
    with grpc.insecure_channel(store) as channel:
        pages = event_pb2_grpc.EventServiceStub(channel).ReadEvents(
            event_pb2.ReadEventsRequest(log=log), timeout=LIMIT_S
        )
        return {e.sequence: content_of(e) for page in pages for e in page.events}


class Watcher:
    """One watcher of a run, on a connection of its own. What it is given must
    be the next event, and what it was given before must be the same again."""

    def __init__(self, address: str, run_id: str):
        self._address = address
        self._run_id = run_id
        self._connect()
        self.seen: dict[int, bytes] = {}
        self.position = 0  # resumes behind it
        self.end = 0  # the sequence of the terminal event, once seen
        self.empty = 0  # messages with a bookmark alone

    def _connect(self) -> None:
        self._channel = grpc.insecure_channel(self._address, CHANNEL)
        self._stub = runner_pb2_grpc.RunnerServiceStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def _take(self, event: event_pb2.Event) -> None:
        assert event.sequence == self.position + 1, "a gap, or an event twice"
        assert not self.end or event.sequence <= self.end, "behind the end"
        content = content_of(event)
        assert self.seen.setdefault(event.sequence, content) == content
        self.position = event.sequence
        if is_terminal(event):
            self.end = event.sequence

    def _take_message(self, message: runner_pb2.WatchRunResponse) -> None:
        for event in message.events:
            self._take(event)
        assert message.bookmark.sequence == self.position
        self.empty += not message.events

    def _call(self):
        request = watch_request(self._run_id, self.position)
        return self._stub.WatchRun(request, timeout=LIMIT_S, wait_for_ready=True)

    def watch(self, events: int, hangs_up: bool) -> bool:
        """Watches until it has got so many events, in the midst of a message
        perhaps, or, if these are none, until the server has first said
        something. Then it cancels, or hangs up. Returns whether the stream has
        ended as it does with the run; UNAVAILABLE is raised."""
        call = self._call()
        left = events
        for message in call:
            if len(message.events) <= left:
                self._take_message(message)
            else:
                for event in message.events[:left]:
                    self._take(event)
            left -= len(message.events)
            if left > 0:
                continue
            if hangs_up:
                self.close()
                self._connect()
            else:
                call.cancel()
            return False
        assert self.position == self.end, "ended before the run"
        return True

    def begin_with_snapshot(self):
        """Takes the run as it stands, to go on behind it, and leaves. Returns
        the snapshot."""
        request = watch_request(self._run_id, self.position)
        request.with_snapshot = True
        call = self._stub.WatchRun(request, timeout=LIMIT_S, wait_for_ready=True)
        first = next(call)
        call.cancel()
        assert first.HasField("snapshot") and not first.events
        assert first.bookmark.sequence == first.snapshot.last_sequence
        self.position = first.snapshot.last_sequence
        return first.snapshot

    def begin(self):
        """Takes one message, and leaves the rest to finish()."""
        call = self._call()
        self._take_message(next(call))
        return call

    def finish(self, call) -> None:
        """Takes all that a call of begin() has left, to the run's end."""
        for message in call:
            self._take_message(message)
        assert self.position == self.end, "ended before the run"
