"""Whether a lease is still held under the token that somebody was given with it.

Called inside the transaction that stores what was done under the lease: its row is locked until the
end, so nobody takes it in between.
"""

from typing import Final

from runtime.postgres import Connection
from wallets.contract import Held

HELD: Final = """
select from custody.lease
where name = $1 and fencing_token = $2 and expires_at > clock_timestamp() for share
"""


async def is_held(connection: Connection, held: Held) -> bool:
    """By the database's clock."""
    return await connection.fetchrow(HELD, held.name, held.token) is not None
