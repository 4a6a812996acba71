"""Blobs in and out, in process and over gRPC: 1,000 of 64 KiB and one of
1 GiB, beside the machine itself, OSTree, nginx and bare gRPC streams.

Each measurement has a new store; what the peers are given lies in the page
cache.
"""

import contextlib
import os
import pathlib
import shutil

import machine_rest
from bench import Bench
from contest import Bar, Measure, Peer
from peers import disk, echo, nginx, ostree

SMALL_BYTES = 65536
MESSAGE_BYTES = (65536, 1 << 20)


class Store:
    """Measures a new store each time: rates of writing and reading."""

    def __init__(self, bench: Bench, scratch: pathlib.Path):
        self._bench = bench
        self._scratch = scratch
        self._data = scratch / "store"

    def _blob_files(self) -> int:
        blobs = self._data / "builds/bench-0/blobs"
        return sum(path.is_file() for path in blobs.glob("*/*"))

    def _measure(self, expected: int, over_grpc: bool, **flags) -> dict[str, float]:
        machine_rest.retire(self._data)
        if over_grpc:
            with self._bench.programs.server(
                "kinora-store",
                self._scratch / "store.log",
                data=self._data,
                listen="127.0.0.1:0",
            ) as process:
                figures = self._bench.programs.figures(
                    "blob_bench", store=process.address, **flags
                )
        else:
            figures = self._bench.programs.figures(
                "blob_bench", data=self._data, **flags
            )
        # The movie's blueprint is a blob, too.
        assert self._blob_files() == expected + 1, self._blob_files()
        machine_rest.retire(self._data)
        return figures

    def batch(self, blobs: int, over_grpc: bool) -> dict[str, float]:
        """In files per second."""
        figures = self._measure(
            blobs, over_grpc, mode="batch", blobs=blobs, bytes=SMALL_BYTES
        )
        return {
            name: figures[name] / SMALL_BYTES for name in ("write_rate", "read_rate")
        }

    def stream(self, total_bytes: int, over_grpc: bool) -> dict[str, float]:
        """In megabytes per second."""
        figures = self._measure(1, over_grpc, mode="stream", bytes=total_bytes)
        return {name: figures[name] / 1e6 for name in ("write_rate", "read_rate")}


def _make_files(folder: pathlib.Path, count: int, size: int) -> list[pathlib.Path]:
    folder.mkdir()
    files = [folder / f"file-{i}" for i in range(count)]
    for file in files:
        with file.open("wb") as out:
            for left in range(size, 0, -(1 << 20)):
                out.write(os.urandom(min(left, 1 << 20)))
    os.sync()
    return files


def run(bench: Bench) -> None:
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(bench.scratch("blobs"))
        bare = stack.enter_context(echo.server(bench.programs, scratch))
        web = stack.enter_context(nginx.server(scratch))
        machine = disk.Disk(bench.programs, scratch)
        tree = ostree.Ostree(scratch)
        store = Store(bench, scratch)
        _small(bench, scratch, store, machine, tree, web)
        _large(bench, scratch, store, machine, tree, web, bare)


def _small(bench, scratch, store, machine, tree, web):
    count = bench.size(1000, 100)
    folder = scratch / "small"
    files = _make_files(folder, count, SMALL_BYTES)
    loop = Peer(
        "serial loop with syncs",
        lambda: machine.serial_loop(count),
        Bar(at_least=1.3),
    )
    commit = Peer(
        "ostree commit", lambda: count / tree.commit(folder), Bar(at_least=3)
    )
    put = Peer("nginx PUT, sync at the end", lambda: count / web.put(files))
    get = Peer("nginx GET", lambda: count / web.get(files))
    name = f"{count:,} × 64 KiB"
    bench.compare(
        f"write {name}, in process",
        "files/s",
        lambda: store.batch(count, over_grpc=False)["write_rate"],
        [loop, commit, put],
    )
    bench.compare(
        f"write {name}, over gRPC",
        "files/s",
        lambda: store.batch(count, over_grpc=True)["write_rate"],
        [loop, commit, put],
    )
    bench.compare(
        f"read {name}, over gRPC",
        "files/s",
        lambda: store.batch(count, over_grpc=True)["read_rate"],
        [get],
    )
    shutil.rmtree(folder)


def _large(bench, scratch, store, machine, tree, web, bare):
    size = bench.size(1 << 30, 1 << 26)
    megabytes = size / 1e6
    folder = scratch / "large"
    files = _make_files(folder, 1, size)

    def bare_stream(mode: str) -> float:
        """The faster of small and large messages."""
        return (
            max(
                bare.rate(mode, bytes=each, total_bytes=size) for each in MESSAGE_BYTES
            )
            / 1e6
        )

    def fresh(measure: Measure) -> Measure:
        def run() -> float:
            machine_rest.recycle_pages(scratch, 2 * size)
            return measure()

        return run

    commit = Peer("ostree commit", fresh(lambda: megabytes / tree.commit(folder)))
    put = Peer(
        "nginx PUT, sync at the end", fresh(lambda: megabytes / web.put(files))
    )
    name = "1 GiB" if size == 1 << 30 else f"{size >> 20} MiB"
    bench.compare(
        f"write {name}, in process",
        "MB/s",
        fresh(lambda: store.stream(size, over_grpc=False)["write_rate"]),
        [
            Peer(
                "slower of SHA-256 and disk",
                fresh(lambda: min(machine.sha256(size), machine.write(size)) / 1e6),
                Bar(at_least=0.8),
            ),
            commit,
            put,
        ],
    )
    bench.compare(
        f"write {name}, over gRPC",
        "MB/s",
        fresh(lambda: store.stream(size, over_grpc=True)["write_rate"]),
        [
            Peer("bare gRPC upload", lambda: bare_stream("upload"), Bar(at_least=0.55)),
            Peer(commit.name, commit.measure, Bar(at_least=3)),
            put,
        ],
    )
    bench.compare(
        f"read {name}, over gRPC",
        "MB/s",
        fresh(lambda: store.stream(size, over_grpc=True)["read_rate"]),
        [
            Peer(
                "bare gRPC download", lambda: bare_stream("download"), Bar(at_least=0.7)
            ),
            Peer("nginx GET", lambda: megabytes / web.get(files)),
        ],
    )
    bench.compare(
        f"read {name}, in process",
        "MB/s",
        lambda: store.stream(size, over_grpc=False)["read_rate"],
    )
    shutil.rmtree(folder)
