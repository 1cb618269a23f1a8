"""Flow control of order sessions: credit, rates, and a matching that takes or commits nothing."""

import asyncio

from gateway import limits
from tests.gateway.venue import CANCEL, ORDER, RunningGateway, Venue, orders_body, resolve_body


async def test_commands_beyond_the_credit_are_refused_and_answers_give_it_back(
    venue: Venue,
) -> None:
    gateway = await venue.gateway(in_flight_commands_max=10)
    client = await venue.client(gateway, await venue.key())
    session = await client.session()
    assert session.established.max_in_flight == 10
    venue.matching.commits.clear()
    await session.send_batch(ORDER, 1, 8, orders_body(8))
    await session.send_batch(ORDER, 9, 3, orders_body(3))
    refused = await session.read_kind("batch_refused")
    assert (refused.reason, refused.first_seq_no) == ("CREDIT_EXCEEDED", 9)
    assert refused.retry_after_ms > 0
    venue.matching.commits.set()
    await session.private_events(8)
    await session.send_batch(ORDER, 9, 3, orders_body(3))
    batch = await session.read_kind("events")
    assert (batch.last_order_seq_no, batch.remaining_in_flight) == (11, 10)


async def test_malformed_and_gapped_batches_give_their_credit_back(venue: Venue) -> None:
    gateway = await venue.gateway(in_flight_commands_max=10)
    session = await (await venue.client(gateway, await venue.key())).session()
    for _ in range(5):
        await session.send_batch(ORDER, 1, 10, orders_body(9))
        assert (await session.read_kind("batch_refused")).reason == "MALFORMED_COUNT_MISMATCH"
        await session.send_batch(ORDER, 5, 10, orders_body(10))
        await session.session_events("not_applied")
    await session.send_batch(ORDER, 1, 10, orders_body(10))
    await session.private_events(10)


async def test_orders_above_the_rate_wait_and_cancels_pass(venue: Venue) -> None:
    gateway = await venue.gateway()
    key = await venue.key(orders_per_second=5, cancels_per_second=100)
    session = await (await venue.client(gateway, key)).session()
    await session.send_batch(ORDER, 1, 5, orders_body(5))
    await session.private_events(5)
    await session.send_batch(ORDER, 6, 5, orders_body(5))
    refused = await session.read_kind("batch_refused")
    assert refused.reason == "RATE_LIMITED"
    assert 0 < refused.retry_after_ms <= 1_000
    await session.send_batch(CANCEL, 1, 1, resolve_body())
    (event,) = await session.private_events(1)
    assert event.HasField("resolve_report")


async def test_a_batch_larger_than_the_rate_can_never_pass(venue: Venue) -> None:
    gateway = await venue.gateway()
    session = await (await venue.client(gateway, await venue.key(orders_per_second=5))).session()
    await session.send_batch(ORDER, 1, 6, orders_body(6))
    refused = await session.read_kind("batch_refused")
    assert (refused.reason, refused.retry_after_ms) == ("RATE_LIMITED", 0)


async def test_when_matching_reads_nothing_the_client_waits_and_nothing_is_lost(
    venue: Venue,
) -> None:
    gateway = await venue.gateway(in_flight_commands_max=1_000_000)
    session = await (await venue.client(gateway, await venue.key())).session()
    venue.matching.takes.clear()
    body, size, batches, written = orders_body(1_000), 1_000, 200, 0

    async def push() -> None:
        nonlocal written
        for number in range(batches):
            await session.send_batch(ORDER, 1 + number * size, size, body)
            written += 1

    pusher = asyncio.create_task(push())
    before = -1
    while written != before:
        before = written
        await asyncio.sleep(1.0)
    # Every buffer between client and engine is full: the client's write waits.
    assert limits.SUBMIT_BYTES_MAX // len(body) <= written < batches
    assert not pusher.done()
    venue.matching.takes.set()
    last = 0
    while last < size * batches:
        last = (await session.read_kind("events", 60.0)).last_order_seq_no
    await pusher
    assert len(venue.matching.session_envelopes(ORDER)) == batches


async def test_a_cancel_overtakes_orders_that_wait_for_the_link(
    venue: Venue, gateway: RunningGateway
) -> None:
    client = await venue.client(gateway, await venue.key())
    flooding = [await client.session(f"flood-{number}") for number in range(10)]
    quiet = await client.session("quiet")
    venue.matching.takes.clear()
    body = orders_body(1_000)
    for session in flooding:
        for number in range(5):
            await session.send_batch(ORDER, 1 + number * 1_000, 1_000, body)
    await asyncio.sleep(0.5)
    await quiet.send_batch(CANCEL, 1, 1, resolve_body())
    await asyncio.sleep(0.5)
    venue.matching.takes.set()
    await quiet.session_events("applied")
    taken = [envelope.command_class for envelope in venue.matching.session_envelopes()]
    before = taken[: taken.index(CANCEL)]
    # Only what the transport held already went before it.
    assert 0 < len(before) <= 10, len(before)
