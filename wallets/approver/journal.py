"""Follows the event journal of one shard and stores what customers requested.

Run by `server`, one task per shard. Rows come from the engine itself, never from custody. A row
that cannot be read, or a hole in the journal, ends the process: approvals on half a journal would
pass a velocity limit that counts too little.
"""

from cambist.internal.matching.v1 import matching_pb2
from runtime.postgres import Database
from wallets import journal
from wallets.approver import limits, log
from wallets.approver.policy import Request
from wallets.contract import WithdrawalId
from wallets.engines import Primary, Stub
from wallets.errors import Broken


def requests_of(shard: int, row: matching_pb2.EventRow) -> list[Request]:
    """The withdrawals that a row requests; raises Broken."""
    found = []
    for event in journal.system_events(row.events):
        if event.WhichOneof("event") != "withdrawal_requested":
            continue
        asked = event.withdrawal_requested
        found.append(
            Request(
                WithdrawalId(asked.withdrawal_id),
                shard,
                event.seq,
                row.time_ns,
                asked.account_id,
                asked.asset_id,
                asked.network_id,
                int.from_bytes(asked.amount_atoms, "little"),
                asked.destination,
            )
        )
    return found


class Follower:
    """One shard's journal."""

    def __init__(self, database: Database, shard: int, primary: Primary) -> None:
        self._database = database
        self._shard = shard
        self._primary = primary

    async def run(self) -> None:
        """Follows for ever; raises Broken. An engine that is away is asked again."""
        await journal.follow(self._shard, self._primary, self._follow, limits.FOLLOW_PAUSE_SECONDS)

    async def _follow(self, stub: Stub) -> None:
        stored = await log.read_cursor(self._database, self._shard) or 0
        seen = stored
        rows = 0
        request = matching_pb2.StreamEventsRequest(shard=self._shard, from_seq=seen + 1)
        async for answer in stub.StreamEvents(request):
            for row in answer.rows:
                if row.first_seq > seen + 1:
                    raise Broken(f"shard {self._shard}: row {row.first_seq} follows {seen}")
                if row.last_seq <= seen:
                    continue
                found, rows = requests_of(self._shard, row), rows + 1
                seen = row.last_seq
                if found or rows >= limits.ROWS_PER_CURSOR:
                    await log.take(self._database, self._shard, stored, seen, found)
                    stored, rows = seen, 0
