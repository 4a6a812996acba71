"""Inputs of a job: received from the stream, spooled, and read by name."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import urllib.parse
from collections.abc import Iterator

from .v1 import producer_pb2

# An input larger than this goes to a file while it arrives.
SPOOL_BYTES = 1 << 20


class BadInput(Exception):
    """The runner sent something that breaks the contract; names the field."""


def _path_of(where: str, url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/") or parts.query or parts.fragment:
        raise BadInput(f"{where}: reference {url!r} is no URL such as file:///a/b")
    return os.fsdecode(urllib.parse.unquote_to_bytes(parts.path))


class Input:
    """One value given to the job, complete and checked against its digest."""

    def __init__(self, binding: str, position: int, element: producer_pb2.InputElement, folder: str):
        self.name = binding
        """The binding name."""
        self.source = element.source_id
        """Where it comes from, such as `Input:Story` or an artefact's id."""
        self.mime_type = element.content.mime_type
        """Its media type."""
        self.hash = element.content.digest.hash
        """SHA-256 of its bytes, hexadecimal."""
        self._where = f"inputs[{binding!r}].elements[{position}]"
        self._file_name = f"{binding}-{position}".replace(os.sep, "_")
        self._folder = folder
        self._size = 0
        self._hasher = hashlib.sha256()
        self._memory: io.BytesIO | None = io.BytesIO()
        self._path: str | None = None
        self._file = None
        self._expected = element.content.digest
        self.complete = False
        delivery = element.WhichOneof("delivery")
        if delivery == "inline":
            self.receive(0, element.inline, True)
        elif delivery == "reference":
            self._adopt(element.reference)
        elif delivery != "streamed":
            raise BadInput(f"{self._where}: delivery is not set")

    def receive(self, offset: int, data: bytes, last: bool):
        """Takes the next piece; used by the server only."""
        if self.complete or offset != self._size:
            raise BadInput(f"{self._where}: chunk at offset {offset}, expected {self._size}")
        self._hasher.update(data)
        self._size += len(data)
        if self._file is None and self._size > SPOOL_BYTES:
            self._path = os.path.join(self._folder, self._file_name)
            self._file = open(self._path, "wb")
            self._file.write(self._memory.getbuffer())
            self._memory = None
        (self._file or self._memory).write(data)
        if last:
            self._finish()

    def _finish(self):
        if self._file is not None:
            self._file.close()
            self._file = None
        self.complete = True
        if self._expected.hash and self._hasher.hexdigest() != self._expected.hash:
            raise BadInput(f"{self._where}: content is {self._hasher.hexdigest()} ({self._size} bytes), expected {self._expected.hash}")

    def _adopt(self, url: str):
        """Takes a file in its place. It is the store's own, and is not changed
        or removed with the job."""
        self._memory, self._path = None, _path_of(self._where, url)
        try:
            # Anything else might never end, or never begin.
            if not os.path.isfile(self._path):
                raise FileNotFoundError("there is no such file here")
            with open(self._path, "rb") as file:
                while piece := file.read(SPOOL_BYTES):
                    self._hasher.update(piece)
                    self._size += len(piece)
        except OSError as error:
            raise BadInput(f"{self._where}: reference {url!r} cannot be read: {error}; "
                           "`references` in the runner's producer table says that it can be") from error
        self._finish()

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self._size

    def path(self) -> str:
        """A file with the bytes. It lives as long as the job. Only to be read:
        it may be the store's own (`Producer(references=True)`)."""
        if self._path is None:
            self._path = os.path.join(self._folder, self._file_name)
            with open(self._path, "wb") as file:
                file.write(self._memory.getbuffer())
        return self._path

    def open(self) -> io.BufferedIOBase:
        """The bytes as a file object, for inputs too large for memory."""
        return io.BytesIO(self._memory.getvalue()) if self._memory else open(self._path, "rb")

    def bytes(self) -> bytes:
        """All bytes."""
        with self.open() as file:
            return file.read()

    def text(self) -> str:
        """The value as UTF-8 text."""
        return self.bytes().decode("utf-8")

    def json(self):
        """The value parsed as JSON."""
        return json.loads(self.bytes())


class Inputs:
    """All inputs of one job, by binding name."""

    def __init__(self, header: producer_pb2.JobHeader):
        self._folder = tempfile.TemporaryDirectory(prefix="kinora-job-")
        self._bindings: dict[str, list[Input]] = {}
        self._is_list: dict[str, bool] = {}
        self._group_sizes: dict[str, list[int]] = {}
        self._absent: set[str] = set()
        try:
            for binding in header.inputs:
                if binding.name in self._bindings or binding.name in self._absent:
                    raise BadInput(f"inputs: binding {binding.name!r} occurs twice")
                if not binding.is_list and not binding.elements:
                    self._absent.add(binding.name)
                    continue
                elements = [Input(binding.name, i, e, self._folder.name) for i, e in enumerate(binding.elements)]
                self._bindings[binding.name] = elements
                self._is_list[binding.name] = binding.is_list
                self._group_sizes[binding.name] = list(binding.group_sizes)
                if sum(binding.group_sizes) not in (0, len(elements)):
                    raise BadInput(f"inputs[{binding.name!r}]: groups of {sum(binding.group_sizes)} elements, "
                                   f"but {len(elements)} came")
                if not binding.is_list and len(elements) != 1:
                    raise BadInput(f"inputs[{binding.name!r}]: {len(elements)} elements, expected 1")
        except BaseException:
            self.close()
            raise

    @property
    def folder(self) -> str:
        """A directory of the job's own, removed when the job ends."""
        return self._folder.name

    def pending(self) -> bool:
        """True while a streamed input is incomplete."""
        return any(not e.complete for elements in self._bindings.values() for e in elements)

    def receive(self, chunk: producer_pb2.InputChunk):
        """Takes one chunk; raises BadInput when it names nothing expected."""
        elements = self._bindings.get(chunk.binding, [])
        if chunk.element >= len(elements):
            raise BadInput(f"input_chunk: no element {chunk.element} of binding {chunk.binding!r}")
        elements[chunk.element].receive(chunk.offset, chunk.data, chunk.last)

    def __contains__(self, name: str) -> bool:
        return name in self._bindings

    def __iter__(self) -> Iterator[str]:
        return iter(self._bindings)

    def one(self, name: str) -> Input:
        elements = self.all(name)
        if self._is_list[name]:
            raise KeyError(f"input {name!r} is a list; read it with job.list({name!r})")
        return elements[0]

    def all(self, name: str) -> list[Input]:
        if name in self._absent:
            raise KeyError(f"input {name!r} is absent for this job; ask job.has({name!r}) first")
        if name not in self._bindings:
            known = ", ".join(sorted(self._bindings)) or "none"
            raise KeyError(f"the job has no input {name!r}; it has: {known}")
        return self._bindings[name]

    def groups(self, name: str) -> list[list[Input]]:
        elements = iter(self.all(name))
        if not self._is_list[name]:
            raise KeyError(f"input {name!r} is no list")
        return [[next(elements) for _ in range(size)] for size in self._group_sizes[name]]

    def close(self):
        self._folder.cleanup()
