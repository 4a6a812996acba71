"""All that can be read of a store, over its API, so that two readings can be
compared: after damage each part is as it was before, or is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import sys
from typing import Callable

import grpc
from cluster import ROOT, Kinora, Process, up

sys.path.append(str(ROOT / "clients/python"))  # the generated messages

# pylint: disable=wrong-import-position
from kinora.v1 import blob_pb2, blob_pb2_grpc, event_pb2, event_pb2_grpc
from kinora.v1 import maintenance_pb2, maintenance_pb2_grpc
from kinora.v1 import manifest_pb2, manifest_pb2_grpc, movie_pb2, movie_pb2_grpc
from kinora.v1 import plan_pb2, plan_pb2_grpc, planner_pb2, planner_pb2_grpc
from kinora.v1 import run_record_pb2, run_record_pb2_grpc, types_pb2

CALL_LIMIT_S = 30  # longer is taken for a hang

# Small, so that a story of some dozen events has what long ones have.
OPTIONS = ("--checkpoint-events", "8", "--lease-seconds", "2")


@dataclasses.dataclass(frozen=True)
class Part:
    """What one call answered: messages, each as text, up to an error."""

    answers: tuple[str, ...]
    error: str = ""

    def agrees_with(self, whole: Part) -> bool:
        """True if it is the same, or begins so and then says that it cannot
        go on."""
        if not self.error:
            return self == whole
        return self.answers == whole.answers[: len(self.answers)]


class Store:
    """The services of a running store."""

    def __init__(self, address: str):
        self._channel = grpc.insecure_channel(address)
        self.movies = movie_pb2_grpc.MovieServiceStub(self._channel)
        self.blobs = blob_pb2_grpc.BlobServiceStub(self._channel)
        self.events = event_pb2_grpc.EventServiceStub(self._channel)
        self.manifests = manifest_pb2_grpc.ManifestServiceStub(self._channel)
        self.plans = plan_pb2_grpc.PlanServiceStub(self._channel)
        self.planner = planner_pb2_grpc.PlannerServiceStub(self._channel)
        self.records = run_record_pb2_grpc.RunRecordServiceStub(self._channel)
        self.maintenance = maintenance_pb2_grpc.MaintenanceServiceStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def problems(self, movie: str) -> list[str]:
        """Of `kinora verify MOVIE`, as it prints them."""
        problems = []
        request = maintenance_pb2.VerifyMovieRequest(movie_id=movie)
        try:
            for answer in self.maintenance.VerifyMovie(request, timeout=CALL_LIMIT_S):
                for p in answer.problems:
                    line = f":{p.line}" if p.line else ""
                    problems.append(f"{p.path}{line}: {p.message}")
        except grpc.RpcError as error:
            problems.append(said_by(error))
        return problems


class Running:
    """The store in `tmp`/data, with planner and runner."""

    def __init__(self, tmp: pathlib.Path, producers: pathlib.Path):
        (tmp / "up.log").write_text("")
        self.process: Process = up(tmp, producers, *OPTIONS)
        self.kinora = Kinora(self.process.address)
        self.store = Store(self.process.address)

    def end(self) -> None:
        self.store.close()
        assert self.process.stop() == 0, self.process.log()

    def kill(self) -> None:
        self.store.close()
        self.process.kill()


@contextlib.contextmanager
def running(tmp: pathlib.Path, producers: pathlib.Path):
    server = Running(tmp, producers)
    try:
        yield server
    finally:
        server.end()


def said_by(error: grpc.RpcError) -> str:
    assert error.code() != grpc.StatusCode.DEADLINE_EXCEEDED, "it hangs"
    return f"{error.code().name}: {error.details()}"


def log_of(movie: str, kind: int, run_id: str = "") -> event_pb2.LogName:
    return event_pb2.LogName(movie_id=movie, kind=kind, run_id=run_id)


def read_part(call: Callable, request, messages: Callable) -> Part:
    """`messages` makes a list of what the reading is about from an answer; a
    stream's are one after the other."""
    answers = []
    try:
        answer = call(request, timeout=CALL_LIMIT_S)
        for message in answer if hasattr(answer, "__next__") else [answer]:
            answers += messages(message)
        return Part(tuple(map(str, answers)))
    except grpc.RpcError as error:
        return Part(tuple(map(str, answers)), said_by(error))


