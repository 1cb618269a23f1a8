"""Resuming a session: on the same gateway, on another, from ring, journal or open orders."""

import asyncio

import pytest

from cambist.orders.v1 import enums_pb2, events_pb2, service_pb2
from cambist.query.v1 import query_pb2, query_pb2_grpc
from tests.gateway.venue import (
    ACCOUNT,
    CANCEL,
    MARKET,
    ORDER,
    Client,
    SessionClient,
    Venue,
    body_of,
    fresh_id,
    new_order,
    resolve_body,
)


async def talk(session: SessionClient, batches: int) -> list[service_pb2.EventBatch]:
    """Sends so many batches one by one and returns what came, as the client has it."""
    found = []
    for _ in range(batches):
        await session.send_orders(2)
        found.append(await session.read_kind("events"))
    return found


def stripped(batch: service_pb2.EventBatch) -> tuple[int, int, bytes, bytes]:
    """What a replayed batch has in common with the live one."""
    return batch.first_seq, batch.last_seq, batch.session_events, batch.private_events


async def test_what_was_missed_follows_a_resume_and_then_what_is_new(
    venue: Venue, client: Client
) -> None:
    negotiated = await client.negotiate()
    first = await client.establish(negotiated)
    live = await talk(first, 5)
    second = await client.establish(negotiated, resume_after_seq=live[1].last_seq)
    assert second.established.oldest_seq == 0
    again = [await second.read_kind("events") for _ in range(3)]
    assert [stripped(batch) for batch in again] == [stripped(batch) for batch in live[2:]]
    assert all(batch.matched_ns == batch.durable_ns == 0 for batch in again)
    second.next_seq_no[ORDER] = 11
    (new,) = await talk(second, 1)
    assert new.last_order_seq_no == 12
    assert new.durable_ns > 0


async def test_a_session_is_resumed_on_another_gateway(venue: Venue) -> None:
    key = await venue.key()
    one = await venue.client(await venue.gateway(), key)
    negotiated = await one.negotiate()
    first = await one.establish(negotiated)
    live = await talk(first, 4)
    other = await venue.client(await venue.gateway(), key)
    second = await other.establish(negotiated, resume_after_seq=live[0].last_seq)
    assert second.established.last_order_seq_no == 8
    again = [await second.read_kind("events") for _ in range(3)]
    assert [stripped(batch) for batch in again] == [stripped(batch) for batch in live[1:]]


async def test_rows_that_left_the_ring_are_read_from_matching(venue: Venue) -> None:
    key = await venue.key()
    client = await venue.client(await venue.gateway(ring_bytes_max=1), key)
    negotiated = await client.negotiate()
    first = await client.establish(negotiated)
    live = await talk(first, 6)
    second = await client.establish(negotiated, resume_after_seq=live[0].last_seq)
    again = [await second.read_kind("events") for _ in range(5)]
    assert [stripped(batch) for batch in again] == [stripped(batch) for batch in live[1:]]


async def test_without_a_resume_point_only_new_events_come(client: Client) -> None:
    negotiated = await client.negotiate()
    first = await client.establish(negotiated)
    await talk(first, 2)
    second = await client.establish(negotiated)
    second.next_seq_no[ORDER] = 5
    (batch,) = await talk(second, 1)
    assert batch.last_order_seq_no == 6


async def test_a_resume_point_too_old_is_named_and_open_orders_come_instead(
    venue: Venue,
) -> None:
    key = await venue.key()
    client = await venue.client(await venue.gateway(ring_bytes_max=1), key)
    negotiated = await client.negotiate()
    first = await client.establish(negotiated)
    live = await talk(first, 3)
    venue.matching.oldest_seq = live[1].last_seq + 1
    second = await client.establish(negotiated, resume_after_seq=live[0].last_seq - 1)
    assert second.established.oldest_seq == venue.matching.oldest_seq
    page = await second.read_kind("open_orders")
    assert page.last_page
    assert page.as_of_seq >= second.established.seq
    orders = events_pb2.PrivateEvents.FromString(page.private_events).events
    assert len(orders) == 6
    assert {order.execution_report.exec_type for order in orders} == {enums_pb2.EXEC_TYPE_NEW}
    second.next_seq_no[ORDER] = 7
    (new,) = await talk(second, 1)
    assert new.last_order_seq_no == 8


async def test_open_orders_come_in_pages(venue: Venue) -> None:
    key = await venue.key()
    gateway = await venue.gateway(ring_bytes_max=1)
    client = await venue.client(gateway, key)
    await venue.raise_limits()
    negotiated = await client.negotiate()
    session = await client.establish(negotiated)
    for _ in range(3):
        await session.send_orders(900)
        await session.private_events(900)
    venue.matching.oldest_seq = venue.matching.engine.last_seq
    again = await client.establish(negotiated, resume_after_seq=1)
    found: list[int] = []
    pages = 0
    while True:
        page = await again.read_kind("open_orders")
        pages += 1
        events = events_pb2.PrivateEvents.FromString(page.private_events).events
        found += [event.execution_report.order_id for event in events]
        if page.last_page:
            break
    assert pages == 3
    assert len(found) == len(set(found)) == 2_700


