"""Life of an order session: opening, answering, taking over, ending."""

import pytest

from cambist.internal.journal.v1 import system_pb2
from cambist.orders.v1 import enums_pb2, events_pb2, service_pb2
from gateway import limits
from tests.gateway.venue import (
    ACCOUNT,
    CANCEL,
    FOREIGN_ACCOUNT,
    ORDER,
    OTHER_FIRM,
    SECOND_ACCOUNT,
    Client,
    Reason,
    RunningGateway,
    Venue,
    resolve_body,
    status_of,
)


async def test_order_is_answered_in_its_session(client: Client) -> None:
    session = await client.session()
    assert session.established.connection == 1
    await session.send_orders(3)
    events = await session.private_events(3)
    assert [event.execution_report.exec_type for event in events] == [enums_pb2.EXEC_TYPE_NEW] * 3
    assert [event.account_seq for event in events] == [2 + 1, 2 + 2, 2 + 3]


async def test_established_tells_what_the_client_may_send(client: Client) -> None:
    established = (await client.session()).established
    assert established.max_in_flight == limits.IN_FLIGHT_COMMANDS_MAX
    assert established.batch_commands_max == limits.BATCH_COMMANDS_MAX
    assert established.batch_bytes_max == limits.BATCH_BYTES_MAX
    assert established.seq > 0
    assert established.time_ns > 0
    assert not established.HasField("previous_end")


async def test_every_row_tells_numbers_taken_and_the_resume_point(client: Client) -> None:
    session = await client.session()
    await session.send_orders(2)
    batch = await session.read_kind("events")
    assert (batch.last_order_seq_no, batch.last_cancel_seq_no) == (2, 0)
    assert batch.last_seq >= batch.first_seq > session.established.seq
    assert batch.remaining_in_flight == limits.IN_FLIGHT_COMMANDS_MAX
    assert 0 < batch.matched_ns <= batch.durable_ns
    applied = [
        event.applied
        for event in events_pb2.SessionEvents.FromString(batch.session_events).events
        if event.HasField("applied")
    ]
    assert applied == [events_pb2.BatchApplied(command_class=ORDER, first_seq_no=1, count=2)]


async def test_both_classes_have_numbers_of_their_own(client: Client) -> None:
    session = await client.session()
    await session.send_orders(1)
    await session.send_body(CANCEL, resolve_body(), 1)
    await session.private_events(2)
    await session.terminate(Reason.TERMINATE_REASON_FINISHED)
    assert (await session.ending()).reason == Reason.TERMINATE_REASON_FINISHED
    again = await client.session()
    assert again.established.last_order_seq_no == 1
    assert again.established.last_cancel_seq_no == 1


async def test_a_second_connection_takes_the_session_over(client: Client) -> None:
    negotiated = await client.negotiate()
    first = await client.establish(negotiated)
    second = await client.establish(negotiated)
    assert second.established.connection == 2
    assert (await first.ending()).reason == Reason.TERMINATE_REASON_TAKEN_OVER
    await second.send_orders(1)
    await second.private_events(1)


async def test_a_session_is_taken_over_from_another_gateway(venue: Venue) -> None:
    key = await venue.key()
    one = await venue.client(await venue.gateway(), key)
    other = await venue.client(await venue.gateway(), key)
    negotiated = await one.negotiate()
    first = await one.establish(negotiated)
    second = await other.establish(negotiated)
    assert second.established.connection == 2
    assert (await first.ending()).reason == Reason.TERMINATE_REASON_TAKEN_OVER


async def test_a_session_that_is_over_starts_from_the_first_number(client: Client) -> None:
    negotiated = await client.negotiate()
    session = await client.establish(negotiated)
    await session.send_orders(4)
    await session.private_events(4)
    await session.terminate(Reason.TERMINATE_REASON_SESSION_OVER)
    assert (await session.ending()).reason == Reason.TERMINATE_REASON_SESSION_OVER
    again = await client.establish(negotiated)
    assert (again.established.connection, again.established.last_order_seq_no) == (1, 0)


async def test_the_engine_hears_of_a_client_that_hangs_up(venue: Venue, client: Client) -> None:
    session = await client.session()
    session.call.cancel()
    lost = await venue.matching.system_command("session_lost")
    assert lost.connection == session.established.connection
    assert not lost.by_client


@pytest.mark.parametrize(
    ("reason", "command"),
    [
        (Reason.TERMINATE_REASON_FINISHED, "session_lost"),
        (Reason.TERMINATE_REASON_SESSION_OVER, "session_ended"),
    ],
)
async def test_the_engine_hears_who_took_leave(
    venue: Venue, client: Client, reason: service_pb2.TerminateReason.ValueType, command: str
) -> None:
    session = await client.session()
    await session.terminate(reason)
    assert (await session.ending()).reason == reason
    told = await venue.matching.system_command(command)
    assert told.connection == session.established.connection
    assert command == "session_ended" or told.by_client


async def test_the_engine_hears_of_a_client_that_says_nothing_more(
    venue: Venue, client: Client
) -> None:
    session = await client.session()
    await session.call.done_writing()
    assert (await session.ending()).reason == Reason.TERMINATE_REASON_FINISHED
    await venue.matching.system_command("session_lost")


