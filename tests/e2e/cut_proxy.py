"""A link between two processes that a test can cut, slow down and reset.

A network that is cut delivers nothing and says nothing: bytes wait, as they do
in the buffers of TCP, and so do the ends of connections and new ones. When it
is healed, what has waited is delivered late, or it is lost, which TCP can only
do by breaking the connections it was for. A black hole takes everything, so that
not even the buffers fill up, and delivers none of it; those connections are of no
use any more, and break when it is healed.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading

_CHUNK = 64 * 1024
_LIMIT_S = 60


class _Direction:
    """One of the two ways through the link."""

    def __init__(self):
        self.open = asyncio.Event()
        self.open.set()
        self.holds = asyncio.Event()  # bytes, since it was cut
        self.swallows = False
        self.delay_s = 0.0

    def cut(self) -> None:
        self.holds.clear()
        self.open.clear()

    async def passes(self) -> None:
        if not self.open.is_set():
            self.holds.set()
            await self.open.wait()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)


class CutProxy:
    """Carries TCP connections to `target`, "HOST:PORT", from `address`.

    Every method is in force when it returns. `requests` is the way to the
    target, `answers` the way back.
    """

    def __init__(self, target: str):
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._connections: dict[asyncio.Task, list[asyncio.StreamWriter]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.address = self._call(self._listen())

    def cut(self, requests: bool = True, answers: bool = True) -> None:
        """Holds back, from now on, all that goes these ways."""

        async def cut():
            if requests:
                self._requests.cut()
            if answers:
                self._answers.cut()

        self._call(cut())

    def swallow(self) -> None:
        """Accepts everything, from now on, and forwards nothing: no call fails,
        none is answered."""

        async def swallow():
            for way in (self._requests, self._answers):
                way.swallows = True

        self._call(swallow())

    def heal(self, reset: bool = False) -> None:
        """Ends a cut. What was held back is delivered; with `reset` it is lost,
        with the connections."""

        async def heal():
            if reset or self._requests.swallows:
                self._break_all()
            for direction in (self._requests, self._answers):
                direction.swallows = False
                direction.open.set()

        self._call(heal())

    def reset(self) -> None:
        """Breaks all connections (RST); new ones are welcome."""

        async def reset():
            self._break_all()

        self._call(reset())

    def delay(self, seconds: float) -> None:
        """Each piece of bytes takes so long, both ways."""

        async def delay():
            self._requests.delay_s = self._answers.delay_s = seconds

        self._call(delay())

    def wait_for_held_answer(self) -> None:
        """Until the target has answered what nobody is told."""
        self._call(asyncio.wait_for(self._answers.holds.wait(), _LIMIT_S))

    def wait_for_held_request(self) -> None:
        """Until something was asked that the target is not told."""
        self._call(asyncio.wait_for(self._requests.holds.wait(), _LIMIT_S))

    def close(self) -> None:
        async def close():
            self._server.close()
            tasks = list(self._connections)
            self._break_all()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._call(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LIMIT_S)
        self._loop.close()

    def _call(self, what):
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(_LIMIT_S)

    # All below runs on the loop.

    async def _listen(self) -> str:
        self._requests = _Direction()
        self._answers = _Direction()
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        writers = self._connections[task] = [writer]
        try:
            await self._requests.passes()
            if self._requests.swallows:
                await reader.read()  # until it is given up
                return
            there, back = await asyncio.open_connection(*self._target)
            writers.append(back)
            await asyncio.gather(
                _pump(reader, back, self._requests),
                _pump(there, writer, self._answers),
            )
        except OSError:
            pass  # an end of it is gone, so the other goes too
        except asyncio.CancelledError:
            pass  # broken on purpose
        finally:
            del self._connections[task]
            for each in writers:
                _break(each)

    def _break_all(self) -> None:
        for task, writers in self._connections.items():
            for writer in writers:
                _break(writer)
            task.cancel()


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Direction
) -> None:
    while data := await reader.read(_CHUNK):
        await way.passes()
        if way.swallows:
            continue
        writer.write(data)
        await writer.drain()
    await way.passes()
    if way.swallows:
        return
    writer.write_eof()


def _break(writer: asyncio.StreamWriter) -> None:
    """With an RST, where the connection has not ended on both sides."""
    ended = writer.get_extra_info("socket")
    if not writer.transport.is_closing() and ended is not None:
        linger = struct.pack("ii", 1, 0)
        ended.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
