"""Market data: books that equal the engine's, and readers that are too slow."""

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest

from cambist.internal.journal.v1 import system_pb2
from cambist.market_data.v1 import events_pb2, service_pb2, service_pb2_grpc
from cambist.orders.v1 import enums_pb2
from cambist.query.v1 import query_pb2, query_pb2_grpc
from runtime import rpc_errors
from tests.gateway.market_data import (
    Channel,
    L2Book,
    L3Book,
    book_of,
    churn,
    levels_of,
    market_data,
    queue_of,
    trade_at_random,
)
from tests.gateway.venue import (
    ACCOUNT,
    MARKET,
    SECOND_MARKET,
    Client,
    RunningGateway,
    Venue,
    status_of,
    until,
)


async def test_l2_from_the_middle_of_trading_equals_the_engines_book(
    venue: Venue, client: Client
) -> None:
    session = await client.session()
    await trade_at_random(session, 30, seed=1)
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        trading = asyncio.create_task(trade_at_random(session, 60, seed=2))
        assert (await stream.subscribe(Channel.CHANNEL_L2, depth=1_000)).active
        await trading
        book, truth = L2Book(), book_of(venue.matching.engine)
        async for data in stream.data_until(truth.market_seq):
            book.take(data)
    assert book.snapshots == 1
    assert book.levels == levels_of(truth)


async def test_l3_from_the_middle_of_trading_equals_the_engines_book(
    venue: Venue, client: Client
) -> None:
    session = await client.session()
    await trade_at_random(session, 30, seed=3)
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        trading = asyncio.create_task(trade_at_random(session, 60, seed=4))
        await stream.subscribe(Channel.CHANNEL_L3)
        await trading
        book, truth = L3Book(), book_of(venue.matching.engine)
        async for data in stream.data_until(truth.market_seq):
            book.take(data)
    assert book.market_seq == truth.market_seq
    assert sorted(map(tuple, book.orders.values())) == sorted(queue_of(truth))


async def test_l1_and_trades_equal_what_l3_tells(venue: Venue, client: Client) -> None:
    session = await client.session()
    async with market_data(client) as quotes, market_data(client) as trades:
        for stream in (quotes, trades):
            await stream.read_kind("welcome")
        await quotes.subscribe(Channel.CHANNEL_L1)
        await trades.subscribe(Channel.CHANNEL_TRADES)
        await trade_at_random(session, 60, seed=5)
        truth = book_of(venue.matching.engine)
        told: list[events_pb2.Trade] = []
        while len(told) < truth.trade_id:
            data = await trades.read_kind("data")
            told += events_pb2.Trades.FromString(data.payload).trades
        assert [trade.trade_id for trade in told] == list(range(1, truth.trade_id + 1))
        levels = levels_of(truth)
        bids, asks = levels[enums_pb2.SIDE_BUY], levels[enums_pb2.SIDE_SELL]
        best_bid = max(bids) if bids else 0
        best_ask = min(asks) if asks else 0
        wanted = events_pb2.BestBidOffer(
            bid_price_ticks=best_bid,
            bid_lots=bids[best_bid][0] if bids else 0,
            ask_price_ticks=best_ask,
            ask_lots=asks[best_ask][0] if asks else 0,
        )
        quote = events_pb2.BestBidOffer()
        # The last change of the best prices may lie before the last change of the book.
        while quote != wanted:
            data = await quotes.read_kind("data")
            quote.CopyFrom(events_pb2.BestBidOffers.FromString(data.payload).quotes[-1])
            quote.market_seq = 0


async def test_phases_are_told_now_and_when_they_change(venue: Venue, client: Client) -> None:
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        await stream.subscribe(Channel.CHANNEL_STATUS)
        data = await stream.read_kind("data")
        assert data.snapshot
        phases = [one.phase for one in statuses(data)]
        assert phases == [enums_pb2.MARKET_PHASE_CONTINUOUS]
        await set_phase(venue, enums_pb2.MARKET_PHASE_CANCEL_ONLY)
        data = await stream.read_kind("data")
        assert [one.phase for one in statuses(data)] == [enums_pb2.MARKET_PHASE_CANCEL_ONLY]


