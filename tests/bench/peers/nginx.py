"""nginx as a WebDAV server: PUT and GET by curl over one connection. It hashes
nothing and syncs nothing; an upload ends with a sync of its file system, so
that what it reports is durable, too."""

import contextlib
import os
import pathlib
import subprocess
import time

import machine_rest
from peers.ports import free_port
from programs import await_ready, peer_process

CONFIGURATION = """
worker_processes 2;
pid FOLDER/pid;
error_log FOLDER/error.log;
daemon off;
USER
events { worker_connections 512; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 1000000;
  client_max_body_size 0;
  client_body_buffer_size 128k;
  client_body_temp_path FOLDER/body;
  proxy_temp_path FOLDER/proxy;
  fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi;
  scgi_temp_path FOLDER/scgi;
  server {
    listen 127.0.0.1:PORT;
    root FOLDER/data;
    location / { dav_methods PUT DELETE; create_full_put_path on; }
  }
}
"""


class Nginx:
    def __init__(self, folder: pathlib.Path, port: int):
        self._data = folder / "data"
        self._list = folder / "curl.txt"
        self._url = f"http://127.0.0.1:{port}/"

    def _curl(self, requests: list[str]) -> float:
        self._list.write_text("\nnext\n".join(requests))
        start = time.monotonic()
        subprocess.run(["curl", "-K", self._list], check=True, capture_output=True)
        return time.monotonic() - start

    def _request(self, path: pathlib.Path, *lines: str) -> str:
        return "\n".join(
            [f'url = "{self._url}{path.name}"', 'output = "/dev/null"']
            + ["silent", "fail", *lines]
        )

    def put(self, files: list[pathlib.Path]) -> float:
        """Seconds to upload the files, and sync."""
        machine_rest.retire(self._data)
        self._data.mkdir()
        took = self._curl(
            [
                self._request(path, f'upload-file = "{path}"', 'header = "Expect:"')
                for path in files
            ]
        )
        start = time.monotonic()
        subprocess.run(["sync", "-f", self._data], check=True)
        took += time.monotonic() - start
        for path in files:
            kept = (self._data / path.name).stat().st_size
            assert kept == path.stat().st_size, path
        return took

    def get(self, files: list[pathlib.Path]) -> float:
        """Seconds to download the files, which were put before."""
        return self._curl([self._request(path) for path in files])


@contextlib.contextmanager
def server(scratch: pathlib.Path):
    folder = scratch / "nginx"
    (folder / "data").mkdir(parents=True)
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.replace("FOLDER", str(folder))
        .replace("PORT", str(port))
        .replace("USER", "user root;" if os.geteuid() == 0 else "")
    )
    argv = ["/usr/sbin/nginx", "-p", folder, "-c", configuration]
    argv += ["-e", folder / "error.log"]
    with peer_process(argv, scratch / "nginx.log") as process:
        probe = ["curl", "-sS", "-o", "/dev/null", f"http://127.0.0.1:{port}/"]
        await_ready("nginx", process, probe)
        yield Nginx(folder, port)
