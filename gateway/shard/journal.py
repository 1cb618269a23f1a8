"""Older rows of a shard, read back from matching when the ring has lost them."""

from collections.abc import AsyncGenerator, Collection, Sequence

import grpc
import grpc.aio

from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import events_pb2
from gateway import limits
from gateway.errors import unavailable
from gateway.shard.rows import PRIVATE, SESSION, Row
from gateway.shard.shard import Shard
from gateway.shard.streams import rows_of
from runtime import rpc_errors

RING_PAGE = 64


class ResumePointGone(Exception):
    """Rows after the resume point are no longer kept; `oldest_seq` is the first that is."""

    def __init__(self, oldest_seq: int) -> None:
        super().__init__(oldest_seq)
        self.oldest_seq = oldest_seq


async def rows_between(
    shard: Shard,
    after_seq: int,
    up_to_seq: int,
    account_ids: Sequence[int],
    session_ids: Sequence[int],
) -> AsyncGenerator[Row, None]:
    """Rows with sequences in (after_seq, up_to_seq], from the ring if it has them all.

    Rows from the journal hold frames of these accounts and sessions only, or are left out.
    Raises ResumePointGone, Unavailable.
    """
    ring = shard.feed.ring
    cursor = after_seq
    while cursor < up_to_seq and ring.covers(cursor):
        rows = ring.rows_after(cursor, up_to_seq, RING_PAGE)
        if not rows:
            return
        for row in rows:
            cursor = row.last_seq
            yield row
    if cursor >= up_to_seq:
        return
    request = matching_pb2.StreamEventsRequest(
        shard=shard.number,
        from_seq=cursor + 1,
        until_seq=up_to_seq,
        account_ids=account_ids,
        session_ids=session_ids,
    )
    try:
        async for rows in rows_of(shard.row_stream(), request):
            for row in rows:
                if cursor < row.last_seq <= up_to_seq:
                    cursor = row.last_seq
                    yield row
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.OUT_OF_RANGE:
            raise ResumePointGone(oldest_of(error)) from error
        raise unavailable("SHARD_UNAVAILABLE", "the journal cannot be read now") from error


def oldest_of(error: grpc.aio.AioRpcError) -> int:
    """The oldest sequence in an OUT_OF_RANGE error; 0 when it does not say."""
    for metadata in (error.trailing_metadata(), error.initial_metadata()):
        for key, value in metadata or ():
            if key in {"oldest", "oldest-seq", "oldest_seq"} and str(value).isdigit():
                return int(value)
    told = rpc_errors.fault_of(error).metadata.get("oldest_seq", "0")
    return int(told) if told.isdigit() else 0


def frames_for(
    row: Row, account_ids: Collection[int], session_id: int
) -> tuple[memoryview | None, list[memoryview]]:
    """The session's frame in a row, and the private ones of the accounts."""
    session: memoryview | None = None
    private: list[memoryview] = []
    for record in row.records:
        if record.kind == PRIVATE:
            if record.key in account_ids:
                private.append(row.payload(record))
        elif record.kind == SESSION and record.key == session_id:
            session = row.payload(record)
    return session, private


async def open_order_pages(
    shard: Shard, account_ids: Sequence[int], at_least_seq: int
) -> tuple[int, list[bytes]]:
    """Open orders of accounts as of one sequence, in pages of PrivateEvents.

    Raises ResumePointGone(0) when there are more than a client can be sent at once.
    """
    await shard.feed.wait_for(at_least_seq)
    pages: list[bytes] = []
    count = 0
    async with shard.feed.still_image() as image:
        for account_id in account_ids:
            after = 0
            while True:
                page = image.open_orders(account_id, after, limits.OPEN_ORDERS_PAGE)
                if not page:
                    break
                events = orders_in(page)
                pages.append(page)
                count += len(events)
                if count > limits.OPEN_ORDERS_MAX:
                    raise ResumePointGone(0)
                if len(events) < limits.OPEN_ORDERS_PAGE:
                    break
                after = events[-1]
        return image.last_seq, pages


def orders_in(page: bytes) -> list[int]:
    """Order ids in a page of reports."""
    events = events_pb2.PrivateEvents.FromString(page).events
    return [event.execution_report.order_id for event in events]
