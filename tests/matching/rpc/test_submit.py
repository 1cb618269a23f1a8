"""Links: hello, refusals, progress, loss; what is queued comes back as committed rows."""

import asyncio

import grpc
import pytest

from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2
from matching.limits import MESSAGE_ENVELOPES_MAX
from tests.matching.shard import (
    ACCOUNT,
    SHARD,
    Link,
    Shard,
    established,
    new_order,
    private_events,
    session_envelope,
    session_events,
    system_envelope,
    unary_envelope,
)


async def test_a_link_is_welcomed_with_epoch_and_released_sequence(market: Shard) -> None:
    status = await market.status()
    link = Link(market.stub.SubmitCommands(), 5)
    welcome = await link.hello()
    assert (welcome.epoch, welcome.released_seq) == (status.epoch, status.released_seq)
    assert welcome.epoch == 1


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        (matching_pb2.Hello(link_id=5, shard=SHARD + 1), "WRONG_SHARD"),
        (matching_pb2.Hello(link_id=0, shard=SHARD), "BAD_LINK_ID"),
        (None, "NO_HELLO"),
    ],
)
async def test_a_wrong_hello_ends_the_link_with_its_reason(
    shard: Shard, hello: matching_pb2.Hello | None, reason: str
) -> None:
    call = shard.stub.SubmitCommands()
    request = (
        matching_pb2.SubmitCommandsRequest(submit=matching_pb2.Submit(number=1))
        if hello is None
        else matching_pb2.SubmitCommandsRequest(hello=hello)
    )
    await call.write(request)
    assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason in str(dict(await call.trailing_metadata()))


async def test_two_links_cannot_have_one_id(shard: Shard) -> None:
    await shard.link(7)
    call = shard.stub.SubmitCommands()
    hello = matching_pb2.Hello(link_id=7, shard=SHARD)
    await call.write(matching_pb2.SubmitCommandsRequest(hello=hello))
    assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_order_comes_back_committed_with_the_times_of_its_stages(market: Shard) -> None:
    before = (await market.status()).released_seq
    link = await market.link()
    await link.send(unary_envelope(new_order()))
    assert (await link.read()).progress.number == 1
    (row,) = await market.rows(before + 1, before + 1)
    (event,) = private_events(row)
    assert event.execution_report.exec_type == enums_pb2.EXEC_TYPE_NEW
    assert event.seq == before + 1
    assert 0 < event.received_ns <= row.matched_ns <= row.durable_ns
    assert event.sequenced_ns == row.time_ns


async def test_a_malformed_envelope_is_refused_by_number_and_changes_nothing(
    market: Shard,
) -> None:
    before = await market.status()
    link = await market.link()
    order = new_order()
    order.new_order.cl_ord_id = b"short"
    await link.send(unary_envelope(order))
    await link.send(b"\xff")
    answers = [await link.read()]
    while answers[-1].progress.number < 2:
        answers.append(await link.read())
    first, second = (answer.refused for answer in answers if answer.HasField("refused"))
    assert (first.number, second.number) == (1, 2)
    assert first.reason == matching_pb2.MALFORMED_REASON_BAD_LENGTH
    assert first.field == 1
    assert second.reason == matching_pb2.MALFORMED_REASON_TRUNCATED
    # The link goes on.
    await link.send(unary_envelope(new_order()))
    status = await market.until_released(before.released_seq + 1)
    assert status.released_seq == before.released_seq + 1


async def test_a_large_envelope_is_checked_too(market: Shard) -> None:
    link = await market.link()
    commands = [new_order() for _ in range(999)]
    commands.append(commands_pb2.Command())
    await link.send(session_envelope(3, 1, commands))
    answer = (await link.read()).refused
    assert answer.reason == matching_pb2.MALFORMED_REASON_EMPTY_COMMAND
    assert answer.index == 999


async def test_envelopes_of_one_message_are_each_taken_as_if_they_had_come_alone(
    market: Shard,
) -> None:
    before = await market.status()
    link = await market.link()
    envelopes = [unary_envelope(new_order()), b"\xff", unary_envelope(new_order())]
    submit = matching_pb2.Submit(number=1, envelope=envelopes[0], more_envelopes=envelopes[1:])
    await link.call.write(matching_pb2.SubmitCommandsRequest(submit=submit))
    answers = [await link.read()]
    while answers[-1].progress.number < 3:
        answers.append(await link.read())
    assert [one.refused.number for one in answers if one.HasField("refused")] == [2]
    await market.until_released(before.released_seq + 2)
    link.number = 3
    await link.send(unary_envelope(new_order()))
    await market.until_released(before.released_seq + 3)


async def test_a_message_with_too_many_envelopes_ends_the_link(shard: Shard) -> None:
    link = await shard.link()
    submit = matching_pb2.Submit(number=1, more_envelopes=[b""] * MESSAGE_ENVELOPES_MAX)
    await link.call.write(matching_pb2.SubmitCommandsRequest(submit=submit))
    assert await link.call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_envelopes_are_numbered_without_gaps(shard: Shard) -> None:
    link = await shard.link()
    link.number = 1
    await link.send(unary_envelope(new_order()))
    assert await link.call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_session_trades_and_is_lost_with_its_link(market: Shard) -> None:
    link = await market.link(99)
    await link.send(system_envelope(established(5, 99, 1234)))
    seq = (await market.status()).released_seq
    await market.until_released(seq)
    orders = [new_order(100 + index) for index in range(10)]
    await link.send(session_envelope(5, 1, orders))
    status = await market.until_released(seq + 10)
    (row,) = await market.rows(status.released_seq, status.released_seq, account_ids=[ACCOUNT])
    assert len(private_events(row)) == 10
    link.call.cancel()
    lost = await market.until_released(status.released_seq + 1)
    (row,) = await market.rows(lost.released_seq, lost.released_seq, session_ids=[5])
    (event,) = session_events(row, 5)
    assert event.HasField("dropped")


async def test_a_link_that_ends_cleanly_is_lost_too(market: Shard) -> None:
    before = (await market.status()).released_seq
    link = await market.link()
    await link.call.done_writing()
    assert await link.call.code() is grpc.StatusCode.OK
    await market.until_released(before + 1)


async def test_what_is_sent_by_many_links_gets_dense_numbers(market: Shard) -> None:
    before = (await market.status()).released_seq
    links = [await market.link() for _ in range(4)]

    async def push(link: Link) -> None:
        for _ in range(50):
            await link.send(unary_envelope(new_order()))

    await asyncio.gather(*(push(link) for link in links))
    await market.until_released(before + 200)
    rows = await market.rows(before + 1, before + 200)
    assert [row.first_seq for row in rows] == [
        before + 1,
        *(row.last_seq + 1 for row in rows[:-1]),
    ]
    assert rows[-1].last_seq == before + 200
    assert sum(len(private_events(row)) for row in rows) == 200
