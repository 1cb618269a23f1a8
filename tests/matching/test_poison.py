"""A command that stops the engine is put aside; its market is halted; the others go on."""

from dataclasses import replace

import pytest

from cambist.internal.journal.v1 import batch_pb2
from cambist.orders.v1 import enums_pb2
from matching.errors import EngineBroken
from matching.recovery import skips
from runtime import postgres, process
from runtime.settings import PostgresSettings
from tests.matching.poisonous import DEADLY_TAG, POISON_TAG, poisonous_kind
from tests.matching.shard import (
    ACCOUNT,
    KIND,
    MARKET,
    OTHER,
    Shard,
    end,
    established,
    new_order,
    private_events,
    running,
    session_envelope,
    session_events,
    settings,
    start,
    system_envelope,
    system_events,
    unary_envelope,
)


async def open_session(shard: Shard, link_id: int = 99) -> object:
    link = await shard.link(link_id)
    before = (await shard.status()).released_seq
    await link.send(system_envelope(established(5, link_id, 1)))
    await shard.until_released(before + 1)
    return link


async def test_the_culprit_is_refused_and_the_others_of_its_batch_are_carried_out(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings)
    async with running(chosen, poisonous_kind()) as shard:
        await shard.create_market()
        link = await open_session(shard)
        before = (await shard.status()).released_seq
        orders = [new_order() for _ in range(10)]
        orders[4].new_order.tag = POISON_TAG
        await link.send(session_envelope(5, 1, orders))  # type: ignore[attr-defined]
        status = await shard.until_released(before + 10)
        rows = await shard.rows(before + 1, before + 10)
        reports = [event.execution_report for row in rows for event in private_events(row)]
        assert [report.cl_ord_id for report in reports] == [
            order.new_order.cl_ord_id for order in orders
        ]
        reasons = [report.reject_reason for report in reports]
        assert reasons[:4] == [enums_pb2.REJECT_REASON_UNSPECIFIED] * 4
        assert reasons[4] == enums_pb2.REJECT_REASON_POISONED
        # Its market is halted, so the ones after it hear the phase.
        assert set(reasons[5:]) == {enums_pb2.REJECT_REASON_PHASE}
        noted = [
            event.poison_noted.market_id
            for row in rows
            for event in system_events(row)
            if event.HasField("poison_noted")
        ]
        assert noted == [MARKET]
        applied = [
            event.applied.first_seq_no + event.applied.count - 1
            for row in rows
            for event in session_events(row, 5)
            if event.HasField("applied")
        ]
        assert applied[-1] == 10
        assert status.role == 2
    # What was journaled replays with the same engine.
    async with running(chosen, poisonous_kind()) as again:
        assert (await again.status()).released_seq > before + 10


async def test_every_command_of_a_batch_may_be_poison(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(settings(postgres_settings), poisonous_kind()) as shard:
        await shard.create_market()
        link = await open_session(shard)
        before = (await shard.status()).released_seq
        orders = [new_order() for _ in range(5)]
        for order in orders:
            order.new_order.tag = POISON_TAG
        await link.send(session_envelope(5, 1, orders))  # type: ignore[attr-defined]
        await shard.until_released(before + 5)
        rows = await shard.rows(before + 1, before + 5)
        reports = [event.execution_report for row in rows for event in private_events(row)]
        poisoned = enums_pb2.REJECT_REASON_POISONED
        assert [report.reject_reason for report in reports] == [poisoned] * 5
        # The engine lives: other commands are carried out.
        await link.send(unary_envelope(new_order()))  # type: ignore[attr-defined]
        await shard.until_released(before + 6)


async def test_an_envelope_that_only_the_engine_finds_malformed_is_put_aside(
    postgres_settings: PostgresSettings,
) -> None:
    careless = replace(KIND, check_envelope=lambda _envelope: None)
    async with running(settings(postgres_settings), careless) as shard:
        await shard.create_market()
        before = (await shard.status()).released_seq
        link = await shard.link()
        order = new_order()
        order.new_order.cl_ord_id = b"short"
        await link.send(unary_envelope(order))
        await link.send(unary_envelope(new_order(account_id=OTHER)))
        await shard.until_released(before + 2)
        rows = await shard.rows(before + 1, before + 2)
        assert not [event for row in rows for event in private_events(row)]
        noted = [event for event in system_events(rows[0]) if event.HasField("poison_noted")]
        assert len(noted) == 1
        assert len(private_events(rows[-1], OTHER)) == 1


async def test_an_engine_that_stops_without_the_command_too_ends_the_process(
    postgres_settings: PostgresSettings,
) -> None:
    shard = await start(settings(postgres_settings), poisonous_kind())
    await shard.create_market()
    link = await shard.link()
    order = new_order()
    order.new_order.tag = DEADLY_TAG
    await link.send(unary_envelope(order))
    with pytest.raises(BaseExceptionGroup) as caught:
        await shard.task
    assert isinstance(process.root_of(caught.value), EngineBroken)
    with pytest.raises(BaseExceptionGroup):
        await end(shard)


async def test_a_journaled_command_is_put_aside_when_an_operator_asked_for_it(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings)
    async with running(chosen) as shard:
        await shard.create_market()
        before = (await shard.status()).released_seq
        link = await shard.link()
        order = new_order()
        order.new_order.tag = POISON_TAG
        await link.send(unary_envelope(new_order()))
        await link.send(unary_envelope(order))
        await link.send(unary_envelope(new_order()))
        await shard.until_released(before + 3)
    poisonous = poisonous_kind()
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - what is inside is looked at
        await start(chosen, poisonous)
    stopped = process.root_of(caught.value)
    assert isinstance(stopped, EngineBroken)
    database = await postgres.connect(postgres_settings, application_name="test")
    row = await database.read_row(
        "select seq from (select first_seq as seq, bytes from journal.commands"
        " order by first_seq) c where position($1::bytea in bytes) > 0",
        order.new_order.cl_ord_id,
    )
    assert row is not None
    found = await database.read_row(
        "select bytes from journal.commands where first_seq = $1", row[0]
    )
    assert found is not None
    seq = row[0]
    for envelope in batch_pb2.Batch.FromString(found[0]).envelopes:
        if order.new_order.cl_ord_id in envelope.commands:
            break
        seq += envelope.count
    await skips.ask(database, 1, seq, "an operator")
    async with running(chosen, poisonous) as again:
        head = (await again.status()).released_seq
        link = await again.link()
        await link.send(unary_envelope(new_order()))
        await again.until_released(head + 1)
        (last,) = await again.rows(head + 1, head + 1, account_ids=[ACCOUNT])
        (event,) = private_events(last)
        # The market was halted when the command was put aside.
        assert event.execution_report.reject_reason == enums_pb2.REJECT_REASON_PHASE
    noted = await database.read_row(
        "select compared_after_seq, asked_by from journal.skipped_commands"
    )
    assert noted is not None
    assert noted[0] >= before + 3
    assert noted[1] == "an operator"
    # From now on it is always put aside, and what comes after is compared again.
    async with running(chosen, poisonous) as third:
        assert (await third.status()).released_seq > head
    await database.close()
