"""A TCP proxy before Postgres that can lose replies: the statement arrives, its answer does not."""

import asyncio
import contextlib
from typing import Self

CHUNK_BYTES = 65_536
# End of the application name of the connection that appends rows.
WRITER = b"-writer\0"
BIND_COMPLETE = b"2"
TLS_QUESTION_BYTES = 8


class CuttingProxy:
    """Listens on the loopback; `cut_replies` ends every connection at its next reply."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._cuts_left = 0
        self.cut_count = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_replies(self, count: int) -> None:
        """The next `count` replies to statements that append a row are lost."""
        self._cuts_left = count

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            target = await asyncio.open_connection("127.0.0.1", self._target_port)
            # The startup message names the program; the question for TLS comes before it.
            startup = await reader.read(CHUNK_BYTES)
            target[1].write(startup)
            if len(startup) == TLS_QUESTION_BYTES:
                writer.write(await target[0].read(1))
                startup = await reader.read(CHUNK_BYTES)
                target[1].write(startup)
            is_writer = WRITER in startup
            up = asyncio.create_task(self._copy(reader, target[1], can_cut=False))
            down = asyncio.create_task(self._copy(target[0], writer, can_cut=is_writer))
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            for pump in (up, down):
                pump.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            for end in (writer, target[1]):
                end.close()
        except (ConnectionError, asyncio.CancelledError):
            writer.close()
        finally:
            self._tasks.discard(task)

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, can_cut: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(CHUNK_BYTES):
                # That connection executes nothing else; when the reply comes, it is committed.
                if can_cut and self._cuts_left and chunk.startswith(BIND_COMPLETE):
                    self._cuts_left -= 1
                    self.cut_count += 1
                    return
                writer.write(chunk)
                await writer.drain()
