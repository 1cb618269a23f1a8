"""A shard at work: timers, a full inbox, cancels under load, traces, migration, a clean end."""

import asyncio
import secrets

import grpc
import grpc.aio
import pytest

from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2
from matching.sequencer.inbox import Room
from matching.sequencer.sequencer import Gauges
from matching.server import check_admin_address, migrate, open_database, start_shard
from runtime import telemetry
from runtime.errors import ConfigurationError
from runtime.settings import PostgresSettings, TelemetrySettings
from runtime.stages import StageMeter
from tests.matching.shard import (
    ACCOUNT,
    CANCEL,
    KIND,
    SECONDS,
    Link,
    Shard,
    blocked,
    established,
    new_order,
    now_ns,
    private_events,
    running,
    session_envelope,
    settings,
    system_envelope,
    unary_envelope,
    until,
)

MILLISECOND_NS = 1_000_000


async def test_an_order_expires_by_itself_when_nothing_else_comes(market: Shard) -> None:
    before = (await market.status()).released_seq
    link = await market.link()
    order = new_order()
    order.new_order.time_in_force = enums_pb2.TIME_IN_FORCE_GTD
    order.new_order.expire_time_ns = now_ns() + 300 * MILLISECOND_NS
    await link.send(unary_envelope(order))
    rows = await market.rows(before + 1, before + 2)
    reports = [event.execution_report for row in rows for event in private_events(row)]
    assert [report.exec_type for report in reports] == [
        enums_pb2.EXEC_TYPE_NEW,
        enums_pb2.EXEC_TYPE_EXPIRED,
    ]
    assert rows[-1].time_ns >= order.new_order.expire_time_ns
    assert rows[-1].time_ns - order.new_order.expire_time_ns < 5_000 * MILLISECOND_NS


async def open_session(shard: Shard, session_id: int) -> Link:
    link = await shard.link()
    before = (await shard.status()).released_seq
    await link.send(system_envelope(established(session_id, link.link_id, 1)))
    await shard.until_released(before + 1)
    return link


