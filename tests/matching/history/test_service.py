"""Answers about the past are what the events told, page by page, with the sequence they hold at."""

from typing import Any

import grpc.aio
import pytest

from cambist.internal.history.v1 import history_pb2
from cambist.orders.v1 import enums_pb2, events_pb2
from runtime import rpc_errors
from tests.matching.history.conftest import History
from tests.matching.projector.journal import ACCOUNTS, MARKETS, SHARD, Journal
from tests.matching.projector.test_projector import private_events

ACCOUNT = ACCOUNTS[0]
PrivateEvent = events_pb2.PrivateEvent


def told(journal: Journal, account: int) -> list[PrivateEvent]:
    """Events of an account, newest first."""
    events = [one for one in private_events(journal.rows) if one.account_id == account]
    return sorted(events, key=lambda event: -event.account_seq)


def reports_of(journal: Journal, account: int) -> dict[int, list[PrivateEvent]]:
    """First answers about each order, oldest first."""
    found: dict[int, list[PrivateEvent]] = {}
    for event in reversed(told(journal, account)):
        report = event.execution_report
        if report.order_id and not report.repeat:
            found.setdefault(report.order_id, []).append(event)
    return found


async def fault_of(call: Any) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    fault = rpc_errors.fault_of(caught.value)
    return fault.code.name, fault.reason


async def pages(history: History, method: str, request: Any, items: str) -> list[PrivateEvent]:
    """All pages, each checked against the size asked for."""
    found: list[PrivateEvent] = []
    while True:
        answer = await getattr(history.stub, method)(request)
        page = [PrivateEvent.FromString(raw) for raw in getattr(answer, items)]
        assert answer.projected_seq == history.journal.tail.last_seq
        assert len(page) == request.page_size or not answer.more
        found += page
        if not answer.more:
            return found
        if items == "orders":
            request.before_order_id = page[-1].execution_report.order_id
        else:
            request.before_account_seq = page[-1].account_seq


async def test_every_order_is_found_by_either_id_with_its_last_report(history: History) -> None:
    for order_id, events in reports_of(history.journal, ACCOUNT).items():
        by_id = await history.stub.GetOrder(
            history_pb2.GetOrderRequest(shard=SHARD, account_id=ACCOUNT, order_id=order_id)
        )
        entered, last = events[0].execution_report, events[-1]
        by_client_id = await history.stub.GetOrder(
            history_pb2.GetOrderRequest(
                shard=SHARD, account_id=ACCOUNT, cl_ord_id=entered.cl_ord_id
            )
        )
        assert by_id == by_client_id
        assert by_id.projected_seq == history.journal.tail.last_seq
        found = PrivateEvent.FromString(by_id.order)
        assert (found.seq, found.account_seq) == (last.seq, last.account_seq)
        report = found.execution_report
        assert report.exec_type == last.execution_report.exec_type
        # What only the first report told.
        for name in ("order_type", "time_in_force", "tag", "expire_time_ns", "quote_budget_atoms"):
            assert getattr(report, name) == getattr(entered, name)
        # What the last one told, whatever it is.
        for field, value in last.execution_report.ListFields():
            assert getattr(report, field.name) == value


async def test_a_refused_order_is_found_by_its_client_id(history: History) -> None:
    accepted = {
        events[0].execution_report.cl_ord_id
        for events in reports_of(history.journal, ACCOUNT).values()
    }
    refused = {
        event.execution_report.cl_ord_id: event
        for event in reversed(told(history.journal, ACCOUNT))
        if event.execution_report.exec_type == enums_pb2.EXEC_TYPE_REJECTED
        and not event.execution_report.repeat
        and event.execution_report.cl_ord_id not in accepted
    }
    assert refused
    for cl_ord_id, event in refused.items():
        answer = await history.stub.GetOrder(
            history_pb2.GetOrderRequest(shard=SHARD, account_id=ACCOUNT, cl_ord_id=cl_ord_id)
        )
        assert PrivateEvent.FromString(answer.order) == event


