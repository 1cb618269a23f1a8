"""Makes partitions of the two journal tables ahead of the head. Called by migrate and the primary.

The primary's role may not change the schema, so a function of the schema's owner makes them.
"""

import asyncio

from matching import limits
from runtime.postgres import Database

# Several processes may look at once; one makes, the others find it made.
LOCK_CLASS = 0x0CA5


def partition_of(seq: int) -> int:
    """Index of the partition that holds a sequence."""
    return seq // limits.PARTITION_COMMANDS


async def ensure_partitions(database: Database, shard: int, seq: int) -> list[str]:
    """Makes the partition of `seq` and those ahead of it; the names of those made."""
    first = partition_of(seq)
    made: list[str] = []
    async with database.transaction() as connection:
        await connection.execute("select pg_advisory_xact_lock($1, $2)", LOCK_CLASS, shard)
        for index in range(first, first + limits.PARTITIONS_AHEAD + 1):
            made += await connection.fetchval(
                "select journal.make_partitions($1, $2, $3)",
                shard,
                index,
                limits.PARTITION_COMMANDS,
            )
    return made


async def insert_shard_rows(database: Database, shard: int) -> None:
    """Lease (expired) and fence (epoch 0) of a shard; what is there stays."""
    async with database.transaction() as connection:
        await connection.execute(
            "insert into journal.shard_fence (shard, epoch) values ($1, 0) on conflict do nothing",
            shard,
        )
        await connection.execute(
            "insert into journal.shard_lease (shard, expires_at) values ($1, '-infinity')"
            " on conflict do nothing",
            shard,
        )


async def prepare_shards(database: Database, shards: tuple[int, ...]) -> None:
    """What `migrate` does beyond the schema, for every configured shard."""
    for shard in shards:
        await insert_shard_rows(database, shard)
        row = await database.read_row(
            "select max(last_seq) from journal.commands where shard = $1", shard
        )
        head = int(row[0] or 0) if row is not None else 0
        await ensure_partitions(database, shard, head + 1)
        await asyncio.sleep(0)
