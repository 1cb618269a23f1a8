"""A transaction of ours and all of ours that it descends from: who is dead takes its line along.

Called by the adapter for a transaction that no node shows. A child spends an output that exists
only when its parent is mined. No block can spend that output otherwise, so its own inputs never
prove a child dead; the proof of its parent's death does.
"""

from collections.abc import Sequence
from typing import Final

from runtime.postgres import Database
from wallets.bitcoin.wire import Transaction, parse_transaction

# Nodes keep no longer lines in their pools.
LINE_MAX: Final = 25
# What is final cannot die, nor take anybody along.
STORED: Final = """
select raw from custody.attempt
where network_id = $1 and txid = any($2::text[]) and raw is not null and state <> 'final'
"""


async def read_line(database: Database, network_id: int, raw: bytes) -> list[Transaction]:
    """The transaction itself, then its ancestors among our attempts, nearest first."""
    line = [parse_transaction(raw)]
    seen = {str(line[0].txid())}
    names = parents_of(line)
    while names and len(line) < LINE_MAX:
        rows = await database.read(STORED, network_id, sorted(names))
        found = [parse_transaction(row["raw"]) for row in rows]
        seen |= names
        line += found
        names = parents_of(found) - seen
    return line[:LINE_MAX]


def parents_of(transactions: Sequence[Transaction]) -> set[str]:
    """Ids of what these spend from."""
    return {str(one.txid) for transaction in transactions for one in transaction.inputs}
