"""Ends that the venue decides: heartbeats, slow readers, drain, failover, revoked keys."""

import asyncio
import time

from cambist.limits.v1.limits_pb2 import GetLimitsRequest
from cambist.limits.v1.limits_pb2_grpc import LimitsServiceStub
from cambist.orders.v1 import service_pb2
from gateway.door.permissions import Scope
from tests.gateway.venue import (
    ORDER,
    Client,
    Key,
    Reason,
    RunningGateway,
    SessionClient,
    Venue,
    health_of,
    orders_body,
    status_of,
    until,
)

# A reader that takes nothing: a window so small that the venue notices soon.
STALLED = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 4_096))


async def test_the_venue_says_where_it_is_when_nothing_else_is_said(client: Client) -> None:
    session = await client.session(keep_alive_ms=1_000)
    sequence = (await session.read()).sequence
    assert sequence.last_seq >= session.established.seq


async def test_two_silent_intervals_end_the_connection_and_the_engine_hears_it(
    venue: Venue, client: Client
) -> None:
    session = await client.session(keep_alive_ms=1_000)
    end = await session.ending()
    assert end.reason == Reason.TERMINATE_REASON_KEEP_ALIVE_LAPSED
    lost = await venue.matching.system_command("session_lost")
    assert lost.connection == session.established.connection
    again = await client.session()
    assert again.established.connection == 2


async def test_heartbeats_of_the_client_keep_the_connection(client: Client) -> None:
    session = await client.session(keep_alive_ms=1_000)
    for _ in range(6):
        await asyncio.sleep(0.5)
        await session.send(sequence=service_pb2.Sequence(next_order_seq_no=1))
    await session.send_orders(1)
    await session.private_events(1)


async def test_a_client_whose_batch_waits_for_matching_is_not_taken_for_silent(
    venue: Venue,
) -> None:
    gateway = await venue.gateway(in_flight_commands_max=1_000_000)
    session = await (await venue.client(gateway, await venue.key())).session(keep_alive_ms=1_000)
    venue.matching.takes.clear()
    body = orders_body(1_000)

    async def push() -> None:
        for number in range(250):
            await session.send_batch(ORDER, 1 + number * 1_000, 1_000, body)

    pusher = asyncio.create_task(push())
    await asyncio.sleep(3.5)
    assert not pusher.done()
    venue.matching.takes.set()
    await pusher
    last = 0
    while last < 250_000:
        await session.send(sequence=service_pb2.Sequence())
        last = (await session.read_kind("events", 60.0)).last_order_seq_no


async def stall(venue: Venue, reader: SessionClient, trader: SessionClient) -> None:
    """Trades until the venue has ended the connection that does not read."""
    async with asyncio.timeout(60.0):
        while True:
            await trader.send_orders(500)
            await trader.private_events(500)
            found = await venue.previous_ends()
            if found:
                return
            assert reader.call.done() is False


async def test_a_reader_that_takes_nothing_is_ended_and_told_when_it_returns(
    venue: Venue,
) -> None:
    gateway = await venue.gateway(outbox_bytes_max=200_000)
    key = await venue.key()
    trader = await (await venue.client(gateway, key)).session("trader")
    slow = await venue.client(gateway, key, options=STALLED)
    negotiated = await slow.negotiate("slow")
    reader = await slow.establish(negotiated)
    await stall(venue, reader, trader)
    lost = await venue.matching.system_command("session_lost")
    assert lost.session_id == negotiated.session_id
    # The others did not notice.
    await trader.send_orders(1)
    await trader.private_events(1)
    # It comes back on another gateway, and is told once.
    other = await venue.client(await venue.gateway(), key)
    again = await other.establish(negotiated)
    end = again.established.previous_end
    assert end.reason == Reason.TERMINATE_REASON_SLOW_CONSUMER
    assert end.last_seq >= reader.established.seq - 1 > 0
    once_more = await other.establish(negotiated)
    assert not once_more.established.HasField("previous_end")


async def test_a_slow_reader_that_reads_on_finds_its_end(venue: Venue) -> None:
    gateway = await venue.gateway(outbox_bytes_max=200_000)
    key = await venue.key()
    trader = await (await venue.client(gateway, key)).session("trader")
    slow = await venue.client(gateway, key, options=STALLED)
    reader = await slow.session("slow")
    await stall(venue, reader, trader)
    last_seq = 0
    while True:
        response = await reader.read()
        if response.HasField("terminate"):
            break
        last_seq = response.events.last_seq or last_seq
    assert response.terminate.reason == Reason.TERMINATE_REASON_SLOW_CONSUMER
    assert response.terminate.last_seq <= last_seq


async def test_a_drain_says_where_to_go_on_and_loses_nothing(venue: Venue) -> None:
    key = await venue.key()
    stopping = await venue.gateway(drain_ms=3_000)
    client = await venue.client(stopping, key)
    negotiated = await client.negotiate()
    session = await client.establish(negotiated)
    await session.send_orders(2)
    await session.private_events(2)
    assert await health_of(stopping) == "SERVING"
    stopping.stop.set()
    goodbye = await session.read_kind("go_away")
    assert goodbye.deadline_ms == 3_000
    assert goodbye.resume_after_seq > session.established.seq
    assert await health_of(stopping) == "NOT_SERVING"
    # Until the deadline the session works; new ones are turned away.
    await session.send_orders(1)
    (event,) = await session.private_events(1)
    refused = await client.session("another")
    assert refused.refusal.reason == Reason.TERMINATE_REASON_DRAINING
    assert (await session.ending()).reason == Reason.TERMINATE_REASON_DRAINING
    await stopping.task
    other = await venue.client(await venue.gateway(), key)
    again = await other.establish(negotiated, resume_after_seq=goodbye.resume_after_seq)
    assert (await again.private_events(1)) == [event]


