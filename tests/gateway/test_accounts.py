"""Balances, transfers and drop copies: snapshot first, then every change, in journal order."""

import asyncio
import time
from typing import Any

import grpc
import grpc.aio
import pytest

from cambist.drop_copy.v1 import drop_copy_pb2, drop_copy_pb2_grpc
from cambist.internal.journal.v1 import snapshot_pb2
from cambist.orders.v1 import enums_pb2, events_pb2
from cambist.wallet.v1 import wallet_pb2, wallet_pb2_grpc
from runtime import rpc_errors
from tests.fakes.engines import Engine
from tests.gateway.market_data import churn
from tests.gateway.venue import (
    ACCOUNT,
    FOREIGN_ACCOUNT,
    SECOND_ACCOUNT,
    Client,
    RunningGateway,
    Venue,
    fresh_id,
    status_of,
)

Balances = dict[tuple[int, int], tuple[str, str, str]]


def told(balances: Any) -> Balances:
    return {
        (one.account_id, one.asset_id): (one.available_atoms, one.held_atoms, one.in_flight_atoms)
        for one in balances
    }


def truth(engine: Engine) -> Balances:
    """Balances of the firm's accounts in the engine's own snapshot."""
    state = snapshot_pb2.Snapshot.FromString(engine.snapshot())

    def decimal(value: bytes) -> str:
        return str(int.from_bytes(value, "little", signed=True))

    return {
        (one.account_id, one.asset_id): (
            decimal(one.available_atoms),
            decimal(one.held_atoms),
            decimal(one.in_flight_atoms),
        )
        for one in snapshot_pb2.MoneySection.FromString(state.money).balances
        if one.account_id in (ACCOUNT, SECOND_ACCOUNT)
    }


def wallet(client: Client) -> Any:
    return wallet_pb2_grpc.WalletServiceStub(client.channel)


async def read(call: Any, seconds: float = 10.0) -> Any:
    async with asyncio.timeout(seconds):
        response = await call.read()
    assert response is not grpc.aio.EOF
    return response


async def test_balances_are_those_of_the_engine(venue: Venue, client: Client) -> None:
    session = await client.session()
    await session.send_orders(2, price_ticks=100, quantity_lots=5)
    events = await session.private_events(2)
    found: Balances = {}
    for account_id in (ACCOUNT, SECOND_ACCOUNT):
        request = wallet_pb2.GetBalancesRequest(account_id=account_id, as_of_seq=events[-1].seq)
        answer = await wallet(client).GetBalances(request, metadata=client.metadata)
        assert answer.as_of_seq >= events[-1].seq
        found |= told(answer.balances)
    assert found == truth(venue.matching.engine)
    assert found[ACCOUNT, 2] == (str(10**9 - 1_000), "1000", "0")


async def test_a_stream_of_balances_starts_with_all_and_follows_every_change(
    venue: Venue, client: Client
) -> None:
    session = await client.session()
    request = wallet_pb2.StreamBalancesRequest()
    call = wallet(client).StreamBalances(request, metadata=client.metadata)
    first = await read(call)
    assert (first.snapshot, first.resnapshot, first.more_pages) == (True, False, False)
    balances = told(first.balances)
    assert balances == truth(venue.matching.engine)
    for _ in range(10):
        await churn(session, 3)
    wanted = truth(venue.matching.engine)
    seq = first.as_of_seq
    while balances != wanted:
        change = await read(call)
        assert not change.snapshot
        assert change.as_of_seq >= seq
        seq = change.as_of_seq
        balances |= told(change.balances)
    call.cancel()


async def test_a_slow_reader_of_balances_gets_the_snapshot_again(
    venue: Venue, gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.limits.OUTBOX_MESSAGES_MAX", 4)
    key = await venue.key()
    options = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 4_096))
    slow = await venue.client(gateway, key, options=options)
    session = await (await venue.client(gateway, key)).session()
    call = wallet(slow).StreamBalances(wallet_pb2.StreamBalancesRequest(), metadata=slow.metadata)
    assert (await read(call)).snapshot
    for _ in range(3_000):
        await churn(session, 1)
    balances: Balances = {}
    resnapshots = 0
    wanted = truth(venue.matching.engine)
    while balances != wanted or not resnapshots:
        change = await read(call)
        resnapshots += change.resnapshot
        balances = told(change.balances) if change.snapshot else balances | told(change.balances)
    call.cancel()


