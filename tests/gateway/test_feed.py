"""A feed that breaks: nothing wrong is shown, everybody is told, and it starts anew."""

from collections.abc import Callable
from typing import Any

import pytest

from cambist.internal.matching.v1 import matching_pb2
from cambist.wallet.v1 import wallet_pb2, wallet_pb2_grpc
from gateway.shard.rows import HEAD, L2, RECORD
from tests.gateway.market_data import Channel, L2Book, book_of, levels_of, market_data
from tests.gateway.test_endings import establish_soon
from tests.gateway.venue import ORDER, Client, Reason, Venue, status_of

Row = matching_pb2.EventRow


def shortened(row: Row) -> Row:
    return Row(first_seq=row.first_seq, last_seq=row.last_seq, events=row.events[:-1])


def renumbered(row: Row) -> Row:
    return Row(first_seq=row.first_seq + 1, last_seq=row.last_seq + 1, events=row.events)


def with_another_checksum(row: Row) -> Row:
    """The CRC is the last field of an L2 delta."""
    events = bytearray(row.events)
    (_, count) = HEAD.unpack_from(events)
    for index in range(count):
        start = HEAD.size + index * RECORD.size
        kind, *_, offset, length = RECORD.unpack_from(events, start)
        if kind == L2:
            events[HEAD.size + count * RECORD.size + offset + length - 1] ^= 1
    return Row(first_seq=row.first_seq, last_seq=row.last_seq, events=bytes(events))


@pytest.mark.parametrize("mangle", [shortened, renumbered, with_another_checksum])
async def test_a_broken_row_starts_the_feed_anew(
    venue: Venue, client: Client, mangle: Callable[[Row], Row]
) -> None:
    negotiated = await client.negotiate()
    session = await client.establish(negotiated)
    await session.send_orders(2)
    await session.private_events(2)
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        await stream.subscribe(Channel.CHANNEL_L2)
        await stream.read_kind("data")
        venue.matching.mangle = mangle
        await session.send_orders(1)
        assert (await session.ending()).reason == Reason.TERMINATE_REASON_FAILOVER
        assert (await stream.read_kind("go_away")).reason == "FEED_LOST"
    again = await establish_soon(client, negotiated)
    again.next_seq_no[ORDER] = again.established.last_order_seq_no + 1
    assert again.established.last_order_seq_no == 3
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        await stream.subscribe(Channel.CHANNEL_L2)
        book = L2Book()
        book.take(await stream.read_kind("data"))
        await again.send_orders(1)
        book.take(await stream.read_kind("data"))
        assert book.levels == levels_of(book_of(venue.matching.engine))


async def test_streams_of_balances_end_with_the_feed_and_can_be_opened_again(
    venue: Venue, client: Client
) -> None:
    service: Any = wallet_pb2_grpc.WalletServiceStub(client.channel)
    session = await client.session()

    def open_stream() -> Any:
        request = wallet_pb2.StreamBalancesRequest()
        return service.StreamBalances(request, metadata=client.metadata)

    call = open_stream()
    assert (await call.read()).snapshot
    venue.matching.mangle = with_another_checksum
    await session.send_orders(1)

    async def read_on() -> None:
        while True:
            await call.read()

    assert await status_of(read_on()) == ("UNAVAILABLE", "FEED_LOST")
    await establish_soon(client, await client.negotiate())
    assert (await open_stream().read()).snapshot


async def test_a_feed_that_fell_behind_what_is_kept_starts_from_the_snapshot(
    venue: Venue, client: Client
) -> None:
    session = await client.session()
    await session.send_orders(3)
    await session.private_events(3)
    # While the link is down, rows come and go.
    assert venue.matching.server is not None
    port = venue.matching.server.port
    await venue.matching.stop()
    assert (await session.ending()).reason == Reason.TERMINATE_REASON_FAILOVER
    for _ in range(3):
        await venue.matching.clock()
    venue.matching.take_snapshot()
    await venue.matching.start(port)
    again = await establish_soon(client, await client.negotiate())
    assert again.established.last_order_seq_no == 3
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        await stream.subscribe(Channel.CHANNEL_L2)
        book = L2Book()
        book.take(await stream.read_kind("data"))
        assert book.levels == levels_of(book_of(venue.matching.engine))
