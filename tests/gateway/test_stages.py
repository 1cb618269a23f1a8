"""What is measured of every batch, and traces of orders that other processes find again."""

import pytest

from cambist.orders.v1 import service_pb2
from gateway.stages import GatewayStages
from runtime import telemetry
from runtime.clock import SystemClock
from runtime.order_traces import context_of
from runtime.settings import TelemetrySettings
from runtime.stages import COUNTER_NAME, StageMeter
from runtime.telemetry import Telemetry
from tests.gateway.venue import ORDER, Venue, new_order, until

MEASURED = TelemetrySettings(exporter="memory", trace_sample_ratio=0.5)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Telemetry:
    """What the gateways of a test measure with."""
    started = telemetry.start(MEASURED, service="gateway")
    stages = GatewayStages(StageMeter(started.meter), started.orders, SystemClock())
    monkeypatch.setattr("gateway.server.stages_of", lambda _unused: stages)
    return started


def counted(measured: Telemetry) -> dict[str, int]:
    return {
        str((point.attributes or {})["stage"]): int(getattr(point, "value", 0))
        for point in measured.metric_points(COUNTER_NAME)
    }


async def until_delivered(measured: Telemetry, count: int) -> None:
    """A client may have read an answer before the gateway's write has returned."""

    async def is_so() -> bool:
        return counted(measured).get("delivered") == count

    await until(is_so)


async def test_commands_of_sessions_are_counted_when_received_and_when_delivered(
    venue: Venue, measured: Telemetry
) -> None:
    session = await (await venue.client(await venue.gateway(), await venue.key())).session()
    for count in (3, 4):
        await session.send_orders(count)
        await session.private_events(count)
    await until_delivered(measured, 7)
    assert counted(measured) == {"received": 7, "delivered": 7}


async def test_traced_orders_have_the_ids_that_follow_from_their_number(
    venue: Venue, measured: Telemetry
) -> None:
    client = await venue.client(await venue.gateway(), await venue.key())
    negotiated = await client.negotiate()
    session = await client.establish(negotiated)
    await session.send_orders(4)
    await session.private_events(4)
    await until_delivered(measured, 4)
    spans = measured.finished_spans()
    roots = {span.context.span_id for span in spans if span.name == "received" and span.context}
    expected = [context_of(negotiated.session_id, ORDER, number) for number in range(1, 5)]
    chosen = [context for context in expected if context.span_id in roots]
    assert len(chosen) == 2
    delivered = {span.parent.span_id for span in spans if span.name == "delivered" and span.parent}
    assert delivered == roots == {context.span_id for context in chosen}


async def test_unary_commands_are_counted_too(venue: Venue, measured: Telemetry) -> None:
    client = await venue.client(await venue.gateway(), await venue.key())
    request = service_pb2.NewOrderRequest(order=new_order())
    await client.orders.NewOrder(request, metadata=client.metadata)
    assert counted(measured) == {"received": 1, "delivered": 1}