async def test_events_while_a_client_resumes_are_neither_lost_nor_told_twice(
    venue: Venue,
) -> None:
    key = await venue.key()
    gateway = await venue.gateway(outbox_bytes_max=2_000)
    client = await venue.client(gateway, key)
    negotiated = await client.negotiate("resumed")
    first = await client.establish(negotiated)
    start = first.established.seq
    trader = await client.session("trader")
    total = 0

    async def trade() -> None:
        nonlocal total
        for _ in range(150):
            await trader.send_orders(3)
            await trader.private_events(3)
            total += 3

    trading = asyncio.create_task(trade())
    await asyncio.sleep(0.05)
    resumed = await client.establish(negotiated, resume_after_seq=start)
    seen: list[int] = []
    while not trading.done() or len(seen) < total:
        batch = await resumed.read_kind("events")
        events = events_pb2.PrivateEvents.FromString(batch.private_events).events
        seen += [event.account_seq for event in events]
    await trading
    assert seen == list(range(seen[0], seen[0] + 450))


async def test_retransmit_gives_events_by_their_account_number(client: Client) -> None:
    session = await client.session()
    await session.send_orders(5)
    events = await session.private_events(5)
    wanted = events[1:4]
    await session.send(
        retransmit=service_pb2.Retransmit(
            account_id=ACCOUNT, from_account_seq=wanted[0].account_seq, count=3
        )
    )
    answer = await session.read_kind("retransmission")
    assert not answer.reason
    assert list(events_pb2.PrivateEvents.FromString(answer.private_events).events) == wanted


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"account_id": 999}, "INVALID_ACCOUNT"),
        ({"account_id": 5_000}, "INVALID_ACCOUNT"),
        ({"count": 0}, "INVALID_COUNT"),
        ({"count": 10_001}, "INVALID_COUNT"),
        ({"from_account_seq": 0}, "INVALID_COUNT"),
    ],
)
async def test_a_bad_retransmit_is_named(
    client: Client, fields: dict[str, int], reason: str
) -> None:
    session = await client.session()
    values = {"account_id": ACCOUNT, "from_account_seq": 1, "count": 1, **fields}
    await session.send(retransmit=service_pb2.Retransmit(**values))
    assert (await session.read_kind("retransmission")).reason == reason
    await session.send_orders(1)
    await session.private_events(1)


async def test_a_retransmit_that_is_too_old_names_the_oldest(venue: Venue, client: Client) -> None:
    session = await client.session()
    venue.matching.oldest_account_seq = 7
    await session.send(
        retransmit=service_pb2.Retransmit(account_id=ACCOUNT, from_account_seq=1, count=1)
    )
    answer = await session.read_kind("retransmission")
    assert (answer.reason, answer.oldest_account_seq) == ("OUT_OF_RANGE", 7)


async def test_after_a_loss_every_id_can_be_settled(client: Client) -> None:
    """What a client does after a crash: resend everything, resolve what it does not know."""
    negotiated = await client.negotiate()
    session = await client.establish(negotiated)
    order = new_order()
    await session.send_body(ORDER, body_of(new_order=order), 1)
    session.call.cancel()
    again = await client.establish(negotiated)
    if again.established.last_order_seq_no == 0:
        await again.send_batch(ORDER, 1, 1, body_of(new_order=order))
        await again.private_events(1)
    unknown = fresh_id()
    await again.send_body(CANCEL, resolve_body(order.cl_ord_id), 1)
    await again.send_body(CANCEL, resolve_body(unknown), 1)
    known, burnt = [event.resolve_report for event in await again.private_events(2)]
    assert known.state == enums_pb2.RESOLVE_STATE_OPEN
    assert burnt.state == enums_pb2.RESOLVE_STATE_NEVER_APPLIED


async def test_a_gateway_that_starts_late_takes_the_snapshot_and_what_follows(
    venue: Venue, client: Client
) -> None:
    session = await client.session()
    await session.send_orders(3)
    await session.private_events(3)
    venue.matching.take_snapshot()
    await session.send_orders(2)
    await session.private_events(2)
    late = await venue.gateway()
    other = await venue.client(late, await venue.key())
    stub = query_pb2_grpc.OrderQueryServiceStub(other.channel)
    request = query_pb2.ListOpenOrdersRequest(
        account_id=ACCOUNT, as_of_seq=venue.matching.engine.last_seq
    )
    answer = await stub.ListOpenOrders(request, metadata=other.metadata)
    assert len(answer.orders) == 5
    assert {order.execution_report.market_id for order in answer.orders} == {MARKET}
