"""Serving producers: the gRPC service, health, reflection and a clean end."""

import argparse
import concurrent.futures
import logging
import os
import signal
import sys
import threading

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from .producer import Producer
from .service import ProducerService
from .v1 import producer_pb2, producer_pb2_grpc

_LOG = logging.getLogger("kinora")
_MAX_MESSAGE_BYTES = 4 * 1024 * 1024
# Threads for Describe, health and calls that are about to be refused.
_SPARE_THREADS = 6
_SERVICE = producer_pb2.DESCRIPTOR.services_by_name["ProducerService"].full_name


class ProducerServer:
    """A running server for one or more producers.

    `listen` is `HOST:PORT`; port 0 takes a free one, see `address`. With
    `credentials` (grpc.ssl_server_credentials) it speaks TLS.
    """

    def __init__(self, *producers: Producer, listen: str = "127.0.0.1:0", credentials=None):
        threads = sum(p.concurrency for p in producers) + _SPARE_THREADS
        options = (
            # Two servers on one port would split the calls between them.
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES + 64 * 1024),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES + 64 * 1024),
        )
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(threads, "kinora"), options=options)
        self._health = health.HealthServicer()
        producer_pb2_grpc.add_ProducerServiceServicer_to_server(ProducerService(producers), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        host = listen.rpartition(":")[0]
        try:
            port = (self._server.add_secure_port(listen, credentials) if credentials
                    else self._server.add_insecure_port(listen))
        except RuntimeError as error:
            raise OSError(f"cannot listen on {listen}: {error}") from error
        if not port:
            raise OSError(f"cannot listen on {listen}")
        self.address = f"{host}:{port}"
        """Where it listens, with the real port."""
        self._server.start()
        for service in ("", _SERVICE):
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace_seconds: float = 10.0):
        """Takes no new jobs, waits for those under way up to `grace_seconds`,
        then cancels the rest. Returns when everything has ended."""
        self._health.enter_graceful_shutdown()
        self._server.stop(grace_seconds).wait()


def serve(*producers: Producer, listen: str | None = None, grace_seconds: float = 10.0):
    """Serves producers until SIGTERM or SIGINT, then drains and returns.

    Listens on `listen`, else `--listen HOST:PORT`, else
    `$KINORA_PRODUCER_LISTEN`, else a free port of 127.0.0.1. Prints
    `producer ready HOST:PORT NAME...` once it serves.
    """
    parser = argparse.ArgumentParser(description="Serves Kinora producers: " + ", ".join(p.name for p in producers))
    parser.add_argument("--listen", metavar="HOST:PORT", default=os.environ.get("KINORA_PRODUCER_LISTEN") or "127.0.0.1:0")
    address = listen or parser.parse_args().listen
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        server = ProducerServer(*producers, listen=address)
    except OSError as error:
        sys.exit(f"kinora: {error}")
    print(f"producer ready {server.address} {' '.join(p.name for p in producers)}", flush=True)
    ended.wait()
    _LOG.info("draining")
    server.stop(grace_seconds)