def statuses(data: service_pb2.MarketData) -> list[events_pb2.MarketStatus]:
    return list(events_pb2.MarketStatuses.FromString(data.payload).statuses)


async def set_phase(venue: Venue, phase: enums_pb2.MarketPhase.ValueType) -> None:
    command = system_pb2.SetPhase(market_id=MARKET, phase=phase)
    await venue.matching.system(system_pb2.SystemCommand(set_phase=command))


async def test_subscriptions_have_a_status_each_and_a_bad_one_ends_nothing(
    client: Client,
) -> None:
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        assert (await stream.subscribe(Channel.CHANNEL_L2, request_id=7)).active
        await stream.read_kind("data")
        bad: list[tuple[dict[str, int], str]] = [
            ({"request_id": 7}, "DUPLICATE_REQUEST_ID"),
            ({"request_id": 0}, "DUPLICATE_REQUEST_ID"),
            ({"market_id": 1 << 16 | 999}, "UNKNOWN_MARKET"),
            ({"market_id": 9 << 16 | 1}, "WRONG_SHARD"),
            ({"channel": Channel.CHANNEL_CANDLES}, "UNSUPPORTED_CHANNEL"),
            ({"channel": 99}, "UNSUPPORTED_CHANNEL"),
            ({"channel": 0}, "UNSUPPORTED_CHANNEL"),
            ({"depth": 1_001}, "BAD_DEPTH"),
            ({"conflation_ms": 60_001}, "BAD_CONFLATION"),
            ({"conflation_ms": 1, "channel": Channel.CHANNEL_TRADES}, "BAD_CONFLATION"),
        ]
        for number, (fields, reason) in enumerate(bad, start=100):
            values = {"request_id": number, "channel": Channel.CHANNEL_L2, **fields}
            status = await stream.subscribe(**values)  # type: ignore[arg-type]
            assert (status.active, status.reason) == (False, reason)
        await stream.send(unsubscribe=service_pb2.Unsubscribe(request_id=7))
        assert (await stream.read_kind("status")).reason == "UNSUBSCRIBED"
        await stream.send(unsubscribe=service_pb2.Unsubscribe(request_id=7))
        assert (await stream.read_kind("status")).reason == "UNKNOWN_REQUEST"
        await stream.send(credit=service_pb2.Credit(messages=0))
        assert (await stream.read_kind("status")).reason == "BAD_CREDIT"
        await stream.send()
        assert (await stream.read_kind("status")).reason == "MALFORMED_REQUEST"
        assert (await stream.subscribe(Channel.CHANNEL_L2, request_id=7)).active


async def test_what_was_unsubscribed_is_silent(client: Client) -> None:
    session = await client.session()
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        await stream.subscribe(Channel.CHANNEL_L3, request_id=1)
        await stream.read_kind("data")
        await stream.send(unsubscribe=service_pb2.Unsubscribe(request_id=1))
        await stream.read_kind("status")
        await session.send_orders(1)
        await session.private_events(1)
        await stream.subscribe(Channel.CHANNEL_L3, request_id=2)
        data = await stream.read_kind("data")
        assert (data.request_id, data.snapshot) == (2, True)


async def test_data_comes_only_for_the_credit_that_was_granted(client: Client) -> None:
    session = await client.session()
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        await stream.send(credit=service_pb2.Credit(messages=2))
        for channel in (Channel.CHANNEL_TRADES, Channel.CHANNEL_L3):
            await stream.subscribe(channel)
            assert (await stream.read_kind("data")).snapshot
        for _ in range(3):
            await session.send_orders(1)
            await session.private_events(1)
        reading = asyncio.create_task(stream.read_kind("data"))
        await asyncio.wait({reading}, timeout=0.5)
        assert not reading.done()
        await stream.send(credit=service_pb2.Credit(messages=1))
        data = await reading
        # All that waited comes in one message.
        assert len(events_pb2.L3Events.FromString(data.payload).events) == 3