async def transfer(client: Client, **fields: Any) -> events_pb2.PrivateEvent:
    values: dict[str, Any] = {
        "request_id": fresh_id(),
        "account_id": ACCOUNT,
        "to_account_id": SECOND_ACCOUNT,
        "asset_id": 1,
        "amount_atoms": "250",
        "sent_time_ns": time.time_ns(),
    }
    request = wallet_pb2.TransferRequest(**{**values, **fields})
    answer = await wallet(client).Transfer(request, metadata=client.metadata)
    event: events_pb2.PrivateEvent = answer.answer
    return event


async def test_a_transfer_moves_money_once(venue: Venue, client: Client) -> None:
    identifier = fresh_id()
    sent = time.time_ns()
    first = await transfer(client, request_id=identifier, sent_time_ns=sent)
    again = await transfer(client, request_id=identifier, sent_time_ns=sent)
    assert not first.money_report.repeat
    assert again.money_report.repeat
    balances = truth(venue.matching.engine)
    assert balances[ACCOUNT, 1][0] == str(10**9 - 250)
    assert balances[SECOND_ACCOUNT, 1][0] == str(10**9 + 250)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"amount_atoms": "0"}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"amount_atoms": "-1"}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"amount_atoms": ""}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"amount_atoms": "1e3"}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"amount_atoms": "1.5"}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"amount_atoms": "٣"}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"amount_atoms": "9" * 41}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"amount_atoms": str(2**120 + 1)}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"request_id": b"short"}, ("INVALID_ARGUMENT", "MALFORMED_BAD_LENGTH")),
        ({"to_account_id": FOREIGN_ACCOUNT}, ("NOT_FOUND", "UNKNOWN_ACCOUNT")),
        ({"account_id": FOREIGN_ACCOUNT}, ("NOT_FOUND", "UNKNOWN_ACCOUNT")),
        ({"sent_time_ns": 1}, ("FAILED_PRECONDITION", "STALE")),
    ],
)
async def test_a_bad_transfer_is_named_and_moves_nothing(
    venue: Venue, client: Client, fields: dict[str, Any], status: tuple[str, str]
) -> None:
    before = truth(venue.matching.engine)
    assert await status_of(transfer(client, **fields)) == status
    assert truth(venue.matching.engine) == before


async def test_a_transfer_beyond_the_balance_is_refused_in_the_answer(client: Client) -> None:
    event = await transfer(client, amount_atoms=str(2**120))
    assert event.money_report.reject_reason == enums_pb2.REJECT_REASON_INSUFFICIENT_FUNDS


def drop_copy(client: Client, **fields: Any) -> Any:
    stub: Any = drop_copy_pb2_grpc.DropCopyServiceStub(client.channel)
    request = drop_copy_pb2.StreamPrivateEventsRequest(**fields)
    return stub.StreamPrivateEvents(request, metadata=client.metadata)


def events_in(response: Any) -> list[events_pb2.PrivateEvent]:
    return list(events_pb2.PrivateEvents.FromString(response.private_events).events)


async def events_from(call: Any, count: int) -> list[events_pb2.PrivateEvent]:
    found: list[events_pb2.PrivateEvent] = []
    while len(found) < count:
        response = await read(call)
        assert not response.snapshot
        found += events_in(response)
    return found


async def test_a_drop_copy_starts_with_open_orders_and_hears_everything(client: Client) -> None:
    session = await client.session()
    await session.send_orders(3)
    await session.private_events(3)
    call = drop_copy(client)
    snapshot = await read(call)
    assert (snapshot.snapshot, snapshot.more_pages) == (True, False)
    assert len(events_in(snapshot)) == 3
    await session.send_orders(4)
    live = await session.private_events(4)
    assert await events_from(call, 4) == live
    call.cancel()


