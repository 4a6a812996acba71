"""Kinora producers in Python.

A producer turns the inputs of one job into its outputs:

    from kinora import Producer

    producer = Producer("shout", version="1")

    @producer.job
    def shout(job):
        job.write("Loud", job.text("text").upper())

    producer.serve()

See `Job` for what a job offers, `serve` for how a process is run, and the
comments of `proto/kinora/v1/producer.proto` for the contract beneath.
"""

from .errors import Cancelled, JobError, RateLimited, Rejected, Retryable
from .inputs import Input
from .job import Job, OutputWriter
from .producer import Producer
from .server import ProducerServer, serve

__all__ = [
    "Cancelled",
    "Input",
    "Job",
    "JobError",
    "OutputWriter",
    "Producer",
    "ProducerServer",
    "RateLimited",
    "Rejected",
    "Retryable",
    "serve",
]
