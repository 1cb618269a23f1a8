"""Compares the signer's log of a network with the attempts that custody stored.

Called by the check. What is planned and has no bytes yet is no difference: the same intent is asked
again, and gets the same bytes. Both are read by pages; nothing is changed.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from cambist.internal.signer.v1 import signer_pb2
from runtime.postgres import Database
from wallets.restoring import limits
from wallets.restoring.differences import Difference, Kind

PLANNED: Final = """
select p.intent_id, coalesce(a.txid, '') as txid
from custody.attempt_plan p join custody.attempt a using (attempt_id)
where a.network_id = $1 and p.intent_id = any($2::bytea[])
"""
SIGNED: Final = """
select a.attempt_id, p.intent_id, a.txid
from custody.attempt a join custody.attempt_plan p using (attempt_id)
where a.network_id = $1 and a.attempt_id > $2 and a.raw is not null
order by a.attempt_id limit $3
"""


class TellsEntries(Protocol):
    """The signer, as far as it is asked here."""

    async def entries(self, network_id: int, after: int) -> Sequence[signer_pb2.LogEntry]:
        """The oldest entries with a higher number; none = there are no more. Raises Stuck."""


async def compare(database: Database, network_id: int, signer: TellsEntries) -> list[Difference]:
    """Both ways. Raises Stuck when the signer is away, Unavailable."""
    found: list[Difference] = []
    logged: set[bytes] = set()
    last = 0
    while page := await signer.entries(network_id, last):
        last = page[-1].log_number
        logged |= {one.intent_id for one in page}
        found += await _unknown(database, network_id, page)
    found += await _not_logged(database, network_id, logged)
    return found


async def _unknown(
    database: Database, network_id: int, page: Sequence[signer_pb2.LogEntry]
) -> list[Difference]:
    """What the signer signed, and custody does not have, or has otherwise."""
    rows = await database.read(PLANNED, network_id, [one.intent_id for one in page])
    planned = {row["intent_id"]: row["txid"] for row in rows}
    found = []
    for one in page:
        for_whom = ", ".join(each.hex() for each in one.withdrawal_ids) or "no withdrawal"
        text = f"entry {one.log_number}, transaction {one.txid}, for {for_whom}"
        if one.intent_id not in planned:
            found.append(Difference(Kind.SIGNED_AND_UNKNOWN, text))
        elif planned[one.intent_id] not in ("", one.txid):
            stored = planned[one.intent_id]
            found.append(Difference(Kind.SIGNED_OTHERWISE, f"{text}; custody has {stored}"))
    return found


async def _not_logged(database: Database, network_id: int, logged: set[bytes]) -> list[Difference]:
    """What custody has signed bytes of, and the signer's log lacks."""
    found = []
    last = 0
    while rows := await database.read(SIGNED, network_id, last, limits.ATTEMPTS_PAGE):
        last = rows[-1]["attempt_id"]
        found += [
            Difference(
                Kind.NOT_IN_SIGNERS_LOG, f"attempt {row['attempt_id']}, transaction {row['txid']}"
            )
            for row in rows
            if row["intent_id"] not in logged
        ]
    return found