async def test_conflated_quotes_skip_what_was_between(venue: Venue, client: Client) -> None:
    session = await client.session()
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        await stream.subscribe(Channel.CHANNEL_L1, conflation_ms=700)
        await stream.read_kind("data")
        for price in range(100, 110):
            await session.send_orders(1, price_ticks=price)
            await session.private_events(1)
        market_seq = book_of(venue.matching.engine).market_seq
        quotes = [
            quote
            async for data in stream.data_until(market_seq)
            for quote in events_pb2.BestBidOffers.FromString(data.payload).quotes
        ]
        assert quotes[-1].bid_price_ticks == 109
        assert len(quotes) < 10


async def test_l2_behind_its_bound_is_sent_anew(venue: Venue, client: Client) -> None:
    session = await client.session()
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        await stream.send(credit=service_pb2.Credit(messages=1))
        await stream.subscribe(Channel.CHANNEL_L2, depth=1_000)
        book = L2Book()
        book.take(await stream.read_kind("data"))
        await venue.raise_limits()
        for _ in range(1_030):
            await session.send_orders(1)
            await session.session_events("applied")
        await caught_up(venue, client)
        await stream.send(credit=service_pb2.Credit(messages=10))
        data = await stream.read_kind("data")
        assert (data.snapshot, data.resnapshot) == (True, True)
        book.take(data)
        assert book.levels == levels_of(book_of(venue.matching.engine))
        await session.send_orders(1, price_ticks=50, quantity_lots=1)
        book.take(await stream.read_kind("data"))
        assert book.levels == levels_of(book_of(venue.matching.engine))


@pytest.mark.parametrize("channel", [Channel.CHANNEL_L3, Channel.CHANNEL_TRADES])
async def test_a_slow_reader_of_what_is_never_dropped_is_ended_by_name(
    venue: Venue, client: Client, channel: service_pb2.Channel.ValueType
) -> None:
    session = await client.session()
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        await stream.send(credit=service_pb2.Credit(messages=1))
        await stream.subscribe(channel)
        snapshot = await stream.read_kind("data")
        for _ in range(1_030):
            await churn(session, 1)
        end = await stream.read_kind("go_away")
        assert end.reason == "SLOW_CONSUMER"
        assert end.last_seq == snapshot.seq

    async def is_remembered() -> bool:
        return await venue.previous_ends() == 1

    await until(is_remembered)
    async with market_data(client) as stream:
        welcome = await stream.read_kind("welcome")
        assert welcome.previous_end == "SLOW_CONSUMER"
        assert welcome.previous_last_seq == snapshot.seq
    async with market_data(client) as stream:
        assert (await stream.read_kind("welcome")).previous_end == ""
    assert await venue.previous_ends() == 0


async def caught_up(venue: Venue, client: Client) -> None:
    """Waits until the gateway's image stands where the engine does."""
    request = query_pb2.ListOpenOrdersRequest(
        account_id=ACCOUNT, page_size=1, as_of_seq=venue.matching.engine.last_seq
    )
    stub: Any = query_pb2_grpc.OrderQueryServiceStub(client.channel)
    await stub.ListOpenOrders(request, metadata=client.metadata)


async def test_a_reader_that_takes_nothing_at_all_is_remembered(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key()
    options = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 4_096))
    slow = await venue.client(gateway, key, options=options)
    session = await (await venue.client(gateway, key)).session()
    async with market_data(slow) as stream:
        await stream.read_kind("welcome")
        await stream.send(
            subscribe=service_pb2.Subscribe(
                request_id=1, market_id=MARKET, channel=Channel.CHANNEL_L3
            )
        )

        async def is_remembered() -> bool:
            await churn(session, 400)
            return await venue.previous_ends() == 1

        await until(is_remembered, 60.0)


async def test_the_stream_says_where_it_is_when_nothing_happens(client: Client) -> None:
    async with market_data(client) as stream:
        welcome = await stream.read_kind("welcome")
        response = await stream.read(10.0)
        assert response.heartbeat.seq >= welcome.seq > 0


async def test_a_drain_ends_market_data_by_name(venue: Venue) -> None:
    stopping = await venue.gateway()
    client = await venue.client(stopping, await venue.key())
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        stopping.stop.set()
        assert (await stream.read_kind("go_away")).reason == "DRAINING"


async def test_a_revoked_key_ends_market_data_by_name(venue: Venue, client: Client) -> None:
    async with market_data(client) as stream:
        await stream.read_kind("welcome")
        await venue.store.revoke(client.key.key_id, 1)
        assert (await stream.read_kind("go_away")).reason == "KEY_REVOKED"


