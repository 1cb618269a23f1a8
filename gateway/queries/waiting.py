"""Waiting for a journal sequence, at most until the caller's deadline."""

import asyncio

import grpc

from gateway.door.calls import Call
from gateway.errors import Rejected
from gateway.shard.feed import EventFeed
from gateway.unary.service import seconds_for
from runtime.rpc_errors import Fault


async def wait_as_of(feed: EventFeed, seq: int, call: Call) -> None:
    """Returns when the image stands at `seq`. Raises Rejected when the time is over."""
    if feed.image_seq >= seq:
        return
    try:
        async with asyncio.timeout(seconds_for(call)):
            await feed.wait_for(seq)
    except TimeoutError:
        raise not_reached(seq, feed.image_seq) from None


def not_reached(seq: int, known_seq: int) -> Rejected:
    """The caller's time is over and only `known_seq` is known."""
    fault = Fault(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "AS_OF_NOT_REACHED",
        f"sequence {seq} is not known yet",
        {"as_of_seq": str(known_seq)},
    )
    return Rejected(fault)
