"""Makes the next revision of a movie, step by step: stepwise.py MOVIE [--each]."""

import argparse
import concurrent.futures
import contextlib
import json
import os
import secrets
import threading
import time

import grpc
from google.protobuf.duration_pb2 import Duration
from kinora.v1 import lease_pb2, lease_pb2_grpc, manifest_pb2, manifest_pb2_grpc
from kinora.v1 import plan_pb2, plan_pb2_grpc, planner_pb2, planner_pb2_grpc
from kinora.v1 import runner_pb2, runner_pb2_grpc, types_pb2


def channel(service):
    """`kinora up` has all services at one address."""
    address = os.environ.get(f"KINORA_{service}_ADDR") or os.environ.get("KINORA_ADDR")
    return grpc.insecure_channel(address or "127.0.0.1:7400")


store = channel("STORE")
leases = lease_pb2_grpc.LeaseServiceStub(store)
plans = plan_pb2_grpc.PlanServiceStub(store)
manifests = manifest_pb2_grpc.ManifestServiceStub(store)
planner = planner_pb2_grpc.PlannerServiceStub(channel("PLANNER"))
runner = runner_pb2_grpc.RunnerServiceStub(channel("RUNNER"))


def new_run_id():
    """`run-` and a ULID: milliseconds, then chance, in Crockford's base 32."""
    number = int(time.time() * 1000) << 80 | secrets.randbits(80)
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return "run-" + "".join(digits[number >> 5 * i & 31] for i in range(25, -1, -1))


@contextlib.contextmanager
def held_lease(movie, run_id):
    """The movie's lease. While it is held no other run of the movie begins."""
    wanted = lease_pb2.AcquireLeaseRequest(
        lease_id=f"movie/{movie}", holder=f"stepwise-{secrets.token_hex(8)}",
        purpose=run_id, ttl=Duration(seconds=30))
    for tries_left in range(50, -1, -1):
        try:
            token = leases.AcquireLease(wanted).lease.token
            break
        except grpc.RpcError as error:
            # A runner may be closing the run before; that is soon done.
            held = error.code() == grpc.StatusCode.FAILED_PRECONDITION
            if not held or not tries_left:
                raise
            time.sleep(0.1)
    done = threading.Event()

    def renew():
        while not done.wait(10):
            leases.RenewLease(lease_pb2.RenewLeaseRequest(token=token))

    threading.Thread(target=renew, daemon=True).start()
    try:
        yield token
    finally:
        done.set()
        leases.ReleaseLease(lease_pb2.ReleaseLeaseRequest(token=token))


def make_plan(movie):
    """Hash and content of a plan; it is saved, so a later step can load it."""
    producers = runner.ListProducers(runner_pb2.ListProducersRequest()).producers
    answer = planner.CreatePlan(planner_pb2.CreatePlanRequest(
        movie_id=movie,
        producers=[types_pb2.ProducerIdentity(
            name=p.name, version=p.description.identity.version)
            for p in producers if p.reachable]))
    plan_hash = next(m.header.plan_hash for m in answer if m.HasField("header"))
    chunks = plans.LoadPlan(
        plan_pb2.LoadPlanRequest(movie_id=movie, plan_hash=plan_hash))
    return plan_hash, json.loads(b"".join(chunk.data for chunk in chunks))


def execute_layer(number, layer, step):
    """One call for all jobs of a layer."""
    return runner.ExecuteLayer(
        runner_pb2.ExecuteLayerRequest(layer=number, **step)).jobs


def execute_each(number, layer, step):
    """A call for each job; they may come from many machines."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        calls = [pool.submit(runner.ExecuteJob, runner_pb2.ExecuteJobRequest(
            job_id=job["jobId"], **step)) for job in layer["jobs"]]
        return [call.result().job for call in calls]


def commit(movie, run_id, plan_hash, plan, lease):
    source = manifest_pb2.RevisionSource(
        target_revision=plan["targetRevision"],
        base_manifest_hash=plan.get("manifestBaseHash", ""),
        run_id=run_id, plan_hash=plan_hash,
        inputs_through_sequence=plan.get("inputsThroughSequence", 0),
        removed_artefact_ids=plan.get("removedArtefactIds", []))
    return manifests.CommitRevision(manifest_pb2.CommitRevisionRequest(
        movie_id=movie, source=source, lease=lease))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("movie")
    arguments.add_argument("--each", action="store_true")
    options = arguments.parse_args()
    execute = execute_each if options.each else execute_layer
    run_id = new_run_id()
    with held_lease(options.movie, run_id) as lease:
        while True:
            plan_hash, plan = make_plan(options.movie)
            step = dict(movie_id=options.movie, plan_hash=plan_hash,
                        run_id=run_id, lease=lease)
            # A plan without layers may still reuse results: its layer 0 does.
            for number, layer in enumerate(plan.get("layers") or [{"jobs": []}]):
                if layer["jobs"]:
                    jobs = execute(number, layer, step)
                else:
                    jobs = execute_layer(number, layer, step)
                for job in jobs:
                    print(run_id, job.job_id, job.status, job.detail)
                    if job.status not in ("completed", "skipped"):
                        raise SystemExit(1)
            if not plan.get("deferred"):
                break
            # What a list decides is known now: plan again, under a new run.
            run_id = new_run_id()
        done = commit(options.movie, run_id, plan_hash, plan, lease)
    print(run_id, done.current.revision, done.current.hash)


if __name__ == "__main__":
    main()
