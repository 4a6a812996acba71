"""A store with every kind of file that one has, made as users make it."""

from __future__ import annotations

import hashlib
import os
import pathlib
import sys

import grpc
from cluster import ROOT, Kinora
from google.protobuf.duration_pb2 import Duration

sys.path.append(str(ROOT / "clients/python"))  # the generated messages

# pylint: disable=wrong-import-position
from kinora.v1 import lease_pb2, lease_pb2_grpc, plan_pb2, plan_pb2_grpc

# A text beyond the inline limit, prompts that can be edited by hand, pictures
# that are blobs, and a film that may ask before it is made.
BLUEPRINT = """
blueprint: film
inputs:
  Story: {type: text}
  Voice: {type: file}
  SegmentCount: {type: integer, default: 2, minimum: 1, maximum: 20}
dimensions:
  segment: {size: Input:SegmentCount}
nodes:
  Script:
    producer: script
    settings: {text: "NOVEL", cost: 0.5, currency: USD, FAILS}
    inputs: {story: "Input:Story", count: "Input:SegmentCount"}
    outputs: {SegmentText: {type: text/plain, over: [segment]}}
  Prompt:
    producer: prompt
    over: [segment]
    inputs: {text: "SegmentText[segment]"}
    outputs: {Prompt: {type: text/plain, readable: "segment/{segment}/image.txt"}}
  Picture:
    producer: picture
    over: [segment]
    settings: {bytes: 5000}
    inputs: {prompt: "Prompt[segment]"}
    outputs: {Image: image/png}
  Film:
    producer: film
    settings: {bytes: 6000, ASKS}
    inputs: {images: {all: "Image[segment]"}, voice: "Input:Voice"}
    outputs: {Film: video/mp4}
outputs: [Film]
"""

PRODUCERS = ("script", "prompt", "picture", "film")


def write_blueprint(path: pathlib.Path, asks: bool = False, fails: bool = False):
    path.write_text(
        BLUEPRINT.replace("NOVEL", "Call me Ishmael. " * 300)
        .replace(", ASKS", ", question: 'Which title?'" if asks else "")
        .replace(", FAILS", ", fail_attempts: 9, fail_code: INTERNAL" if fails else "")
    )
    return str(path)


def write_voice(tmp: pathlib.Path) -> pathlib.Path:
    path = tmp / "voice.wav"
    path.write_bytes(bytes(range(256)) * 20)
    return path


def save_progress(address: str, movie: str, run_id: str) -> None:
    """As those do who execute the steps of a run themselves."""
    channel = grpc.insecure_channel(address)
    leases = lease_pb2_grpc.LeaseServiceStub(channel)
    taken = leases.AcquireLease(
        lease_pb2.AcquireLeaseRequest(
            lease_id=f"movie/{movie}",
            holder="story",
            purpose=run_id,
            ttl=Duration(seconds=30),
        )
    )
    plan_pb2_grpc.PlanServiceStub(channel).SaveProgress(
        plan_pb2.SaveProgressRequest(
            movie_id=movie,
            target_revision="rev-0005",
            progress=plan_pb2.PlanProgress(
                plan_hash="0" * 64, run_id=run_id, done_jobs_by_layer=[1, 2]
            ),
            lease=taken.lease.token,
        )
    )
    leases.ReleaseLease(lease_pb2.ReleaseLeaseRequest(token=taken.lease.token))
    channel.close()


def tell(address: str, tmp: pathlib.Path) -> None:
    """Makes `film`, with all that a movie has, and `other`, an ordinary one."""
    kinora = Kinora(address)
    film = write_blueprint(tmp / "film.yaml")
    voice = write_voice(tmp)
    for movie in ("film", "other"):
        kinora.ok("movie", "create", movie, "--blueprint", film)
        kinora.ok("input", "set", movie, 'Story="one"', f"Voice=file:{voice}")
        assert kinora.run(movie).end == "run.completed"

    data = tmp / "data/builds/film"
    for story in ("two", "three"):
        kinora.ok("input", "set", "film", f'Story="{story}"')
        assert kinora.run("film").end == "run.completed"
    kinora.ok("checkpoint", "film", "--remove-covered-logs")
    kinora.ok("prune", "film", "--keep-revisions", "2", "--keep-takes", "5")
    (data / "prompts/segment/0/image.txt").write_text("a whale, by hand")
    kinora.ok("movie", "scan", "film")
    assert kinora.run("film").end == "run.completed"
    kinora.ok("movie", "blueprint", "film", write_blueprint(tmp / "f.yaml", fails=True))
    kinora.ok("input", "set", "film", 'Story="four"')
    kinora.fails("run", "film")
    kinora.ok("movie", "blueprint", "film", film)
    kinora.ok("take", "reroll", "film", "Image[segment=1]")
    last = kinora.run("film")
    assert last.end == "run.completed"
    kinora.ok("gc", "film")
    save_progress(address, "film", last.run_id)
    # A blob that is old, and used again.
    (blob,) = data.glob(f"blobs/*/{hashlib.sha256(voice.read_bytes()).hexdigest()}")
    os.utime(blob, (1e9, 1e9))
    kinora.ok("input", "set", "film", 'Story="five"', f"Voice=file:{voice}")
    kinora.ok("movie", "blueprint", "film", write_blueprint(tmp / "f.yaml", fails=True))
    kinora.fails("run", "film")
    kinora.ok("plan", "film")
    kinora.ok("movie", "quota", "film", "--max-revisions", "20")
    # Whatever is cut off a log from here on is missed.
    kinora.ok("checkpoint", "film")


def tell_open_runs(kinora: Kinora, tmp: pathlib.Path) -> None:
    """Makes `asks` and `waits`, whose runs wait with a question; behind that of
    `asks` another is queued."""
    asks, voice = write_blueprint(tmp / "asks.yaml", asks=True), write_voice(tmp)
    for movie in ("asks", "waits"):
        kinora.ok("movie", "create", movie, "--blueprint", asks)
        kinora.ok("input", "set", movie, 'Story="one"', f"Voice=file:{voice}")
        run = kinora.json("run", movie, "--detach")["run"]["runId"]
        with kinora.start("runs", "watch", run, "--json") as watch:
            for line in watch.stdout:
                if '"job.question"' in line:
                    break
            watch.kill()
    kinora.ok("run", "asks", "--queue", "--detach")