async def test_terms_of_the_client_and_rights_of_the_key_reach_the_engine(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key(scopes=frozenset({"CANCEL"}), account_ids=(SECOND_ACCOUNT,))
    client = await venue.client(gateway, key)
    await client.session(
        cancel_on_disconnect=enums_pb2.CANCEL_ON_DISCONNECT_ON_DISCONNECT, cod_window_ms=2_500
    )
    command: system_pb2.SessionEstablished = await venue.matching.system_command(
        "session_established"
    )
    assert not command.may_trade
    assert list(command.account_ids) == [SECOND_ACCOUNT]
    assert command.window_ms == 2_500
    assert command.cancel_on_disconnect == enums_pb2.CANCEL_ON_DISCONNECT_ON_DISCONNECT


async def test_a_key_for_markets_elsewhere_may_trade_nothing_here(
    venue: Venue, gateway: RunningGateway
) -> None:
    client = await venue.client(gateway, await venue.key(market_ids=(9 << 16 | 1,)))
    await client.session()
    command = await venue.matching.system_command("session_established")
    assert not command.may_trade


async def test_the_same_name_finds_the_same_session(client: Client) -> None:
    first, again = await client.negotiate("a"), await client.negotiate("a")
    assert first == again
    assert list(first.account_ids) == [ACCOUNT, SECOND_ACCOUNT]
    assert (await client.negotiate("b")).session_id != first.session_id


async def test_other_accounts_make_a_new_version_and_end_the_old_one(client: Client) -> None:
    negotiated = await client.negotiate()
    session = await client.establish(negotiated)
    narrower = await client.negotiate(account_ids=[SECOND_ACCOUNT])
    assert narrower.session_id == negotiated.session_id
    assert narrower.session_version == negotiated.session_version + 1
    assert (await session.ending()).reason == Reason.TERMINATE_REASON_UNKNOWN_SESSION
    refused = await client.establish(negotiated)
    assert refused.refusal.reason == Reason.TERMINATE_REASON_UNKNOWN_SESSION


@pytest.mark.parametrize(
    ("fields", "code", "reason"),
    [
        ({"shard": 2}, "INVALID_ARGUMENT", "INVALID_FIELD"),
        ({"name": ""}, "INVALID_ARGUMENT", "INVALID_FIELD"),
        ({"name": "x" * 33}, "INVALID_ARGUMENT", "INVALID_FIELD"),
        ({"account_ids": list(range(1_001))}, "INVALID_ARGUMENT", "INVALID_FIELD"),
        ({"account_ids": [FOREIGN_ACCOUNT]}, "NOT_FOUND", "UNKNOWN_ACCOUNT"),
        ({"account_ids": [1]}, "NOT_FOUND", "UNKNOWN_ACCOUNT"),
    ],
)
async def test_a_bad_negotiate_is_named(
    client: Client, fields: dict[str, object], code: str, reason: str
) -> None:
    assert await status_of(client.negotiate(**fields)) == (code, reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"keep_alive_ms": 999}, Reason.TERMINATE_REASON_PROTOCOL_ERROR),
        ({"keep_alive_ms": 60_001}, Reason.TERMINATE_REASON_PROTOCOL_ERROR),
        ({"cod_window_ms": 600_001}, Reason.TERMINATE_REASON_PROTOCOL_ERROR),
        ({"cancel_on_disconnect": 99}, Reason.TERMINATE_REASON_PROTOCOL_ERROR),
        ({"response_mode": 99}, Reason.TERMINATE_REASON_PROTOCOL_ERROR),
        ({"resume_after_seq": 1 << 40}, Reason.TERMINATE_REASON_PROTOCOL_ERROR),
        ({"session_id": 0}, Reason.TERMINATE_REASON_UNKNOWN_SESSION),
        ({"session_id": 1 << 63}, Reason.TERMINATE_REASON_UNKNOWN_SESSION),
        ({"session_id": 77}, Reason.TERMINATE_REASON_UNKNOWN_SESSION),
        ({"session_version": 2}, Reason.TERMINATE_REASON_UNKNOWN_SESSION),
    ],
)
async def test_a_bad_establish_is_refused_by_name(
    client: Client, fields: dict[str, object], reason: int
) -> None:
    session = await client.establish(await client.negotiate(), **fields)
    assert session.refusal.reason == reason


async def test_a_session_of_another_key_looks_unknown(
    venue: Venue, gateway: RunningGateway, client: Client
) -> None:
    negotiated = await client.negotiate()
    other = await venue.client(gateway, await venue.key())
    refused = await other.establish(negotiated)
    assert refused.refusal.reason == Reason.TERMINATE_REASON_UNKNOWN_SESSION


async def test_the_first_message_must_be_establish(client: Client) -> None:
    session = client.stream()
    await session.send(sequence=service_pb2.Sequence())
    assert (await session.ending()).reason == Reason.TERMINATE_REASON_PROTOCOL_ERROR


async def test_a_second_establish_on_one_stream_ends_it(client: Client) -> None:
    session = await client.session()
    await session.send(establish=service_pb2.Establish())
    assert (await session.ending()).reason == Reason.TERMINATE_REASON_PROTOCOL_ERROR


async def test_a_refusal_of_the_engine_is_told(venue: Venue, client: Client) -> None:
    negotiated = await client.negotiate()
    others = system_pb2.SessionEstablished(
        session_id=negotiated.session_id, firm_id=OTHER_FIRM, account_ids=[FOREIGN_ACCOUNT]
    )
    await venue.matching.system(system_pb2.SystemCommand(session_established=others))
    session = await client.establish(negotiated)
    assert session.refusal.reason == Reason.TERMINATE_REASON_REFUSED
    assert session.refusal.text == "DUPLICATE_ID"


async def test_session_events_only_when_asked_for(client: Client) -> None:
    session = await client.session(response_mode=service_pb2.RESPONSE_MODE_SESSION_ONLY)
    await session.send_orders(2)
    batch = await session.read_kind("events")
    assert batch.session_events
    assert not batch.private_events
