"""Bad input in an order session: each has a name, changes nothing, and the session lives on."""

import grpc
import grpc.aio
import pytest

from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2, service_pb2
from gateway import limits
from tests.gateway.venue import (
    ACCOUNT,
    CANCEL,
    FOREIGN_ACCOUNT,
    MARKET,
    ORDER,
    Client,
    Reason,
    RunningGateway,
    SessionClient,
    Venue,
    body_of,
    fresh_id,
    new_order,
    orders_body,
    resolve_body,
)

GOOD = new_order().SerializeToString()


def command(payload: bytes) -> bytes:
    """A batch body with one NewOrder of these bytes."""
    inner = b"\x0a" + varint(len(payload)) + payload
    return b"\x0a" + varint(len(inner)) + inner


def varint(value: int) -> bytes:
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


async def lives_on(session: SessionClient, first_seq_no: int = 1) -> None:
    """The numbers of what was refused are free: a good batch with them is applied."""
    await session.send_batch(ORDER, first_seq_no, 2, orders_body(2))
    for event in await session.private_events(2):
        assert event.execution_report.exec_type == enums_pb2.EXEC_TYPE_NEW


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        pytest.param(b"\x0a\x05\x0a", "MALFORMED_TRUNCATED", 1, id="truncated"),
        pytest.param(
            command(GOOD + b"\xc8\x3e\x01"), "MALFORMED_UNKNOWN_FIELD", 1_001, id="unknown"
        ),
        pytest.param(command(GOOD + b"\x10\x07"), "MALFORMED_DUPLICATE_FIELD", 2, id="duplicate"),
        pytest.param(command(GOOD + b"\x12\x01a"), "MALFORMED_WRONG_WIRE_TYPE", 2, id="wire type"),
        pytest.param(
            command(new_order(side=99).SerializeToString()),
            "MALFORMED_UNKNOWN_ENUM_VALUE",
            4,
            id="unknown enum",
        ),
        pytest.param(
            command(new_order(cl_ord_id=b"short").SerializeToString()),
            "MALFORMED_BAD_LENGTH",
            1,
            id="short id",
        ),
        pytest.param(
            command(new_order(cl_ord_id=b"").SerializeToString()),
            "MALFORMED_BAD_LENGTH",
            1,
            id="no id",
        ),
        pytest.param(b"\x0a\x00", "MALFORMED_EMPTY_COMMAND", 0, id="empty command"),
        pytest.param(b"", "MALFORMED_COUNT_MISMATCH", 0, id="no command"),
        pytest.param(orders_body(2), "MALFORMED_COUNT_MISMATCH", 0, id="two for one"),
        pytest.param(resolve_body(), "MALFORMED_WRONG_CLASS", 11, id="wrong class"),
        pytest.param(
            body_of(
                request_withdrawal=commands_pb2.RequestWithdrawal(
                    request_id=fresh_id(), account_id=ACCOUNT
                )
            ),
            "MALFORMED_BAD_LENGTH",
            None,
            id="string too short",
        ),
    ],
)
async def test_malformed_commands_are_named_and_change_nothing(
    venue: Venue, client: Client, body: bytes, reason: str, field: int | None
) -> None:
    session = await client.session()
    before = venue.matching.engine.last_seq
    await session.send_batch(ORDER, 1, 1, body)
    refused = await session.read_kind("batch_refused")
    assert (refused.reason, refused.command_class) == (reason, ORDER)
    assert (refused.first_seq_no, refused.count) == (1, 1)
    if field is not None:
        assert refused.field == field
    assert venue.matching.engine.last_seq == before
    await lives_on(session)


async def test_the_command_at_fault_is_pointed_at(client: Client) -> None:
    session = await client.session()
    body = orders_body(2) + command(GOOD + b"\x10\x07") + orders_body(1)
    await session.send_batch(ORDER, 1, 4, body)
    assert (await session.read_kind("batch_refused")).index == 2


