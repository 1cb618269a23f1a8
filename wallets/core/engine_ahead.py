"""The engine has taken commands that this database never gave: nothing is paid or credited.

Called by the inbox. The database was made anew, or from an old copy: what was credited and paid
under those numbers is not on its books, and would be credited again. People must look; nothing
here ever starts a network again.
"""

from runtime.postgres import Connection
from wallets.core import stops


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
    reason = f"EngineAhead: it took {source_id}/{source_seq}, which is not in this database"
    await stops.stop(connection, network_id, reason)
    await connection.execute(
        "update custody.asset set deposits_suspended = true where network_id = $1", network_id
    )