async def test_level_2_of_one_market_now(venue: Venue, client: Client) -> None:
    await trade_at_random(await client.session(), 30, seed=6)
    stub: Any = service_pb2_grpc.MarketDataServiceStub(client.channel)
    truth = book_of(venue.matching.engine)

    async def ask(depth: int, market_id: int = MARKET) -> service_pb2.GetLevel2Response:
        request = service_pb2.GetLevel2Request(market_id=market_id, depth=depth)
        answer: service_pb2.GetLevel2Response
        answer = await stub.GetLevel2(request, metadata=client.metadata)
        return answer

    book = L2Book()

    async def is_equal() -> bool:
        answer = await ask(1_000)
        book.take(service_pb2.MarketData(payload=answer.payload, snapshot=True))
        assert answer.phase == enums_pb2.MARKET_PHASE_CONTINUOUS
        return book.levels == levels_of(truth)

    await until(is_equal)
    (delta,) = events_pb2.L2Deltas.FromString((await ask(2)).payload).deltas
    assert max(len(delta.bids), len(delta.asks)) == 2
    assert await status_of(ask(0)) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert await status_of(ask(1_001)) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert await status_of(ask(1, 7)) == ("NOT_FOUND", "UNKNOWN_MARKET")


async def test_server_streams_carry_the_same(venue: Venue, client: Client) -> None:
    session = await client.session()
    stub = service_pb2_grpc.MarketDataServiceStub(client.channel)
    markets = [MARKET, SECOND_MARKET, MARKET]
    levels = stub.StreamLevel2(
        service_pb2.StreamLevel2Request(market_ids=markets, depth=1_000), metadata=client.metadata
    )
    trades = stub.StreamTrades(
        service_pb2.StreamTradesRequest(market_ids=[MARKET]), metadata=client.metadata
    )
    quotes = stub.StreamBestBidOffer(
        service_pb2.StreamBestBidOfferRequest(market_ids=[MARKET]), metadata=client.metadata
    )
    first = [await read(levels), await read(levels)]
    assert {one.market_id for one in first} == {MARKET, SECOND_MARKET}
    assert all(one.snapshot for one in first)
    book = L2Book()
    for one in first:
        if one.market_id == MARKET:
            book.take(service_pb2.MarketData(payload=one.payload, snapshot=True))
    await read(trades)
    await read(quotes)
    await trade_at_random(session, 40, seed=7)
    truth = book_of(venue.matching.engine)
    while book.market_seq < truth.market_seq:
        book.take(service_pb2.MarketData(payload=(await read(levels)).payload))
    assert book.levels == levels_of(truth)
    told = 0
    while told < truth.trade_id:
        told = events_pb2.Trades.FromString((await read(trades)).payload).trades[-1].trade_id
    assert events_pb2.BestBidOffers.FromString((await read(quotes)).payload).quotes
    for call in (levels, trades, quotes):
        call.cancel()


async def read(call: object) -> service_pb2.StreamLevel2Response:
    async with asyncio.timeout(10.0):
        response = await call.read()  # type: ignore[attr-defined]
    assert response is not grpc.aio.EOF
    found: service_pb2.StreamLevel2Response = response
    return found


@pytest.mark.parametrize(
    ("request_fields", "reason"),
    [
        ({"market_ids": []}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"market_ids": list(range(101))}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"market_ids": [7]}, ("NOT_FOUND", "UNKNOWN_MARKET")),
        ({"market_ids": [MARKET], "depth": 1_001}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"market_ids": [MARKET], "conflation_ms": 60_001}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
    ],
)
async def test_a_server_stream_of_nothing_good_is_refused_by_name(
    client: Client, request_fields: dict[str, object], reason: tuple[str, str]
) -> None:
    stub = service_pb2_grpc.MarketDataServiceStub(client.channel)
    request = service_pb2.StreamLevel2Request(**request_fields)  # type: ignore[arg-type]
    call = stub.StreamLevel2(request, metadata=client.metadata)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await read(call)
    fault = rpc_errors.fault_of(error.value)
    assert (fault.code.name, fault.reason) == reason