async def test_bad_utf8_is_named(client: Client) -> None:
    session = await client.session()
    text = commands_pb2.RequestWithdrawal(
        request_id=fresh_id(),
        account_id=ACCOUNT,
        destination="somewhere",
    )
    body = body_of(request_withdrawal=text).replace(b"somewhere", b"some\xffhere")
    await session.send_batch(ORDER, 1, 1, body)
    assert (await session.read_kind("batch_refused")).reason == "MALFORMED_BAD_UTF8"
    await lives_on(session)


@pytest.mark.parametrize(
    ("command_class", "count", "size", "reason"),
    [
        (ORDER, limits.BATCH_COMMANDS_MAX + 1, 10, "BATCH_TOO_LARGE"),
        (ORDER, 1, limits.BATCH_BYTES_MAX + 1, "BATCH_TOO_LARGE"),
        (ORDER, 2**32 - 1, 10, "BATCH_TOO_LARGE"),
        (CANCEL, limits.BATCH_COMMANDS_MAX + 1, 10, "BATCH_TOO_LARGE"),
        (ORDER, 0, 10, "MALFORMED_COUNT_MISMATCH"),
        (enums_pb2.COMMAND_CLASS_UNARY, 1, 10, "MALFORMED_WRONG_CLASS"),
        (enums_pb2.COMMAND_CLASS_SYSTEM, 1, 10, "MALFORMED_WRONG_CLASS"),
        (enums_pb2.COMMAND_CLASS_UNSPECIFIED, 1, 10, "MALFORMED_WRONG_CLASS"),
        (77, 1, 10, "MALFORMED_WRONG_CLASS"),
    ],
)
async def test_batches_that_cannot_be_are_refused_at_the_door(
    client: Client, command_class: int, count: int, size: int, reason: str
) -> None:
    session = await client.session()
    await session.send_batch(command_class, 1, count, bytes(size))
    refused = await session.read_kind("batch_refused")
    assert (refused.reason, refused.count, refused.retry_after_ms) == (reason, count, 0)
    await lives_on(session)


@pytest.mark.parametrize("first_seq_no", [0, 2**63 - 1, 2**64 - 1])
async def test_numbers_out_of_range_are_named(client: Client, first_seq_no: int) -> None:
    session = await client.session()
    await session.send_batch(ORDER, first_seq_no, 1, orders_body(1))
    assert (await session.read_kind("batch_refused")).reason == "MALFORMED_BAD_ENVELOPE"
    await lives_on(session)


async def test_a_message_that_is_none_is_named(client: Client) -> None:
    session = client.raw_stream()
    await session.open(await client.negotiate())
    for noise in (b"\xff\xff\xff", b"\x12\x7f", b"\x12\x02\x08"):
        await session.call.write(noise)
        assert (await session.read_kind("batch_refused")).reason == "MALFORMED_REQUEST"
    batch = service_pb2.CommandBatch(
        command_class=ORDER, first_seq_no=1, count=1, commands=orders_body(1)
    )
    request = service_pb2.OrderEntrySessionRequest(batch=batch)
    await session.call.write(request.SerializeToString())
    await session.private_events(1)


async def test_a_message_without_a_member_ends_the_connection(client: Client) -> None:
    session = await client.session()
    await session.send()
    assert (await session.ending()).reason == Reason.TERMINATE_REASON_PROTOCOL_ERROR
    again = await client.session()
    assert again.established.connection == 2


async def test_an_oversized_message_costs_the_stream_and_not_the_session(client: Client) -> None:
    session = await client.session()
    await session.send_orders(1)
    await session.private_events(1)
    await session.send_batch(ORDER, 2, 1, bytes(5 * limits.MEBIBYTE))
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await session.call.read()
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    again = await client.session()
    assert again.established.last_order_seq_no == 1
    await lives_on(again, first_seq_no=2)


async def test_a_gap_is_named_and_what_follows_waits_for_it(client: Client) -> None:
    session = await client.session()
    await session.send_batch(ORDER, 3, 1, orders_body(1))
    (event,) = await session.session_events("not_applied")
    gap = event.not_applied
    assert (gap.command_class, gap.from_seq_no, gap.count) == (ORDER, 1, 2)
    assert not gap.reason
    await lives_on(session)


