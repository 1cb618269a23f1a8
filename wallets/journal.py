"""The engine's event journal as custody's processes read it: the venue's own events, followed.

Used by the worker's link and by the approver, each with a cursor of its own. A row that cannot be
read, or a hole in the journal, ends whoever follows: on half a journal money would move wrongly.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import grpc
import grpc.aio

from cambist.feed.errors import FeedBroken
from cambist.feed.row import frames
from cambist.internal.journal.v1 import frames_pb2
from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.rpc_errors import fault_of
from wallets.engines import Primary, Stub
from wallets.errors import Broken

SYSTEM: Final = int(frames_pb2.FRAME_KIND_SYSTEM)


def system_events(events: bytes) -> Iterator[frames_pb2.SystemEvent]:
    """The venue's own events in a row (docs/semantics.md §2); raises Broken."""
    try:
        found = frames(events)
    except FeedBroken as error:
        raise Broken(f"a row of {len(events)} bytes that is none") from error
    for frame in found:
        if frame.kind == SYSTEM:
            yield from frames_pb2.SystemEvents.FromString(frame.payload).events


async def follow(
    shard: int, primary: Primary, read: Callable[[Stub], Awaitable[None]], pause_seconds: float
) -> None:
    """Reads from the reader's cursor on, for ever; raises Broken.

    An engine or a database that is away is asked again: the cursor says what was stored. After each
    stream the shard's next engine is asked, until one is the primary.
    """
    while True:
        try:
            await read(primary.stub())
        except grpc.aio.AioRpcError as error:
            fault = fault_of(error)
            if fault.code is grpc.StatusCode.OUT_OF_RANGE:
                raise Broken(f"shard {shard}: the journal has lost rows") from error
            reason = fault.reason or fault.code.name
            logs.get(__name__).warning("no journal", shard=shard, reason=reason)
        except (Unavailable, Unknown) as error:
            logs.get(__name__).warning("no database", shard=shard, reason=str(error))
        primary.turn()
        await asyncio.sleep(pause_seconds)
