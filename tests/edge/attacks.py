"""What abusers do to the edge, from an address of their own; each says what came of it.

Frames of HTTP/2 are made by hand: no library sends what these do.
"""

import asyncio
import contextlib
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Clients come from 127.0.0.1: limits are per address.
ABUSER: Final = "127.0.0.2"
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
CANCEL: Final = 8
WAIT_SECONDS: Final = 20.0
# Below what a connection may have open at once.
ROUND_STREAMS: Final = 50


@dataclass(frozen=True, slots=True)
class Edge:
    """Where it is, and whom its certificate is from."""

    port: int
    authority_file: Path

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TLS connection of the abuser's."""
        context = ssl.create_default_context(cafile=str(self.authority_file))
        context.set_alpn_protocols(["h2"])
        return await asyncio.open_connection(
            "127.0.0.1",
            self.port,
            ssl=context,
            server_hostname="localhost",
            local_addr=(ABUSER, 0),
            ssl_handshake_timeout=WAIT_SECONDS,
        )


def frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    """A frame of HTTP/2."""
    return struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, flags, stream) + content


def text(value: bytes) -> bytes:
    """A string of HPACK as it is."""
    return bytes([len(value)]) + value


# POST, https, a path, an authority, a content type: indexes are those of HPACK's own table.
REQUEST: Final = (
    b"\x83\x87\x04"
    + text(b"/nobody.Knows/This")
    + b"\x01"
    + text(b"localhost")
    + b"\x0f\x10"
    + text(b"application/grpc")
)


def request(stream: int) -> bytes:
    """A whole request without a body."""
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, REQUEST)


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, int, int, bytes]:
    """Kind, flags, stream and content. Raises IncompleteReadError at the end."""
    head = await reader.readexactly(9)
    length = int.from_bytes(head[:3], "big")
    kind, flags, stream = struct.unpack(">BBI", head[3:])
    return kind, flags, stream, await reader.readexactly(length)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, ssl.SSLError):
        await writer.wait_closed()


async def is_ended(reader: asyncio.StreamReader) -> bool:
    """Whether the other side ends a connection on which nothing is said."""
    with contextlib.suppress(ConnectionError):
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await reader.read(1) == b""
        except TimeoutError:
            return False
    return True


async def half_open(edge: Edge, count: int) -> int:
    """Connections that never say a word, held; how many of them the edge leaves open."""
    writers, waits = [], []
    for _ in range(count):
        try:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", edge.port, local_addr=(ABUSER, 0)
            )
        except ConnectionError:
            continue
        writers.append(writer)
        waits.append(asyncio.create_task(is_ended(reader)))
    ended = await asyncio.gather(*waits)
    for writer in writers:
        await hang_up(writer)
    return ended.count(False)


async def flood_connections(edge: Edge, count: int) -> int:
    """Handshakes one after the other, each ended at once; how many the edge let through."""
    passed = 0
    for _ in range(count):
        try:
            _, writer = await edge.connect()
        except (OSError, ssl.SSLError):
            continue
        passed += 1
        await hang_up(writer)
    return passed


@dataclass(slots=True)
class Answers:
    """Of a flood of requests."""

    served: int = 0
    denied: int = 0
    is_cut: bool = False


async def flood_requests(edge: Edge, count: int) -> Answers:
    """Requests as fast as the edge answers them, in one connection."""
    found = Answers()
    reader, writer = await edge.connect()
    # Room for all bodies of refusals.
    window = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30))
    writer.write(PREFACE + frame(SETTINGS, 0, 0) + window)
    try:
        async with asyncio.timeout(WAIT_SECONDS * 3):
            for first in range(0, count, ROUND_STREAMS):
                streams = [2 * (first + index) + 1 for index in range(ROUND_STREAMS)]
                writer.write(b"".join(request(stream) for stream in streams))
                await writer.drain()
                await read_answers(reader, writer, set(streams), found)
    except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
        found.is_cut = True
    await hang_up(writer)
    return found


async def read_answers(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wanted: set[int], found: Answers
) -> None:
    """Until these streams ended."""
    while wanted:
        kind, flags, stream, content = await read_frame(reader)
        if kind == GOAWAY:
            raise ConnectionResetError
        if kind in (SETTINGS, PING) and not flags & ACK:
            writer.write(frame(kind, ACK, 0, content if kind == PING else b""))
        if kind == HEADERS:
            # The proxy writes a status that is not in HPACK's table as it is.
            found.denied += b"429" in content
            found.served += b"429" not in content
        if kind == RST_STREAM or (kind in (HEADERS, DATA) and flags & END_STREAM):
            wanted.discard(stream)


async def rapid_reset(edge: Edge, count: int) -> int:
    """Requests that are given up as they are made; how many were sent before it was cut off."""
    reader, writer = await edge.connect()
    writer.write(PREFACE + frame(SETTINGS, 0, 0))
    drain = asyncio.create_task(swallow(reader))
    sent = 0
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while sent < count and not drain.done():
                streams = range(2 * sent + 1, 2 * (sent + 100), 2)
                reset = struct.pack(">I", CANCEL)
                writer.write(b"".join(request(s) + frame(RST_STREAM, 0, s, reset) for s in streams))
                await writer.drain()
                sent += len(streams)
    except (ConnectionError, ssl.SSLError):
        pass
    drain.cancel()
    await asyncio.gather(drain, return_exceptions=True)
    await hang_up(writer)
    return sent


async def swallow(reader: asyncio.StreamReader) -> None:
    """Reads until the end or a GOAWAY."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while (await read_frame(reader))[0] != GOAWAY:
            pass
