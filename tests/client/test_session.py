"""The session over real gRPC against a gateway that breaks where told."""

import asyncio
from collections.abc import Callable

import pytest

from cambist.client import (
    Accepted,
    ApiKey,
    Canceled,
    CancelReason,
    Client,
    Event,
    InvalidInput,
    Rejected,
    RejectReason,
    SessionEnded,
    TimeInForce,
    Unknown,
)
from cambist.client.events import Refused
from cambist.orders.v1 import service_pb2
from tests.fakes.scripted_gateway import ScriptedGateway
from tests.fakes.venue_model import ACCOUNT


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - the model behind it tells nobody
            await asyncio.sleep(0.01)


FAULTS = ["cut", "swallow", "twice", "cut before established"]


async def test_order_is_accepted_and_cancelled(client: Client) -> None:
    market = await client.market("BTC-USDT")
    async with client.session("a") as session:
        order = await session.new_order(market, "buy", "0.5", "100.25")
        assert (order.price_ticks, order.quantity_lots) == (10025, 50000)
        canceled = await session.cancel(order)
    assert canceled.cl_ord_id == order.cl_ord_id
    assert canceled.reason is CancelReason.REQUESTED


async def test_refusal_is_rejected_with_its_name_and_the_session_lives(client: Client) -> None:
    market = await client.market("BTC-USDT")
    async with client.session("a") as session:
        with pytest.raises(Rejected, match="INVALID_QUANTITY") as caught:
            await session.new_order(market, "buy", "0", "100")
        assert isinstance(caught.value.answer, Refused)
        order = await session.new_order(market, "sell", "1", "100")
        assert order.order_id


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("position", range(3))
async def test_nothing_is_lost_or_doubled_when_a_connection_breaks(
    client: Client, gateway: ScriptedGateway, fault: str, position: int
) -> None:
    market = await client.market("BTC-USDT")
    events: list[Event] = []
    async with client.session("a", on_event=events.append) as session:
        gateway.faults.extend([""] * position + [fault])
        orders = [await session.new_order(market, "buy", "1", str(100 + i)) for i in range(4)]
        await session.cancel(orders[0])
    assert set(gateway.venue.applied.values()) == {1}
    assert len(gateway.venue.applied) == 5
    numbers = [event.account_seq for event in events]
    assert numbers == list(range(1, gateway.venue.account_seq + 1))


@pytest.mark.parametrize("seed", range(6))
async def test_many_orders_survive_a_run_of_faults(
    client: Client, gateway: ScriptedGateway, seed: int
) -> None:
    market = await client.market("BTC-USDT")
    events: list[Event] = []
    faults = ["", "swallow", "", "cut", "twice", "swallow", "cut before established", "", "cut"]
    async with client.session("a", on_event=events.append, batch_commands=7) as session:
        gateway.faults.extend(faults[seed:] + faults[:seed])
        requests = [session.make_order(market, "buy", "1", str(100 + i)) for i in range(200)]
        futures = await session.submit_all(requests)
        answers = await asyncio.gather(*futures)
    assert [type(answer) for answer in answers] == [Accepted] * 200
    assert [getattr(answer, "cl_ord_id", None) for answer in answers] == [r.id for r in requests]
    assert set(gateway.venue.applied.values()) == {1}
    numbers = [event.account_seq for event in events]
    assert numbers == list(range(1, gateway.venue.account_seq + 1))


async def test_what_waits_goes_out_together(client: Client, gateway: ScriptedGateway) -> None:
    market = await client.market("BTC-USDT")
    gateway.venue.max_in_flight = 2000
    async with client.session("a") as session:
        requests = [session.make_order(market, "buy", "1", "100") for _ in range(600)]
        await asyncio.gather(*await session.submit_all(requests))
    assert gateway.batch_sizes == [256, 256, 88]


async def test_orders_leave_credit_to_cancels(client: Client, gateway: ScriptedGateway) -> None:
    market = await client.market("BTC-USDT")
    gateway.is_answering.set()
    async with client.session("a") as session:
        first = await session.new_order(market, "buy", "1", "100")
        gateway.is_answering.clear()
        requests = [session.make_order(market, "buy", "1", "100") for _ in range(100)]
        futures = await session.submit_all(requests)
        cancel = await session.submit(session.make_cancel(first))
        await until(lambda: first.cl_ord_id not in gateway.venue.open_orders)
        assert len(gateway.venue.applied) < 102
        gateway.is_answering.set()
        await asyncio.gather(cancel, *futures)


