"""Compares how far custody has read the engines' journals with where they end, and what is there.

Called by the check. It reads the rows that custody has not taken and takes none of them.
"""

from collections.abc import AsyncIterator
from typing import Final

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.matching.v1 import matching_pb2
from runtime.postgres import Database
from wallets.core import inbox
from wallets.core.outbox import numbers_of
from wallets.engines import Primary, Stub
from wallets.journal import system_events
from wallets.restoring import limits
from wallets.restoring.differences import Difference, Kind

# By source of a network on a shard, the highest number that custody gave.
SOURCES: Final = (
    "select source_id, last_seq from custody.source where network_id = $1 and shard = $2"
)
NEWEST: Final = """
select withdrawal_id, journal_seq from custody.payout
where network_id = $1 and shard = $2 and kind = 'customer' order by journal_seq desc limit 1
"""


async def compare(
    database: Database, network_id: int, shard: int, primary: Primary
) -> list[Difference]:
    """Of one shard. Raises Unavailable, Broken."""
    taken_seq = await inbox.read_cursor(database, shard)
    rows = await database.read(SOURCES, network_id, shard)
    given = {row["source_id"]: row["last_seq"] for row in rows}
    newest = await database.read_row(NEWEST, network_id, shard)

    async def look(stub: Stub) -> list[Difference]:
        status = await stub.GetStatus(
            matching_pb2.GetStatusRequest(), timeout=limits.STATUS_SECONDS
        )
        if status.released_seq < taken_seq:
            text = (
                f"shard {shard} ends at {status.released_seq}, custody has read up to {taken_seq}"
            )
            return [Difference(Kind.JOURNAL_WENT_BACK, text)]
        found = await _not_given(stub, shard, (taken_seq + 1, status.released_seq), given)
        if newest is not None and not await _is_requested(
            stub, shard, newest["journal_seq"], newest["withdrawal_id"]
        ):
            text = f"shard {shard} at {newest['journal_seq']}: {newest['withdrawal_id'].hex()}"
            found.append(Difference(Kind.NOT_IN_JOURNAL, text))
        return found

    return await primary.first(shard, look)


async def _not_given(
    stub: Stub, shard: int, span: tuple[int, int], given: dict[int, int]
) -> list[Difference]:
    """Answers, in rows that custody has not taken, to numbers that it never gave."""
    found = []
    async for event in _events(stub, shard, *span):
        if event.WhichOneof("event") == "answer":
            source_id, source_seq = numbers_of(event.answer.correlation)
            if source_id in given and source_seq > given[source_id]:
                text = f"shard {shard} at {event.seq}: command {source_id}/{source_seq}"
                found.append(Difference(Kind.ENGINE_AHEAD, text))
    return found


async def _is_requested(stub: Stub, shard: int, seq: int, withdrawal_id: bytes) -> bool:
    """Whether the row that holds this sequence requests the withdrawal."""
    async for event in _events(stub, shard, seq, seq):
        if event.withdrawal_requested.withdrawal_id == withdrawal_id:
            return True
    return False


async def _events(
    stub: Stub, shard: int, first: int, last: int
) -> AsyncIterator[frames_pb2.SystemEvent]:
    """The venue's own events in these rows. Raises AioRpcError, Broken."""
    if first > last:
        return
    request = matching_pb2.StreamEventsRequest(shard=shard, from_seq=first, until_seq=last)
    async for answer in stub.StreamEvents(request, timeout=limits.FOLLOW_SECONDS):
        for row in answer.rows:
            for event in system_events(row.events):
                yield event
