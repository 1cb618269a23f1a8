"""The engine has taken commands that this database never gave: nothing is paid or credited.

Called by the inbox. The database was made anew, or from an old copy: what was credited and paid
under those numbers is not on its books, and would be credited again. People must look, and settle
each of them (`wallets/restoring`); nothing here ever starts a network again.
"""

from typing import Final

from runtime.postgres import Connection
from wallets.core import stops

# Begins the reason of the stop, and is the name under which deposits are suspended.
NAME: Final = "EngineAhead"
# Why a payout is held that the engine has started, settled or given back in the time that was lost:
# nobody lets it go on and nobody cancels it.
PARKED: Final = "ENGINE_AHEAD"
# The row of the journal is taken in this transaction, and the cursor moves at its end.
NOTE: Final = """
insert into custody.unknown_command (source_id, source_seq, after_seq)
select $1, $2, coalesce((select last_seq from custody.inbox_cursor c where c.shard = s.shard), 0)
from custody.source s where s.source_id = $1
on conflict do nothing
"""
SUSPEND: Final = """
update custody.asset set deposits_suspended = true, deposits_suspended_by = $2
where network_id = $1 and not deposits_suspended
"""


async def notice(connection: Connection, source_id: int, source_seq: int) -> None:
    """Stops the network of the source when it never gave the number that was answered.

    Numbers go on after the engine's, which takes none of them twice. Sources of others are theirs.
    """
    network_id = await connection.fetchval(
        "update custody.source set last_seq = $2 where source_id = $1 and last_seq < $2 "
        "returning network_id",
        source_id,
        source_seq,
    )
    if network_id is None:
        return
    await connection.execute(NOTE, source_id, source_seq)
    reason = f"{NAME}: it took {source_id}/{source_seq}, which is not in this database"
    await stops.stop(connection, network_id, reason)
    await connection.execute(SUSPEND, network_id, NAME)