async def test_a_drain_does_not_wait_for_clients_that_left(venue: Venue) -> None:
    stopping = await venue.gateway(drain_ms=60_000)
    session = await (await venue.client(stopping, await venue.key())).session()
    stopping.stop.set()
    await session.read_kind("go_away")
    await session.terminate(Reason.TERMINATE_REASON_FINISHED)
    await session.ending()
    async with asyncio.timeout(20.0):
        await stopping.task


async def test_a_failover_ends_sessions_and_they_open_again_at_the_new_primary(
    venue: Venue, client: Client
) -> None:
    negotiated = await client.negotiate()
    session = await client.establish(negotiated)
    await session.send_orders(3)
    await session.private_events(3)
    await venue.matching.fail_over()
    assert (await session.ending()).reason == Reason.TERMINATE_REASON_FAILOVER
    again = await establish_soon(client, negotiated)
    assert again.established.last_order_seq_no == 3


async def establish_soon(
    client: Client, negotiated: service_pb2.NegotiateResponse
) -> SessionClient:
    """Establishes again while the shard has no primary."""
    ends = time.monotonic() + 20.0
    while True:
        session = await client.establish(negotiated)
        if session.first.HasField("established"):
            return session
        assert session.refusal.reason == Reason.TERMINATE_REASON_FAILOVER
        assert time.monotonic() < ends
        await asyncio.sleep(0.05)


async def test_the_gateway_follows_the_hint_to_the_primary(venue: Venue) -> None:
    standby = await venue.standby()
    gateway = await venue.gateway(matching_endpoints=f"1=127.0.0.1:{standby}")
    session = await (await venue.client(gateway, await venue.key())).session()
    await session.send_orders(1)
    await session.private_events(1)


async def test_a_revoked_key_ends_its_sessions_and_their_engine_side(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key()
    session = await (await venue.client(gateway, key)).session()
    assert await venue.store.revoke(key.key_id, time.time_ns())
    end = await session.ending()
    assert (end.reason, end.text) == (Reason.TERMINATE_REASON_KEY_REVOKED, "KEY_REVOKED")
    ended = await venue.matching.system_command("session_ended")
    # By the venue, so that for the engine no client took leave.
    assert ended.connection == 0


async def test_a_key_that_expires_ends_its_sessions(venue: Venue, gateway: RunningGateway) -> None:
    key = await venue.key(expires_ns=time.time_ns() + 2_500_000_000)
    session = await (await venue.client(gateway, key)).session()
    end = await session.ending()
    assert (end.reason, end.text) == (Reason.TERMINATE_REASON_KEY_REVOKED, "KEY_EXPIRED")


async def test_a_key_that_is_narrowed_ends_its_sessions(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key()
    session = await (await venue.client(gateway, key)).session()
    await venue.narrow(key, [Scope.READ])
    end = await session.ending()
    assert end.reason == Reason.TERMINATE_REASON_REFUSED


async def test_a_narrowed_key_that_logs_on_again_first_still_ends_its_sessions(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key()
    session = await (await venue.client(gateway, key)).session()
    await venue.narrow(key, [Scope.CANCEL])
    await venue.client(gateway, key)
    end = await session.ending()
    assert end.reason == Reason.TERMINATE_REASON_REFUSED


async def test_rotating_public_keys_ends_nothing(venue: Venue, gateway: RunningGateway) -> None:
    key = await venue.key()
    session = await (await venue.client(gateway, key)).session()
    next_key = Key(key.key_id)
    assert await venue.store.add_public_key(key.key_id, next_key.public_bytes, time.time_ns())
    await venue.client(gateway, next_key)
    assert await venue.store.retire_public_key(key.key_id, key.public_bytes)
    await asyncio.sleep(1.5)
    await session.send_orders(1)
    await session.private_events(1)


async def test_streams_of_one_key_are_counted_and_freed(
    venue: Venue, gateway: RunningGateway
) -> None:
    client = await venue.client(gateway, await venue.key())
    channels = [await venue.client(gateway, client.key) for _ in range(3)]
    limits = LimitsServiceStub(client.channel)
    streams = []
    for number in range(200):
        stream = channels[number // 90].stream()
        await stream.call.wait_for_connection()
        streams.append(stream)

    async def are_open(count: int) -> bool:
        answer = await limits.GetLimits(GetLimitsRequest(), metadata=client.metadata)
        return count == next(limit.used for limit in answer.limits if limit.name == "streams")

    await until(lambda: are_open(200))
    refused = client.stream()
    assert await status_of(refused.call.read()) == ("RESOURCE_EXHAUSTED", "TOO_MANY_STREAMS")
    for stream in streams:
        stream.call.cancel()
    await until(lambda: are_open(0))
    await client.session()