async def test_a_drop_copy_resumes_where_it_was_on_any_gateway(
    venue: Venue, client: Client
) -> None:
    session = await client.session()
    first = drop_copy(client)
    point = (await read(first)).last_seq
    first.cancel()
    await session.send_orders(6)
    live = await session.private_events(6)
    for ring_bytes in (1, 10**9):
        gateway = await venue.gateway(ring_bytes_max=ring_bytes)
        other = await venue.client(gateway, await venue.key(is_read_only=True))
        call = drop_copy(other, resume_after_seq=point)
        assert await events_from(call, 6) == live
        call.cancel()


async def test_a_drop_copy_hears_only_the_accounts_it_names(client: Client) -> None:
    session = await client.session()
    call = drop_copy(client, account_ids=[SECOND_ACCOUNT])
    assert (await read(call)).snapshot
    await session.send_orders(2)
    await session.private_events(2)
    await session.send_orders(1, account_id=SECOND_ACCOUNT)
    await session.private_events(1)
    (event,) = await events_from(call, 1)
    assert event.account_id == SECOND_ACCOUNT
    call.cancel()


async def fault_of(call: Any) -> rpc_errors.Fault:
    """The fault that a stream ends with; what comes before is skipped."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await read_all(call)
    return rpc_errors.fault_of(error.value)


async def read_all(call: Any) -> None:
    async with asyncio.timeout(30.0):
        while await call.read() is not grpc.aio.EOF:
            pass


async def test_a_drop_copy_from_too_far_back_names_the_oldest(venue: Venue) -> None:
    gateway = await venue.gateway(ring_bytes_max=1)
    client = await venue.client(gateway, await venue.key())
    session = await client.session()
    await session.send_orders(1)
    await session.private_events(1)
    venue.matching.oldest_seq = venue.matching.engine.last_seq
    fault = await fault_of(drop_copy(client, resume_after_seq=2))
    assert (fault.code.name, fault.reason) == ("OUT_OF_RANGE", "RESUME_POINT_GONE")
    assert fault.metadata["oldest_seq"] == str(venue.matching.oldest_seq)


async def test_a_drop_copy_from_the_future_is_refused(client: Client) -> None:
    fault = await fault_of(drop_copy(client, resume_after_seq=1 << 40))
    assert (fault.code.name, fault.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")


async def test_a_slow_drop_copy_is_ended_with_its_resume_point(
    venue: Venue, gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.limits.OUTBOX_MESSAGES_MAX", 4)
    key = await venue.key()
    options = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 4_096))
    slow = await venue.client(gateway, key, options=options)
    session = await (await venue.client(gateway, key)).session()
    call = drop_copy(slow)
    point = (await read(call)).last_seq
    for _ in range(50):
        await churn(session, 200)
    fault = await fault_of(call)
    assert (fault.code.name, fault.reason) == ("RESOURCE_EXHAUSTED", "SLOW_CONSUMER")
    assert int(fault.metadata["last_seq"]) >= point


@pytest.mark.parametrize("kind", ["balances", "drop copy"])
async def test_drains_and_revoked_keys_end_streams_by_name(venue: Venue, kind: str) -> None:
    def open_stream(client: Client) -> Any:
        if kind == "drop copy":
            return drop_copy(client)
        request = wallet_pb2.StreamBalancesRequest()
        return wallet(client).StreamBalances(request, metadata=client.metadata)

    stopping = await venue.gateway()
    client = await venue.client(stopping, await venue.key())
    revoked = await venue.client(stopping, await venue.key())
    calls = [open_stream(revoked), open_stream(client)]
    for call in calls:
        await read(call)
    await venue.store.revoke(revoked.key.key_id, 1)
    fault = await fault_of(calls[0])
    assert (fault.code.name, fault.reason) == ("UNAUTHENTICATED", "KEY_REVOKED")
    stopping.stop.set()
    fault = await fault_of(calls[1])
    assert (fault.code.name, fault.reason) == ("UNAVAILABLE", "DRAINING")


async def test_a_drop_copy_does_not_notice_a_failover(venue: Venue, client: Client) -> None:
    call = drop_copy(client)
    await read(call)
    await venue.matching.fail_over()
    session = None
    while session is None or not session.first.HasField("established"):
        session = await client.session()
    await session.send_orders(1)
    events = await session.private_events(1)
    assert await events_from(call, 1) == events
    call.cancel()
