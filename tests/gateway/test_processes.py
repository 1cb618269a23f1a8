"""The gateway over real processes: Postgres, matching, projector, two gateways."""

import signal
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from cambist.drop_copy.v1 import drop_copy_pb2, drop_copy_pb2_grpc
from cambist.orders.v1 import enums_pb2, events_pb2, service_pb2
from cambist.query.v1 import query_pb2, query_pb2_grpc
from tests.gateway.test_endings import establish_soon
from tests.gateway.venue import (
    ORDER,
    Client,
    Key,
    SessionClient,
    log_on,
    new_order,
    orders_body,
    until,
)
from venue import engines
from venue.flow.definitions import MARKETS, FirmPlan, firms
from venue.setup import create_venue
from venue.stack import MATCHING, Stack, StackPlan

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
MARKET = MARKETS[0]


@dataclass
class Running:
    """A venue of processes with one firm and its key."""

    stack: Stack
    firm: FirmPlan
    key: Key

    async def client(self, index: int) -> Client:
        """Logged on at one of the gateways."""
        channel = grpc.aio.insecure_channel(
            self.stack.endpoints[index],
            options=[("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)],
        )
        return Client(channel, await log_on(channel, self.key), self.key)

    def orders(self, count: int, **fields: Any) -> bytes:
        """A body of orders that rest."""
        return orders_body(count, **self.fields(**fields))

    def fields(self, **fields: Any) -> dict[str, Any]:
        """Fields of an order on the first market."""
        values = {
            "account_id": self.firm.account_ids[0],
            "market_id": MARKET.market_id,
            "price_ticks": MARKET.middle_ticks,
            "quantity_lots": 5,
        }
        return {**values, **fields}


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    (firm,) = firms(1)
    with tempfile.TemporaryDirectory(prefix="cambist-gateway-") as folder:
        plan = StackPlan(Path(folder), gateway_count=2, engine=engines.sizes().engine)
        async with Stack(plan) as stack:
            await create_venue(stack, [firm])
            key = Key("key-of-the-firm")
            await stack.create_key(firm.firm_id, key.key_id, key.public_bytes.hex())
            yield Running(stack, firm, key)


async def test_an_order_is_traded_told_and_found_again_everywhere(running: Running) -> None:
    client = await running.client(0)
    other = await running.client(1)
    maker, taker = running.firm.account_ids[1:3]
    copies: Any = drop_copy_pb2_grpc.DropCopyServiceStub(other.channel)
    copy = copies.StreamPrivateEvents(
        drop_copy_pb2.StreamPrivateEventsRequest(account_ids=[maker]), metadata=other.metadata
    )
    assert (await copy.read()).snapshot
    request = service_pb2.NewOrderRequest(
        order=new_order(**running.fields(account_id=maker, side=enums_pb2.SIDE_SELL))
    )
    resting = (await client.orders.NewOrder(request, metadata=client.metadata)).answer
    session = await client.session()
    await session.send_body(ORDER, running.orders(1, account_id=taker), 1)
    events = await session.private_events(3)
    kinds = {event.execution_report.exec_type for event in events}
    assert kinds == {enums_pb2.EXEC_TYPE_NEW, enums_pb2.EXEC_TYPE_TRADE}
    # The drop copy on the other gateway.
    told: list[events_pb2.PrivateEvent] = []
    while len(told) < 2:
        told += events_pb2.PrivateEvents.FromString((await copy.read()).private_events).events
    assert [event.execution_report.exec_type for event in told] == [
        enums_pb2.EXEC_TYPE_NEW,
        enums_pb2.EXEC_TYPE_TRADE,
    ]
    copy.cancel()
    # Closed orders and fills out of the projector's history, from the other gateway.
    queries: Any = query_pb2_grpc.OrderQueryServiceStub(other.channel)
    order_id = resting.execution_report.order_id
    found = await queries.GetOrder(
        query_pb2.GetOrderRequest(account_id=maker, order_id=order_id, as_of_seq=events[-1].seq),
        metadata=other.metadata,
        timeout=30.0,
    )
    assert (found.open, found.order.execution_report.leaves_lots) == (False, 0)
    fills = await queries.ListFills(
        query_pb2.ListFillsRequest(account_id=maker), metadata=other.metadata
    )
    assert [fill.execution_report.order_id for fill in fills.fills] == [order_id]


async def read_numbers(session: SessionClient, count: int) -> list[int]:
    """Account sequences of so many events."""
    return [event.account_seq for event in await session.private_events(count)]


async def test_a_session_goes_on_at_another_gateway_when_its_own_is_killed(
    running: Running,
) -> None:
    client, other = await running.client(0), await running.client(1)
    negotiated = await client.negotiate()
    session = await client.establish(negotiated)
    body = running.orders(20)
    await session.send_batch(ORDER, 1, 20, body)
    batch = await session.read_kind("events")
    numbers = [
        event.account_seq
        for event in events_pb2.PrivateEvents.FromString(batch.private_events).events
    ]
    # Of the second batch the client hears nothing: its gateway dies.
    unheard = running.orders(20)
    await session.send_batch(ORDER, 21, 20, unheard)
    running.stack.processes.kill(running.stack.gateways[0].name)
    again = await other.establish(negotiated, resume_after_seq=batch.last_seq)
    assert again.established.connection == 2
    await again.send_batch(ORDER, 21, 20, unheard)
    reports: list[events_pb2.PrivateEvent] = []
    while len({event.execution_report.cl_ord_id for event in reports}) < 20:
        reports += await again.private_events(1)
    numbers += [event.account_seq for event in reports]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    accepted = [event for event in reports if not event.execution_report.repeat]
    assert len(accepted) == 20


async def test_sessions_open_again_when_matching_was_killed(running: Running) -> None:
    client = await running.client(0)
    negotiated = await client.negotiate()
    session = await client.establish(negotiated)
    body = running.orders(10)
    await session.send_batch(ORDER, 1, 10, body)
    before = await session.private_events(10)
    stack = running.stack
    stack.processes.kill(MATCHING)
    stack.start_matching()
    await stack.wait_serving(MATCHING, stack.matching_health_port)

    async def is_open() -> bool:
        return (await establish_soon(client, negotiated)).established.last_order_seq_no == 10

    await until(is_open, 60.0)
    again = await client.establish(negotiated)
    await again.send_batch(ORDER, 1, 10, body)
    repeats = await again.private_events(10)
    assert [event.execution_report.order_id for event in repeats] == [
        event.execution_report.order_id for event in before
    ]
    assert all(event.execution_report.repeat for event in repeats)


async def test_a_gateway_that_is_told_to_stop_ends_by_itself(running: Running) -> None:
    client = await running.client(0)
    session = await client.session()
    process = running.stack.processes.running[running.stack.gateways[0].name]
    process.send(signal.SIGTERM)
    goodbye = await session.read_kind("go_away")
    assert goodbye.deadline_ms == 500

    async def is_gone() -> bool:
        return not process.is_running

    await until(is_gone, 30.0)
    assert process.popen.returncode == 0
    del running.stack.processes.running[running.stack.gateways[0].name]