async def test_a_full_inbox_stops_orders_and_lets_cancels_through(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(
        postgres_settings, inbox_commands_max=1_000, batch_commands_max=100, commit_seconds=60.0
    )
    room = Room.of(1_000)
    async with running(chosen) as shard:
        await shard.create_market()
        orders, cancels = await open_session(shard, 5), await open_session(shard, 6)
        before = (await shard.status()).released_seq

        async def push() -> None:
            for index in range(300):
                commands = [new_order() for _ in range(10)]
                await orders.send(session_envelope(5, 1 + index * 10, commands))

        async with blocked(postgres_settings):
            pushing = asyncio.create_task(push())

            async def is_full() -> bool:
                return bool((await shard.status()).inbox_commands == room.orders)

            await until(is_full)
            cancel = commands_pb2.Command(
                mass_cancel=commands_pb2.MassCancel(
                    request_id=secrets.token_bytes(16), account_id=ACCOUNT, sent_time_ns=now_ns()
                )
            )
            number = await cancels.send(session_envelope(6, 1, [cancel], command_class=CANCEL))
            # Queued, though orders are not.
            async with asyncio.timeout(SECONDS):
                while (await cancels.read()).progress.number < number:
                    pass
            assert (await shard.status()).inbox_commands == room.orders + 1
        await pushing
        status = await shard.until_released(before + 3_001)
        assert status.inbox_commands == 0
        rows = await shard.rows(before + 1, before + 3_001)
        reports = [event.execution_report for row in rows for event in private_events(row)]
        accepted = [r for r in reports if r.exec_type == enums_pb2.EXEC_TYPE_NEW]
        assert len({report.cl_ord_id for report in accepted}) == 3_000
        # The cancel waited behind the one batch that was applied already, not behind the inbox.
        (seq,) = {
            event.seq
            for row in rows
            for event in private_events(row)
            if event.HasField("mass_cancel_report")
        }
        assert seq < before + 200


async def test_batches_grow_while_a_commit_is_on_its_way(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(settings(postgres_settings, commit_seconds=60.0)) as shard:
        await shard.create_market()
        link = await shard.link()
        before = (await shard.status()).released_seq
        async with blocked(postgres_settings):
            for _ in range(100):
                await link.send(unary_envelope(new_order()))

            async def all_wait() -> bool:
                status = await shard.status()
                return bool(status.applied_seq - before + status.inbox_commands == 100)

            await until(all_wait)
        rows = await shard.rows(before + 1, before + 100)
        # What came while the first was committed is one batch.
        assert len(rows) <= 3
        assert rows[-1].last_seq == before + 100


async def test_a_batch_links_to_the_orders_that_are_traced(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings)
    measured = telemetry.start(
        TelemetrySettings(exporter="memory", trace_sample_ratio=1.0), service="matching"
    )
    gauges = Gauges(StageMeter(measured.meter), measured.tracer, measured.orders)
    database = await open_database(chosen)
    shard = await start_shard(chosen, database, KIND, gauges)
    stop, ready = asyncio.Event(), asyncio.Event()
    running_term = asyncio.create_task(shard.term.run(stop, ready.set))
    await asyncio.wait_for(ready.wait(), SECONDS)
    address = f"127.0.0.1:{shard.server.port}"
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.stream_stream(
            "/cambist.internal.matching.v1.MatchingService/SubmitCommands",
            request_serializer=matching_pb2.SubmitCommandsRequest.SerializeToString,
            response_deserializer=matching_pb2.SubmitCommandsResponse.FromString,
        )()
        link = Link(call, 5)
        await link.hello()
        await link.send(session_envelope(7, 1, [new_order(), new_order()]))

        async def is_traced() -> bool:
            return len([s for s in measured.finished_spans() if s.name == "durable"]) >= 2

        await until(is_traced)
    stop.set()
    await running_term
    await shard.stop()
    await database.close()
    spans = measured.finished_spans()
    batch = next(span for span in spans if span.name == "batch" and span.links)
    orders = {link.context.trace_id for link in batch.links}
    assert len(orders) == 2
    for stage in ("sequenced", "matched", "durable"):
        of_stage = {span.context.trace_id for span in spans if span.name == stage and span.context}
        assert orders <= of_stage
    points = measured.metric_points("cambist.stage.commands")
    assert {point.attributes["stage"] for point in points if point.attributes} >= {
        "sequenced",
        "matched",
        "durable",
    }
    measured.stop()


async def test_migrating_twice_at_once_and_again_changes_nothing(
    postgres_settings: PostgresSettings,
) -> None:
    both = await asyncio.gather(*(migrate(postgres_settings, (1, 2), "test") for _ in range(2)))
    assert min(len(applied) for applied in both) == 0
    assert any(applied for applied in both)
    assert await migrate(postgres_settings, (1, 2), "test") == []


async def test_the_end_releases_the_lease_and_finishes_the_batch_at_hand(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings, lease_seconds=60.0, lease_renewal_seconds=10.0)
    for _ in range(2):
        # A lease that were kept would hold the second start up for a minute.
        async with running(chosen) as shard:
            await shard.create_market()
            assert (await shard.status()).role == matching_pb2.ROLE_PRIMARY


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        ("127.0.0.1:0", True),
        ("[::1]:0", True),
        ("localhost:0", True),
        ("0.0.0.0:7002", False),
        ("10.0.0.1:7002", False),
        ("matching:7002", False),
    ],
)
def test_operators_without_certificates_come_over_the_loopback_only(
    postgres_settings: PostgresSettings, address: str, is_taken: bool
) -> None:
    chosen = settings(postgres_settings).model_copy(update={"admin_address": address})
    if is_taken:
        check_admin_address(chosen)
    else:
        with pytest.raises(ConfigurationError, match="certificate"):
            check_admin_address(chosen)