class MovieReader:
    """Reads a movie part by part. What to ask for, such as runs and blobs, is
    told by the movie itself, and by an earlier reading `like`."""

    def __init__(self, store: Store, movie: str, like: dict[str, Part]):
        self._store, self._movie, self._like = store, movie, like
        self.parts: dict[str, Part] = {}
        self._revisions: set[str] = set()
        self._blobs: set[str] = set()
        self._keys: set[str] = set()
        self._runs: set[str] = set()
        self._plans: set[str] = set()

    def _read(self, name: str, call: Callable, request, messages=lambda a: [a]) -> None:
        self.parts[name] = read_part(call, request, messages)

    def _names(self, prefix: str, own: set[str]) -> list[str]:
        like = {n.removeprefix(prefix) for n in self._like if n.startswith(prefix)}
        return sorted(own | like)

    def read_manifests(self) -> None:
        manifests, movie = self._store.manifests, self._movie
        self._read(
            "movie", self._store.movies.GetMovie, movie_pb2.GetMovieRequest(movie_id=movie)
        )
        self._read(
            "current",
            manifests.GetCurrentManifest,
            manifest_pb2.GetCurrentManifestRequest(movie_id=movie),
        )
        self._read(
            "manifests",
            manifests.ListManifests,
            manifest_pb2.ListManifestsRequest(movie_id=movie),
            lambda a: [self._revisions.add(m.revision) or m for m in a.manifests],
        )
        for revision in self._names("manifest ", self._revisions):
            request = manifest_pb2.GetManifestRequest(movie_id=movie, revision=revision)
            self._read(f"manifest {revision}", manifests.GetManifest, request, lambda a: [a.data])

    def read_events(self) -> None:
        events, movie = self._store.events, self._movie
        kinds = {"inputs": event_pb2.LOG_KIND_INPUTS, "artefacts": event_pb2.LOG_KIND_ARTEFACTS}
        for name, kind in kinds.items():
            log = log_of(movie, kind)
            self._read(
                f"status of {name}", events.GetLogStatus, event_pb2.GetLogStatusRequest(log=log)
            )
            self._read(
                f"events of {name}",
                events.ReadEvents,
                event_pb2.ReadEventsRequest(log=log, include_kept=True),
                lambda a: [self._note(event) for event in a.events],
            )
        self._read("inputs", events.ListInputs, event_pb2.ListInputsRequest(movie_id=movie))
        for key in self._names("artefact ", self._keys):
            artefact, inputs_hash = key.split(" ")
            query = event_pb2.ArtefactQuery(artefact_id=artefact, inputs_hash=inputs_hash)
            request = event_pb2.ResolveArtefactsRequest(movie_id=movie, queries=[query])
            self._read(f"artefact {key}", events.ResolveArtefacts, request)

    def _note(self, event):
        """What the event leads to."""
        artefact = event.artefact
        if artefact.artefact_id:
            self._keys.add(f"{artefact.artefact_id} {artefact.inputs_hash}")
        for content in (event.input.content, artefact.output):
            if content.HasField("blob"):
                digest = content.blob.digest
                self._blobs.add(f"{digest.hash} {digest.size_bytes}")
        return event

    def read_blobs(self) -> None:
        for blob in self._names("blob ", self._blobs):
            digest, size = blob.split(" ")
            request = blob_pb2.ReadBlobRequest(
                movie_id=self._movie,
                digest=types_pb2.Digest(hash=digest, size_bytes=int(size)),
                verify=True,
            )
            self._read(f"blob {blob}", self._store.blobs.ReadBlob, request, lambda a: [a.data])

    def read_runs(self) -> None:
        store, movie = self._store, self._movie
        self._read(
            "runs",
            store.records.ListRunRecords,
            run_record_pb2.ListRunRecordsRequest(movie_id=movie),
            lambda a: [self._note_run(record) for record in a.records],
        )
        for run in self._names("run ", self._runs):
            request = run_record_pb2.GetRunRecordRequest(run_id=run)
            self._read(f"run {run}", store.records.GetRunRecord, request)
            log = log_of(movie, event_pb2.LOG_KIND_LEDGER, run)
            request = event_pb2.ReadEventsRequest(log=log)
            self._read(f"ledger {run}", store.events.ReadEvents, request, lambda a: a.events)
        for plan in self._names("plan ", self._plans - {""}):
            request = plan_pb2.LoadPlanRequest(movie_id=movie, plan_hash=plan)
            self._read(f"plan {plan}", store.plans.LoadPlan, request, lambda a: [a.data])
        for revision in self._names("progress ", self._revisions):
            request = plan_pb2.LoadProgressRequest(movie_id=movie, target_revision=revision)
            self._read(f"progress {revision}", store.plans.LoadProgress, request)

    def _note_run(self, record):
        self._runs.add(record.run_id)
        self._plans.add(record.plan_hash)
        return record

    def read_what_follows(self) -> None:
        """What is worked out of all that."""
        self._read(
            "next plan",
            self._store.planner.CreatePlan,
            planner_pb2.CreatePlanRequest(movie_id=self._movie, dry_run=True, with_layers=True),
        )
        self._read(
            "statistics",
            self._store.maintenance.GetStatistics,
            maintenance_pb2.GetStatisticsRequest(movie_id=self._movie),
        )


def read_movie(
    store: Store, movie: str, like: dict[str, Part] | None = None
) -> dict[str, Part]:
    """Every part by its name."""
    reader = MovieReader(store, movie, like or {})
    reader.read_manifests()
    reader.read_events()
    reader.read_blobs()
    reader.read_runs()
    reader.read_what_follows()
    return reader.parts
