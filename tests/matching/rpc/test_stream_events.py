"""Streams of rows: from any sequence, from memory or the journal, filtered, bounded."""

import asyncio
import itertools

import grpc
import grpc.aio
import pytest

from cambist.internal.matching.v1 import matching_pb2
from runtime import postgres, rpc_errors
from runtime.settings import PostgresSettings
from tests.matching.shard import (
    ACCOUNT,
    OTHER,
    SECONDS,
    SHARD,
    Link,
    Shard,
    established,
    new_order,
    private_events,
    running,
    session_envelope,
    session_events,
    settings,
    system_envelope,
    unary_envelope,
)


async def trade(shard: Shard, count: int, link: Link | None = None) -> int:
    """Orders of two accounts, one per envelope; the last sequence."""
    before = (await shard.status()).released_seq
    if link is None:
        link = await shard.link()
    for index in range(count):
        order = new_order(account_id=(ACCOUNT, OTHER)[index % 2])
        await link.send(unary_envelope(order))
    await shard.until_released(before + count)
    return int(before + count)


@pytest.mark.parametrize("ring_bytes_max", [1, 1 << 20])
async def test_all_rows_come_in_order_from_memory_and_journal_alike(
    postgres_settings: PostgresSettings, ring_bytes_max: int
) -> None:
    chosen = settings(postgres_settings, ring_bytes_max=ring_bytes_max)
    async with running(chosen) as shard:
        await shard.create_market()
        head = await trade(shard, 30)
        rows = await shard.rows(1, head)
        assert rows[0].first_seq == 1
        assert rows[-1].last_seq == head
        for before, row in itertools.pairwise(rows):
            assert row.first_seq == before.last_seq + 1
            assert row.time_ns >= before.time_ns
        # From the middle of whatever row.
        for seq in (2, head // 2, head):
            found = await shard.rows(seq, head)
            assert found[0].first_seq <= seq <= found[0].last_seq
            assert [row.events for row in found] == [
                row.events for row in rows if row.last_seq >= seq
            ]


async def test_a_stream_follows_and_a_ring_that_loses_rows_is_filled_from_the_journal(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(settings(postgres_settings, ring_bytes_max=1)) as shard:
        await shard.create_market()
        request = matching_pb2.StreamEventsRequest(shard=SHARD, from_seq=1)
        call = shard.stub.StreamEvents(request)
        seen: list[int] = []
        head = await trade(shard, 40)
        async with asyncio.timeout(SECONDS):
            while not seen or seen[-1] < head:
                answer = await call.read()
                for row in answer.rows:
                    assert row.first_seq == (seen[-1] if seen else 0) + 1
                    seen.append(row.last_seq)
        call.cancel()


async def test_zero_means_new_rows_only(market: Shard) -> None:
    before = (await market.status()).released_seq
    call = market.stub.StreamEvents(matching_pb2.StreamEventsRequest(shard=SHARD))
    reading = asyncio.create_task(call.read())
    await asyncio.sleep(0.2)
    assert not reading.done()
    await trade(market, 1)
    async with asyncio.timeout(SECONDS):
        answer = await reading
    assert answer.rows[0].first_seq == before + 1
    call.cancel()


async def test_replayed_rows_have_no_times_of_this_process(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings)
    async with running(chosen) as shard:
        await shard.create_market()
        head = (await shard.status()).released_seq
        rows = await shard.rows(1, head)
        assert all(0 < row.matched_ns <= row.durable_ns for row in rows)
    async with running(chosen) as shard:
        again = await shard.rows(1, head)
        assert [row.events for row in again] == [row.events for row in rows]
        assert all(row.matched_ns == row.durable_ns == 0 for row in again)


@pytest.mark.parametrize("ring_bytes_max", [1, 1 << 20])
async def test_a_filter_keeps_frames_of_its_accounts_and_sessions_only(
    postgres_settings: PostgresSettings, ring_bytes_max: int
) -> None:
    async with running(settings(postgres_settings, ring_bytes_max=ring_bytes_max)) as shard:
        await shard.create_market()
        start = (await shard.status()).released_seq
        link = await shard.link(9)
        await trade(shard, 10, link)
        await link.send(system_envelope(established(5, 9, 1)))
        await link.send(session_envelope(5, 1, [new_order(account_id=OTHER)]))
        await shard.until_released(start + 12)
        mine = await shard.rows(start + 1, start + 12, account_ids=[ACCOUNT])
        assert len([event for row in mine for event in private_events(row)]) == 5
        assert all(not private_events(row, OTHER) for row in mine)
        assert all(not session_events(row, 5) for row in mine)
        session = await shard.rows(start + 1, start + 12, session_ids=[5])
        told = [event for row in session for event in session_events(row, 5)]
        assert [event.WhichOneof("event") for event in told] == ["opened", "applied"]
        assert all(not private_events(row, OTHER) for row in session)
        both = await shard.rows(start + 1, start + 12, session_ids=[5], account_ids=[OTHER])
        assert len([event for row in both for event in private_events(row, OTHER)]) == 6


async def test_what_is_no_longer_kept_is_out_of_range_with_the_oldest(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings, ring_bytes_max=1)
    async with running(chosen) as shard:
        await shard.create_market()
        database = await postgres.connect(postgres_settings, application_name="test")
        await database.write("delete from journal.events where last_seq < 5")
        await database.close()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await shard.rows(3, 8)
        assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE
        assert dict(caught.value.trailing_metadata() or ())["oldest"] == "5"
        assert rpc_errors.fault_of(caught.value).metadata["oldest_seq"] == "5"
        assert (await shard.rows(5, 8))[0].first_seq == 5


async def test_a_reader_that_knows_more_than_the_journal_is_refused(market: Shard) -> None:
    head = (await market.status()).released_seq
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await market.rows(head + 2, head + 3)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert rpc_errors.fault_of(caught.value).reason == "AHEAD_OF_JOURNAL"


@pytest.mark.parametrize(
    "request_",
    [
        matching_pb2.StreamEventsRequest(shard=SHARD + 1),
        matching_pb2.StreamEventsRequest(shard=SHARD, account_ids=range(1_001)),
        matching_pb2.StreamEventsRequest(shard=SHARD, session_ids=range(1_001)),
    ],
)
async def test_a_wrong_request_is_refused(
    shard: Shard, request_: matching_pb2.StreamEventsRequest
) -> None:
    call = shard.stub.StreamEvents(request_)
    assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_reader_that_does_not_read_holds_nobody_up(market: Shard) -> None:
    request = matching_pb2.StreamEventsRequest(shard=SHARD, from_seq=1)
    deaf = market.stub.StreamEvents(request)
    head = await trade(market, 200)
    rows = await market.rows(1, head)
    assert rows[-1].last_seq == head
    deaf.cancel()
