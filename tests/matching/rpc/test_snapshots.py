"""GetSnapshot and ReadAccountEvents, over what is really stored."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import grpc.aio
import pytest

from cambist.admin.v1 import admin_pb2
from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import events_pb2
from matching.journal.reader import JournalReader
from matching.recovery.replay import Replay, ReplayParts
from matching.recovery.skips import Skips
from matching.snapshots.store import SnapshotStore
from runtime import postgres
from runtime.settings import PostgresSettings
from tests.matching.shard import (
    ACCOUNT,
    KIND,
    SHARD,
    Shard,
    new_order,
    running,
    settings,
    unary_envelope,
)


async def store_snapshot(chosen: PostgresSettings) -> bytes:
    """Takes a snapshot of what is journaled, as the snapshotter does."""
    database = await postgres.connect(chosen, application_name="test")
    store = SnapshotStore(database, SHARD, chunk_bytes=100, chunk_pause_seconds=0)
    with ThreadPoolExecutor(1) as executor:
        reader = JournalReader(database, SHARD)
        replay = Replay(ReplayParts(SHARD, KIND, reader, store, Skips({}), executor))
        await replay.catch_up()
    content = replay.engine.snapshot()
    await store.write(replay.tail, content)
    await database.close()
    return content


async def test_without_a_snapshot_it_is_not_found(shard: Shard) -> None:
    call = shard.stub.GetSnapshot(matching_pb2.GetSnapshotRequest(shard=SHARD))
    assert await call.code() is grpc.StatusCode.NOT_FOUND


async def test_the_newest_snapshot_comes_in_chunks(
    market: Shard, postgres_settings: PostgresSettings
) -> None:
    content = await store_snapshot(postgres_settings)
    request = matching_pb2.GetSnapshotRequest(shard=SHARD)
    chunks = [chunk async for chunk in market.stub.GetSnapshot(request)]
    assert b"".join(chunk.chunk for chunk in chunks) == content
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert len(chunks) > 1
    assert {chunk.count for chunk in chunks} == {len(chunks)}
    assert {chunk.seq for chunk in chunks} == {(await market.status()).released_seq}


async def test_a_snapshot_that_breaks_off_is_never_taken_for_the_whole_and_the_one_before_is_told(
    market: Shard, postgres_settings: PostgresSettings
) -> None:
    older = await store_snapshot(postgres_settings)
    link = await market.link()
    before = (await market.status()).released_seq
    await link.send(unary_envelope(new_order()))
    await market.until_released(before + 1)
    await store_snapshot(postgres_settings)
    database = await postgres.connect(postgres_settings, application_name="test")
    await database.write(
        "delete from journal.snapshot_chunks where seq = $1 and index = 2", before + 1
    )
    await database.close()
    request = matching_pb2.GetSnapshotRequest(shard=SHARD)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        [chunk async for chunk in market.stub.GetSnapshot(request)]
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    chunks = [chunk.chunk async for chunk in market.stub.GetSnapshot(request)]
    assert b"".join(chunks) == older


async def test_a_start_from_a_snapshot_knows_all_that_was_defined(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings)
    listing = admin_pb2.ListDefinitionsRequest(shard=SHARD)
    async with running(chosen) as shard:
        await shard.create_market()
        before = await shard.admin.ListDefinitions(listing)
        status = await shard.status()
        await store_snapshot(postgres_settings)
    async with running(chosen) as shard:
        after = await shard.admin.ListDefinitions(listing)
        assert (await shard.status()).snapshot_seq == status.released_seq
        assert after.seq == before.seq + 1
        after.seq = before.seq
        assert after == before


async def test_private_events_of_an_account_are_read_by_number(market: Shard) -> None:
    before = (await market.status()).released_seq
    link = await market.link()
    for _ in range(10):
        await link.send(unary_envelope(new_order()))
    await market.until_released(before + 10)

    async def read(from_account_seq: int, count: int) -> list[int]:
        request = matching_pb2.ReadAccountEventsRequest(
            shard=SHARD, account_id=ACCOUNT, from_account_seq=from_account_seq, count=count
        )
        answer = await market.stub.ReadAccountEvents(request)
        events = events_pb2.PrivateEvents.FromString(answer.events).events
        return [event.account_seq for event in events]

    # Two adjustments came before the orders.
    assert await read(1, 100) == list(range(1, 13))
    assert await read(5, 3) == [5, 6, 7]
    assert await read(13, 5) == []
    assert await read((1 << 64) - 1, 5) == []


@pytest.mark.parametrize("count", [0, 10_001])
async def test_the_count_is_bounded(shard: Shard, count: int) -> None:
    request = matching_pb2.ReadAccountEventsRequest(shard=SHARD, account_id=1, count=count)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await shard.stub.ReadAccountEvents(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