async def test_a_resent_batch_is_answered_with_repeats(client: Client) -> None:
    session = await client.session()
    body = orders_body(2)
    await session.send_batch(ORDER, 1, 2, body)
    first = await session.private_events(2)
    await session.send_batch(ORDER, 1, 2, body)
    again = await session.private_events(2)
    for event, repeat in zip(first, again, strict=True):
        assert repeat.execution_report.repeat
        assert repeat.execution_report.first_answer_seq == event.seq
        assert repeat.execution_report.order_id == event.execution_report.order_id


async def test_a_reused_id_with_another_body_is_refused(client: Client) -> None:
    session = await client.session()
    identifier = fresh_id()
    for price in (100, 101):
        order = new_order(cl_ord_id=identifier, price_ticks=price)
        await session.send_body(ORDER, body_of(new_order=order), 1)
    _, refusal = await session.private_events(2)
    assert refusal.execution_report.reject_reason == enums_pb2.REJECT_REASON_ID_REUSED


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"price_ticks": 0}, enums_pb2.REJECT_REASON_INVALID_PRICE),
        ({"price_ticks": -1}, enums_pb2.REJECT_REASON_INVALID_PRICE),
        ({"price_ticks": 2**53 + 1}, enums_pb2.REJECT_REASON_INVALID_PRICE),
        ({"quantity_lots": 0}, enums_pb2.REJECT_REASON_INVALID_QUANTITY),
        ({"quantity_lots": 2**63 - 1}, enums_pb2.REJECT_REASON_INVALID_QUANTITY),
        (
            {"price_ticks": 2**53, "quantity_lots": 2**53},
            enums_pb2.REJECT_REASON_INSUFFICIENT_FUNDS,
        ),
        ({"market_id": MARKET + 999}, enums_pb2.REJECT_REASON_UNKNOWN_MARKET),
        ({"market_id": 2 << 16 | 1}, enums_pb2.REJECT_REASON_WRONG_SHARD),
        ({"sent_time_ns": 1}, enums_pb2.REJECT_REASON_STALE),
        ({"sent_time_ns": 2**62}, enums_pb2.REJECT_REASON_SENT_TIME_AHEAD),
    ],
)
async def test_an_order_that_cannot_be_is_rejected_in_the_session(
    client: Client, fields: dict[str, int], reason: int
) -> None:
    session = await client.session()
    await session.send_orders(1, **fields)
    (event,) = await session.private_events(1)
    assert event.execution_report.exec_type == enums_pb2.EXEC_TYPE_REJECTED
    assert event.execution_report.reject_reason == reason
    await session.send_orders(1)
    (event,) = await session.private_events(1)
    assert event.execution_report.exec_type == enums_pb2.EXEC_TYPE_NEW


@pytest.mark.parametrize(
    ("account_id", "reason"),
    [
        (FOREIGN_ACCOUNT, enums_pb2.REJECT_REASON_ACCOUNT_NOT_PERMITTED),
        (999_999, enums_pb2.REJECT_REASON_UNKNOWN_ACCOUNT),
        (1, enums_pb2.REJECT_REASON_UNKNOWN_ACCOUNT),
    ],
)
async def test_an_account_of_somebody_else_is_refused_in_the_session(
    client: Client, account_id: int, reason: int
) -> None:
    session = await client.session()
    order = new_order(account_id=account_id)
    await session.send_body(ORDER, body_of(new_order=order), 1)
    events = await session.session_events("refused")
    refused = next(event.refused for event in events if event.HasField("refused"))
    assert refused == events_pb2.CommandRefused(
        command_class=ORDER,
        seq_no=1,
        id=order.cl_ord_id,
        reason=enums_pb2.RejectReason.ValueType(reason),
    )
    await lives_on(session, first_seq_no=2)


async def test_a_market_off_the_list_of_the_key_is_refused(
    venue: Venue, gateway: RunningGateway
) -> None:
    client = await venue.client(gateway, await venue.key(market_ids=(MARKET,)))
    session = await client.session()
    await session.send_orders(1, market_id=MARKET + 1)
    (event,) = await session.private_events(1)
    reason = event.execution_report.reject_reason
    assert reason == enums_pb2.REJECT_REASON_MARKET_NOT_PERMITTED
