"""Stops of a network's payouts that stand until people end them.

Called by whoever finds that journal and custody disagree. A stop for another database than before
is not replaced: it comes first, and what it hides is back when it ends (`wallets/restoring`).
"""

from typing import Final

from runtime.postgres import Connection

STOP: Final = """
update custody.chain set withdrawals_stopped = true,
    stopped_before = case when stopped_reason like 'Restored:%' then $2 else stopped_before end,
    stopped_reason = case when stopped_reason like 'Restored:%' then stopped_reason else $2 end
where network_id = $1
"""


async def stop(connection: Connection, network_id: int, reason: str) -> None:
    """In the caller's transaction; an earlier reason is replaced."""
    await connection.execute(STOP, network_id, reason)