async def test_unanswered_commands_are_bounded(client: Client, gateway: ScriptedGateway) -> None:
    market = await client.market("BTC-USDT")
    async with client.session("a", unanswered_max=5) as session:
        gateway.is_answering.clear()
        for _ in range(5):
            await session.submit(session.make_order(market, "buy", "1", "100"))
        request = session.make_order(market, "buy", "1", "100")
        assert session.try_submit(request) is None
        waiting = asyncio.create_task(session.submit(request))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        gateway.is_answering.set()
        assert isinstance(await (await waiting), Accepted)


async def test_cancel_overtakes_an_order_that_still_waits(
    client: Client, gateway: ScriptedGateway
) -> None:
    market = await client.market("BTC-USDT")
    async with client.session("a") as session:
        gateway.batch_refusals.append(
            service_pb2.BatchRefused(reason="RATE_LIMITED", retry_after_ms=200)
        )
        request = session.make_order(market, "buy", "1", "100")
        order = await session.submit(request)
        await until(lambda: not (gateway.batch_refusals))
        with pytest.raises(Rejected, match="UNKNOWN_ORDER"):
            await session.cancel(request)
        answer = await order
    assert isinstance(answer, Refused)
    assert answer.reason is RejectReason.BURNT
    assert not gateway.venue.open_orders


async def test_malformed_command_fails_alone(client: Client, gateway: ScriptedGateway) -> None:
    market = await client.market("BTC-USDT")
    async with client.session("a") as session:
        gateway.batch_refusals.append(
            service_pb2.BatchRefused(reason="MALFORMED_OUT_OF_RANGE", index=1, field=11)
        )
        requests = [session.make_order(market, "buy", "1", str(100 + i)) for i in range(3)]
        results = await asyncio.gather(*await session.submit_all(requests), return_exceptions=True)
    assert isinstance(results[1], InvalidInput)
    assert [type(result) for result in (results[0], results[2])] == [Accepted, Accepted]
    assert requests[1].id not in gateway.venue.applied


async def test_taken_over_session_ends_and_says_what_is_unknown(
    client: Client, gateway: ScriptedGateway
) -> None:
    market = await client.market("BTC-USDT")
    async with client.session("a") as session:
        gateway.is_answering.clear()
        future = await session.submit(session.make_order(market, "buy", "1", "100"))
        await until(lambda: bool(gateway.venue.applied))
        reason = service_pb2.TERMINATE_REASON_TAKEN_OVER
        outbox = gateway.outboxes[-1]
        while not outbox.empty():
            outbox.get_nowait()
        end = service_pb2.Terminate(reason=reason)
        outbox.put_nowait(service_pb2.OrderEntrySessionResponse(terminate=end))
        gateway.is_answering.set()
        answer: object
        try:
            answer = await future
        except Unknown as error:
            answer = error
        assert isinstance(answer, Unknown | Accepted)
        await until(lambda: session.ended is not None)
        with pytest.raises(SessionEnded, match="TAKEN_OVER"):
            await session.new_order(market, "buy", "1", "100")


async def test_unknown_session_is_negotiated_again(
    client: Client, gateway: ScriptedGateway
) -> None:
    market = await client.market("BTC-USDT")
    async with client.session("a") as session:
        await session.new_order(market, "buy", "1", "100")
        reason = service_pb2.TERMINATE_REASON_UNKNOWN_SESSION
        gateway.refusals.append(service_pb2.Terminate(reason=reason))
        gateway.faults.append("cut")
        await session.new_order(market, "buy", "1", "100")
    assert gateway.negotiations == 2


async def test_refused_session_gives_up_with_the_reason(
    client: Client, gateway: ScriptedGateway
) -> None:
    reason = service_pb2.TERMINATE_REASON_REFUSED
    gateway.refusals.extend([service_pb2.Terminate(reason=reason, text="CAPACITY")] * 6)
    with pytest.raises(SessionEnded, match="CAPACITY"):
        await client.session("a").open()


async def test_session_goes_on_at_another_gateway(gateway: ScriptedGateway, key: ApiKey) -> None:
    other = ScriptedGateway(gateway.venue, key)
    endpoints = [f"127.0.0.1:{gateway.port}", await other.start()]
    async with (
        Client.connect(endpoints, key) as client,
        client.session("a") as session,
    ):
        market = await client.market("BTC-USDT")
        await session.new_order(market, "buy", "1", "100")
        await gateway.stop()
        await session.new_order(market, "buy", "1", "101")
    await other.stop()
    assert set(gateway.venue.applied.values()) == {1}
    assert other.batch_sizes == [1]


