"""Questions about orders: open ones from the feed, closed ones and the past from the history."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest

from cambist.internal.history.v1 import history_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2, service_pb2
from cambist.query.v1 import query_pb2, query_pb2_grpc
from runtime import rpc_errors
from tests.fakes.history import FakeHistory
from tests.gateway.venue import (
    ACCOUNT,
    MARKET,
    SECOND_ACCOUNT,
    Client,
    Venue,
    fresh_id,
    new_order,
    status_of,
    until,
)


@pytest.fixture
async def history() -> AsyncIterator[FakeHistory]:
    fake = FakeHistory()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def client(venue: Venue, history: FakeHistory) -> Client:
    """A client of a gateway that has a history service."""
    assert history.server is not None
    endpoint = f"1=127.0.0.1:{history.server.port}"
    return await venue.client(await venue.gateway(history_endpoints=endpoint), await venue.key())


async def ask(client: Client, method: str, *, seconds: float = 10.0, **fields: Any) -> Any:
    stub: Any = query_pb2_grpc.OrderQueryServiceStub(client.channel)
    request = getattr(query_pb2, method + "Request")(account_id=ACCOUNT, **fields)
    return await getattr(stub, method)(request, metadata=client.metadata, timeout=seconds)


async def place(client: Client, **fields: Any) -> events_pb2.PrivateEvent:
    request = service_pb2.NewOrderRequest(order=new_order(**fields))
    response = await client.orders.NewOrder(request, metadata=client.metadata)
    answer: events_pb2.PrivateEvent = response.answer
    return answer


def past(account_seq: int, **fields: Any) -> bytes:
    """An event of the past."""
    report = events_pb2.ExecutionReport(order_id=account_seq * 10, **fields)
    event = events_pb2.PrivateEvent(account_seq=account_seq, execution_report=report)
    return event.SerializeToString()


async def test_an_open_order_is_found_by_either_id(venue: Venue, client: Client) -> None:
    placed = await place(client, tag=7)
    report = placed.execution_report
    for fields in ({"order_id": report.order_id}, {"cl_ord_id": report.cl_ord_id}):
        found = await ask(client, "GetOrder", as_of_seq=placed.seq, **fields)
        assert found.open
        assert found.as_of_seq >= placed.seq
        assert found.order.execution_report.cl_ord_id == report.cl_ord_id
        assert found.order.execution_report.leaves_lots == 5
    assert venue.matching.engine.last_seq >= placed.seq


async def test_a_closed_order_comes_from_the_history(client: Client, history: FakeHistory) -> None:
    history.projected_seq = 1_000_000
    history.order = past(9, exec_type=enums_pb2.EXEC_TYPE_CANCELED)
    found = await ask(client, "GetOrder", order_id=90)
    assert (found.open, found.as_of_seq) == (False, 1_000_000)
    assert found.order.execution_report.exec_type == enums_pb2.EXEC_TYPE_CANCELED
    question: history_pb2.GetOrderRequest = history.asked[-1]
    assert (question.account_id, question.order_id) == (ACCOUNT, 90)


async def test_an_order_closed_a_moment_ago_is_found_when_the_history_has_caught_up(
    venue: Venue, client: Client, history: FakeHistory
) -> None:
    question = asyncio.create_task(ask(client, "GetOrder", order_id=90))

    async def is_asked() -> bool:
        return bool(history.asked)

    await until(is_asked)
    assert not question.done()
    history.order, history.projected_seq = past(9), venue.matching.engine.last_seq
    assert (await question).order.execution_report.order_id == 90


async def test_an_unknown_order_is_not_found_up_to_a_sequence(
    client: Client, history: FakeHistory
) -> None:
    history.projected_seq = 1_000_000
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await ask(client, "GetOrder", cl_ord_id=fresh_id())
    fault = rpc_errors.fault_of(error.value)
    assert (fault.code.name, fault.reason) == ("NOT_FOUND", "UNKNOWN_ORDER")
    assert fault.metadata["as_of_seq"] == "1000000"


async def test_a_sequence_that_does_not_come_ends_with_the_deadline(
    venue: Venue, client: Client, history: FakeHistory
) -> None:
    ahead = venue.matching.engine.last_seq + 10
    early = ask(client, "GetOrder", seconds=2.0, order_id=1, as_of_seq=ahead)
    assert await status_of(early) == (
        "DEADLINE_EXCEEDED",
        "AS_OF_NOT_REACHED",
    )
    history.projected_seq = 3
    present = venue.matching.engine.last_seq
    late = ask(client, "GetOrder", seconds=2.0, order_id=1, as_of_seq=present)
    assert await status_of(late) == (
        "DEADLINE_EXCEEDED",
        "AS_OF_NOT_REACHED",
    )


async def test_open_orders_come_in_pages_in_order(client: Client) -> None:
    placed = [await place(client, price_ticks=price) for price in range(90, 97)]
    await place(client, account_id=SECOND_ACCOUNT)
    found: list[int] = []
    token = ""
    for expected in (3, 3, 1):
        page = await ask(
            client, "ListOpenOrders", page_size=3, page_token=token, as_of_seq=placed[-1].seq
        )
        assert len(page.orders) == expected
        found += [event.execution_report.order_id for event in page.orders]
        token = page.next_page_token
    assert token == ""
    assert found == [event.execution_report.order_id for event in placed]


async def test_a_cancelled_order_is_open_no_more(client: Client) -> None:
    placed = await place(client)
    cancel = commands_pb2.Cancel(
        request_id=fresh_id(),
        account_id=ACCOUNT,
        order_id=placed.execution_report.order_id,
        sent_time_ns=time.time_ns(),
    )
    request = service_pb2.CancelOrderRequest(cancel=cancel)
    done = await client.orders.CancelOrder(request, metadata=client.metadata)
    page = await ask(client, "ListOpenOrders", as_of_seq=done.answer.seq)
    assert list(page.orders) == []


@pytest.mark.parametrize(
    ("method", "field", "token"),
    [
        ("ListOrders", "orders", "70"),
        ("ListFills", "fills", "7"),
        ("ListPreventedMatches", "prevented_matches", "7"),
    ],
)
async def test_the_past_comes_in_pages(
    client: Client, history: FakeHistory, method: str, field: str, token: str
) -> None:
    history.projected_seq, history.page, history.more = 50, (past(9), past(8), past(7)), True
    page = await ask(client, method, page_size=3)
    assert page.as_of_seq == 50
    assert [event.account_seq for event in getattr(page, field)] == [9, 8, 7]
    assert page.next_page_token == token
    history.page, history.more = (past(6),), False
    last = await ask(client, method, page_size=3, page_token=page.next_page_token)
    assert last.next_page_token == ""
    asked = history.asked[-1]
    before = asked.before_order_id if method == "ListOrders" else asked.before_account_seq
    assert (before, asked.page_size, asked.account_id) == (int(token), 3, ACCOUNT)


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("GetOrder", {}),
        ("GetOrder", {"order_id": 1, "cl_ord_id": bytes(16)}),
        ("GetOrder", {"cl_ord_id": b"short"}),
        ("ListOpenOrders", {"page_size": 1_001}),
        ("ListOpenOrders", {"page_token": "x"}),
        ("ListOpenOrders", {"page_token": "9" * 30}),
        ("ListOrders", {"page_token": "-1"}),
        ("ListFills", {"page_token": "٣"}),
        ("ListOrders", {"shard": 9}),
    ],
)
async def test_a_bad_question_is_named(client: Client, method: str, fields: dict[str, Any]) -> None:
    assert await status_of(ask(client, method, **fields)) == ("INVALID_ARGUMENT", "INVALID_FIELD")


async def test_a_history_that_is_away_is_unavailable_and_open_orders_are_not(
    client: Client, history: FakeHistory
) -> None:
    placed = await place(client)
    await history.stop()
    assert await status_of(ask(client, "ListOrders")) == ("UNAVAILABLE", "HISTORY_UNAVAILABLE")
    found = await ask(client, "GetOrder", order_id=placed.execution_report.order_id)
    assert found.order.execution_report.market_id == MARKET


async def test_without_a_history_the_past_is_unavailable(venue: Venue) -> None:
    client = await venue.client(await venue.gateway(), await venue.key())
    assert await status_of(ask(client, "ListFills")) == ("UNAVAILABLE", "HISTORY_UNAVAILABLE")
    assert await status_of(ask(client, "GetOrder", order_id=3)) == ("NOT_FOUND", "UNKNOWN_ORDER")
