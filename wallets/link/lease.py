"""Who does a task that one worker at a time should do, by the database's clock.

Called by the sender before each look at the outbox. A lease alone never protects money: what is
done under it must be harmless when done twice, or name the fencing token in its writes.
"""

from runtime.postgres import Database
from wallets.core.transactions import changing

ACTOR = "lease"


async def hold(database: Database, name: str, owner: str, seconds: float) -> int | None:
    """Takes or renews a lease; its fencing token, or None while another holds it."""
    async with changing(database, ACTOR) as connection:
        await connection.execute(
            "insert into custody.lease (name) values ($1) on conflict do nothing", name
        )
        token = await connection.fetchval(
            "update custody.lease set owner = $2, "
            "fencing_token = fencing_token + (owner <> $2)::integer, "
            "expires_at = clock_timestamp() + $3 * interval '1 second' "
            "where name = $1 and (owner = $2 or expires_at < clock_timestamp()) "
            "returning fencing_token",
            name,
            owner,
            seconds,
        )
        return None if token is None else int(token)


async def hand_over(database: Database, name: str, owner: str) -> None:
    """Ends our own lease, so that the next worker need not wait."""
    async with changing(database, ACTOR) as connection:
        await connection.execute(
            "update custody.lease set expires_at = '-infinity' where name = $1 and owner = $2",
            name,
            owner,
        )