async def test_drained_gateway_is_left_at_once(client: Client, gateway: ScriptedGateway) -> None:
    market = await client.market("BTC-USDT")
    async with client.session("a") as session:
        await session.new_order(market, "buy", "1", "100")
        away = service_pb2.GoAway(reason="DRAINING", deadline_ms=60_000)
        gateway.outboxes[-1].put_nowait(service_pb2.OrderEntrySessionResponse(go_away=away))
        await until(lambda: not (session.statistics.connections < 2))
        await session.new_order(market, "buy", "1", "100")


async def test_resume_point_that_is_gone_gives_open_orders_and_answers(
    client: Client, gateway: ScriptedGateway
) -> None:
    market = await client.market("BTC-USDT")
    events: list[Event] = []
    async with client.session("a", on_event=events.append) as session:
        await session.new_order(market, "buy", "1", "100")
        gateway.venue.forget_rows()
        gateway.faults.append("swallow")
        order = await session.new_order(market, "buy", "1", "101", time_in_force=TimeInForce.IOC)
        assert order.order_id == 2
    assert set(gateway.venue.applied.values()) == {1}


async def test_outcome_that_nobody_can_tell_is_unknown(
    client: Client, gateway: ScriptedGateway
) -> None:
    market = await client.market("BTC-USDT")
    async with client.session("a") as session:
        gateway.is_answering.clear()
        future = await session.submit(session.make_order(market, "buy", "0", "100"))
        await until(lambda: bool(gateway.venue.applied))
        gateway.venue.forget_rows()
        gateway.venue.forget_keys()
        gateway.outboxes[-1].get_nowait() if not gateway.outboxes[-1].empty() else None
        gateway.outboxes[-1].put_nowait(None)
        gateway.is_answering.set()
        answer: object
        try:
            answer = await future
        except Unknown as error:
            answer = error
        # Either the answer was on its way before the cut, or nobody can tell any more.
        assert isinstance(answer, Unknown | Refused)


async def test_timeout_is_unknown_and_resolve_tells(
    client: Client, gateway: ScriptedGateway
) -> None:
    market = await client.market("BTC-USDT")
    async with client.session("a") as session:
        gateway.is_answering.clear()
        with pytest.raises(Unknown) as caught:
            await session.new_order(market, "buy", "1", "100", timeout_seconds=0.05)
        gateway.is_answering.set()
        resolved = await session.resolve(caught.value)
    assert resolved.state.name == "OPEN"
    assert resolved.id == caught.value.id


async def test_events_reach_an_iterator_and_end_with_the_session(client: Client) -> None:
    market = await client.market("BTC-USDT")
    session = await client.session("a")
    events = session.events()
    order = await session.new_order(market, "buy", "1", "100")
    await session.cancel(order)
    await session.close()
    told = [type(event) async for event in events]
    assert told == [Accepted, Canceled]


async def test_goodbye_says_whether_the_session_is_over(
    client: Client, gateway: ScriptedGateway
) -> None:
    session = await client.session("a")
    await session.close()
    session = await client.session("a")
    await session.close(forget=True)
    assert gateway.goodbyes == [
        service_pb2.TERMINATE_REASON_FINISHED,
        service_pb2.TERMINATE_REASON_SESSION_OVER,
    ]


async def test_commands_that_were_never_sent_are_unavailable_at_the_end(
    client: Client, gateway: ScriptedGateway
) -> None:
    market = await client.market("BTC-USDT")
    session = await client.session("a")
    gateway.is_answering.clear()
    requests = [session.make_order(market, "buy", "1", "100") for _ in range(100)]
    futures = await session.submit_all(requests)
    await asyncio.sleep(0.2)
    await session.close()
    gateway.is_answering.set()
    results = await asyncio.gather(*futures, return_exceptions=True)
    names = [type(result).__name__ for result in results]
    assert set(names) == {"Unknown", "Unavailable"}
    unavailable = [r.id for r, name in zip(requests, names, strict=True) if name == "Unavailable"]
    assert not set(unavailable) & set(gateway.venue.applied)


async def test_account_must_be_named_when_there_are_several(client: Client) -> None:
    async with client.session("a") as session:
        assert session.account_ids == (ACCOUNT,)
        session._driver.account_ids = (ACCOUNT, ACCOUNT + 1)
        with pytest.raises(InvalidInput, match="ACCOUNT_NOT_NAMED"):
            session.make_mass_cancel()
