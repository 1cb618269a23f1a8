"""What a connection missed: rows from the ring or the journal, or its open orders instead.

Runs before the writer task of the stream, in its place. Live rows are queued meanwhile; what does
not fit is read again from the ring, so a long resume needs no more memory than a short one.
"""

from collections.abc import Awaitable, Callable

from cambist.orders.v1 import service_pb2
from gateway.sessions import messages
from gateway.sessions.connection import Connection
from gateway.shard.journal import ResumePointGone, frames_for, open_order_pages, rows_between
from gateway.shard.outbox import Outgoing
from gateway.shard.rows import Row

Write = Callable[[Outgoing], Awaitable[None]]


async def is_kept(connection: Connection, up_to_seq: int) -> int:
    """0 when all rows after the resume point are kept, else the oldest sequence that is."""
    terms = connection.terms
    if not terms.resume_after_seq or connection.shard.feed.ring.covers(terms.resume_after_seq):
        return 0
    rows = rows_between(
        connection.shard,
        terms.resume_after_seq,
        up_to_seq,
        terms.account_ids,
        [terms.session_id],
    )
    try:
        await anext(rows, None)
    except ResumePointGone as error:
        return max(1, error.oldest_seq)
    finally:
        await rows.aclose()
    return 0


async def catch_up(connection: Connection, write: Write, opened_first_seq: int) -> None:
    """Sends rows between the resume point and the present, until nothing was missed."""
    target = opened_first_seq - 1
    await catch_up_from(connection, write, connection.terms.resume_after_seq or target, target)


async def catch_up_from(connection: Connection, write: Write, cursor: int, target: int = 0) -> None:
    """Sends rows in (cursor, target], then what was missed meanwhile, until nothing was."""
    terms = connection.terms
    accounts = frozenset(terms.account_ids if terms.is_private else ())
    while True:
        rows = rows_between(connection.shard, cursor, target, terms.account_ids, [terms.session_id])
        async for row in rows:
            if connection.ended.done():
                return
            await write_row(connection, write, row, accounts)
        cursor = max(cursor, target)
        if not connection.has_missed or connection.ended.done():
            return
        connection.has_missed = False
        target = connection.shard.feed.last_seq


async def write_row(
    connection: Connection, write: Write, row: Row, accounts: frozenset[int]
) -> None:
    """One row of the past, when it concerns the session."""
    session, private = frames_for(row, accounts, connection.terms.session_id)
    if session is None and not private:
        return
    message = messages.event_batch(
        row,
        session if session is not None else b"",
        private,
        (connection.last_order_seq_no, connection.last_cancel_seq_no),
        connection.credit.remaining,
        is_replay=True,
    )
    await write(Outgoing(message, row.last_seq))


async def send_open_orders(connection: Connection, write: Write, at_least_seq: int) -> int:
    """Sends open orders in pages instead of what is gone; the sequence they are true for."""
    as_of_seq, pages = await open_order_pages(
        connection.shard, connection.terms.account_ids, at_least_seq
    )
    # Live rows up to there are in the pages already; later ones are read from the ring.
    connection.outbox.clear()
    connection.has_missed = True
    for index, page in enumerate(pages or [b""]):
        orders = service_pb2.OpenOrders(
            as_of_seq=as_of_seq, private_events=page, last_page=index + 1 >= len(pages)
        )
        response = service_pb2.OrderEntrySessionResponse(open_orders=orders)
        await write(Outgoing(response.SerializeToString(), as_of_seq))
    return as_of_seq
