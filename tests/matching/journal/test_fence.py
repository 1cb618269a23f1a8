"""The lease elects one, the fence lets no older epoch write, a frozen backend blocks by name."""

import asyncio
import os
import signal

import asyncpg
import pytest

from matching.journal.fence import Claim, ShardLock
from matching.journal.reader import JournalReader
from runtime.clock import SystemClock
from runtime.errors import Unavailable
from runtime.postgres import Database


def lock_of(database: Database, owner: str, lease_seconds: float = 30.0) -> ShardLock:
    claim = Claim(1, owner, f"{owner}:7001", lease_seconds)
    return ShardLock(database.settings, claim, f"test-{owner}", SystemClock())


def nobody(holders: frozenset[int]) -> None:
    raise AssertionError(f"nothing blocks, but {holders}")


async def test_the_first_one_gets_the_lease_and_the_second_hears_of_it(
    database: Database,
) -> None:
    one, two = lock_of(database, "one"), lock_of(database, "two")
    mine = await one.take_or_renew()
    assert mine.is_ours
    theirs = await two.take_or_renew()
    assert (theirs.is_ours, theirs.owner, theirs.endpoint) == (False, "one", "one:7001")
    assert not theirs.is_expired
    assert (await one.take_or_renew()).is_ours
    await one.close()
    await two.close()


async def test_a_lease_that_ran_out_goes_to_whoever_asks(database: Database) -> None:
    one, two = lock_of(database, "one", lease_seconds=0.0), lock_of(database, "two")
    assert (await one.take_or_renew()).is_ours
    assert (await two.take_or_renew()).is_ours
    assert not (await one.take_or_renew()).is_ours
    await one.close()
    await two.close()


async def test_a_released_lease_is_free_at_once(database: Database) -> None:
    one, two = lock_of(database, "one"), lock_of(database, "two")
    assert (await one.take_or_renew()).is_ours
    await one.release()
    assert (await two.take_or_renew()).is_ours
    # One that was lost is not released by the one before.
    await one.release()
    assert (await two.take_or_renew()).is_ours
    assert not (await one.take_or_renew()).is_ours
    await one.close()
    await two.close()


async def test_a_lease_tells_the_databases_time(database: Database) -> None:
    lock, clock = lock_of(database, "one"), SystemClock()
    lease = await lock.take_or_renew()
    passed_ns = clock.monotonic_ns() - lease.monotonic_ns
    assert abs(clock.wall_ns() - passed_ns - lease.database_ns) < 1_000_000_000
    await lock.close()


async def test_a_shard_that_was_never_prepared_is_named(database: Database) -> None:
    claim = Claim(2, "one", "one:7001", 1.0)
    lock = ShardLock(database.settings, claim, "test", SystemClock())
    with pytest.raises(Unavailable, match="migrate"):
        await lock.take_or_renew()
    await lock.close()


async def test_epochs_grow_by_one(database: Database, reader: JournalReader) -> None:
    one, two = lock_of(database, "one"), lock_of(database, "two")
    assert [await one.next_epoch(nobody), await two.next_epoch(nobody)] == [1, 2]
    assert await reader.fence_epoch() == 2


async def test_a_backend_that_holds_the_fence_is_ended(database: Database) -> None:
    holder = await asyncpg.connect(database.settings.dsn.get_secret_value())
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("select epoch from journal.shard_fence where shard = 1 for share")
    assert await lock_of(database, "one").next_epoch(nobody) == 1
    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
        await holder.execute("select 1")
    holder.terminate()


async def test_a_frozen_backend_blocks_by_name_until_it_goes_on(database: Database) -> None:
    holder = await asyncpg.connect(database.settings.dsn.get_secret_value())
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("select epoch from journal.shard_fence where shard = 1 for share")
    pid = await holder.fetchval("select pg_backend_pid()")
    blocked: asyncio.Future[frozenset[int]] = asyncio.get_running_loop().create_future()

    def note(holders: frozenset[int]) -> None:
        if not blocked.done():
            blocked.set_result(holders)

    lock = lock_of(database, "one")
    os.kill(pid, signal.SIGSTOP)
    try:
        taking = asyncio.create_task(lock.next_epoch(note))
        assert await asyncio.wait_for(blocked, 10.0) == {pid}
        assert lock.blocked_by == {pid}
        assert not taking.done()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert await asyncio.wait_for(taking, 10.0) == 1
    assert lock.blocked_by == frozenset()
    holder.terminate()


async def test_a_frozen_backend_cannot_keep_the_lease_either(database: Database) -> None:
    holder = await asyncpg.connect(database.settings.dsn.get_secret_value())
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("update journal.shard_lease set owner = 'gone' where shard = 1")
    lock = lock_of(database, "one")
    with pytest.raises(Unavailable):
        await lock.take_or_renew()
    await lock.clear_lease()
    assert (await lock.take_or_renew()).is_ours
    holder.terminate()
    await lock.close()