async def test_anothers_order_is_not_found(history: History) -> None:
    (order_id, *_) = reports_of(history.journal, ACCOUNT)
    request = history_pb2.GetOrderRequest(shard=SHARD, account_id=ACCOUNTS[1], order_id=order_id)
    assert await fault_of(history.stub.GetOrder(request)) == ("NOT_FOUND", "UNKNOWN_ORDER")


@pytest.mark.parametrize("market_id", [0, *MARKETS])
@pytest.mark.parametrize("page_size", [1_000, 7])
async def test_orders_come_newest_first_page_by_page(
    history: History, market_id: int, page_size: int
) -> None:
    request = history_pb2.ListOrdersRequest(
        shard=SHARD, account_id=ACCOUNT, market_id=market_id, page_size=page_size
    )
    found = await pages(history, "ListOrders", request, "orders")
    expected = {
        order_id: events[-1]
        for order_id, events in sorted(reports_of(history.journal, ACCOUNT).items(), reverse=True)
        if market_id in (0, events[0].execution_report.market_id)
    }
    assert len(expected) > 30
    assert [event.execution_report.order_id for event in found] == list(expected)
    assert [event.seq for event in found] == [event.seq for event in expected.values()]


@pytest.mark.parametrize("market_id", [0, *MARKETS])
@pytest.mark.parametrize("page_size", [1_000, 7])
async def test_fills_come_newest_first_as_they_were_told(
    history: History, market_id: int, page_size: int
) -> None:
    request = history_pb2.ListFillsRequest(
        shard=SHARD, account_id=ACCOUNT, market_id=market_id, page_size=page_size
    )
    expected = [
        event
        for event in told(history.journal, ACCOUNT)
        if event.execution_report.exec_type == enums_pb2.EXEC_TYPE_TRADE
        and market_id in (0, event.execution_report.market_id)
    ]
    assert len(expected) > 20
    assert await pages(history, "ListFills", request, "fills") == expected


@pytest.mark.parametrize("page_size", [1_000, 7])
async def test_prevented_matches_come_newest_first_as_they_were_told(
    history: History, page_size: int
) -> None:
    request = history_pb2.ListPreventedMatchesRequest(
        shard=SHARD, account_id=ACCOUNT, page_size=page_size
    )
    expected = [
        event for event in told(history.journal, ACCOUNT) if event.HasField("prevented_match")
    ]
    assert len(expected) > 10
    found = await pages(history, "ListPreventedMatches", request, "prevented_matches")
    assert found == expected


async def ledger(history: History, account_id: int, page_size: int) -> list[Any]:
    """All entries of an account, by pages of this size."""
    found: list[Any] = []
    request = history_pb2.ListLedgerEntriesRequest(
        shard=SHARD, account_id=account_id, page_size=page_size
    )
    while True:
        answer = await history.stub.ListLedgerEntries(request)
        assert answer.projected_seq == history.journal.tail.last_seq
        assert len(answer.entries) == page_size or not answer.more
        found += answer.entries
        if not answer.more:
            return found
        request.after.CopyFrom(answer.entries[-1].place)


async def test_a_ledger_comes_to_the_balance_by_entries_told_once_newest_first(
    history: History,
) -> None:
    for account_id in ACCOUNTS:
        found = await ledger(history, account_id, 1_000)
        places = [(-one.place.account_seq, one.place.part) for one in found]
        assert places == sorted(set(places))
        assert await ledger(history, account_id, 7) == found
        assert await ledger(history, account_id, 1) == found
        sums: dict[int, int] = {}
        for one in found:
            sums[one.asset_id] = sums.get(one.asset_id, 0) + int(one.amount_atoms)
        posted = await history.database.read(
            "select asset_id, sum(atoms) as atoms, count(*) as count from history.postings "
            "where shard = $1 and account_id = $2 and atoms <> 0 group by asset_id",
            SHARD,
            account_id,
        )
        assert sums == {row["asset_id"]: int(row["atoms"]) for row in posted}
        assert len(found) == sum(row["count"] for row in posted)
        assert len(found) > 20
        times = [one.time_ns for one in found]
        assert times == sorted(times, reverse=True)
        # Of fills, and of money in its kinds.
        assert {one.place.part for one in found if not one.money_kind} == {0, 1, 2}
        assert any(one.money_kind for one in found)


async def test_what_happens_later_is_told_later(history: History) -> None:
    before = history.journal.tail.last_seq
    request = history_pb2.ListFillsRequest(shard=SHARD, account_id=ACCOUNT, page_size=1)
    assert (await history.stub.ListFills(request)).projected_seq == before
    await history.add(40)
    after = await history.stub.ListFills(request)
    assert after.projected_seq == history.journal.tail.last_seq > before
    assert PrivateEvent.FromString(after.fills[0]).seq > before


async def test_an_account_without_a_past_has_empty_pages(history: History) -> None:
    for method in ("ListOrders", "ListFills", "ListPreventedMatches", "ListLedgerEntries"):
        request = getattr(history_pb2, f"{method}Request")
        answer = await getattr(history.stub, method)(
            request(shard=SHARD, account_id=99_999, page_size=10)
        )
        assert answer.projected_seq == history.journal.tail.last_seq
        assert [field.name for field, _ in answer.ListFields()] == ["projected_seq"]


BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "another shard": ("ListOrders", {"shard": 2}, "WRONG_SHARD"),
    "no page size": ("ListOrders", {"page_size": 0}, "INVALID_PAGE_SIZE"),
    "a page of 1,001": ("ListFills", {"page_size": 1_001}, "INVALID_PAGE_SIZE"),
    "a huge page": ("ListPreventedMatches", {"page_size": 2**32 - 1}, "INVALID_PAGE_SIZE"),
    "no page of a ledger": ("ListLedgerEntries", {"page_size": 0}, "INVALID_PAGE_SIZE"),
    "no id": ("GetOrder", {}, "INVALID_ID"),
    "both ids": ("GetOrder", {"order_id": 1, "cl_ord_id": bytes(16)}, "INVALID_ID"),
    "a short id": ("GetOrder", {"cl_ord_id": bytes(15)}, "INVALID_ID"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
async def test_a_bad_question_is_named(
    history: History, case: tuple[str, dict[str, Any], str]
) -> None:
    method, fields, reason = case
    values: dict[str, Any] = {"shard": SHARD, "account_id": ACCOUNT}
    if method != "GetOrder":
        values["page_size"] = 10
    request = getattr(history_pb2, f"{method}Request")(**{**values, **fields})
    call = getattr(history.stub, method)(request)
    assert await fault_of(call) == ("INVALID_ARGUMENT", reason)


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**64 - 1])
async def test_the_largest_numbers_are_only_numbers(history: History, number: int) -> None:
    orders = await history.stub.ListOrders(
        history_pb2.ListOrdersRequest(
            shard=SHARD, account_id=ACCOUNT, before_order_id=number, page_size=1
        )
    )
    assert len(orders.orders) == 1
    entries = await history.stub.ListLedgerEntries(
        history_pb2.ListLedgerEntriesRequest(
            shard=SHARD,
            account_id=ACCOUNT,
            after=history_pb2.LedgerPlace(account_seq=number, part=2**32 - 1),
            page_size=1,
        )
    )
    assert len(entries.entries) == 1
    for account_id, order_id in ((number, 1), (ACCOUNT, number)):
        request = history_pb2.GetOrderRequest(shard=SHARD, account_id=account_id, order_id=order_id)
        assert await fault_of(history.stub.GetOrder(request)) == ("NOT_FOUND", "UNKNOWN_ORDER")
