"""The image of the feed, over rows whose truth is known."""

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist import feed
from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.market_data.v1 import events_pb2 as market_data
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.feed.conftest import IMPLEMENTATIONS
from tests.feed.rows import (
    ACCOUNTS,
    MARKET,
    SHARD,
    LittleVenue,
    apply_all,
    defining_row,
    event_row,
    opened_venue,
)

Operation = tuple[str, int, enums.Side.ValueType, int, int]
Row = tuple[int, int, bytes]
OPERATIONS: st.SearchStrategy[list[Operation]] = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "cancel", "execute", "shrink", "row"]),
        st.integers(0, 1),
        st.sampled_from([enums.SIDE_BUY, enums.SIDE_SELL]),
        st.integers(1, 12),
        st.integers(1, 50),
    ),
    max_size=80,
)


def perform(venue: LittleVenue, operations: list[Operation]) -> Iterator[Row]:
    """Rows of these operations; the sides never meet, since the little venue does not match."""
    for what, which, side, price, lots in operations:
        if what == "row":
            yield venue.take_row()
        elif what == "add":
            venue.add(which, side, price if side == enums.SIDE_BUY else price + 20, lots)
        elif venue.orders and what == "cancel":
            venue.cancel(price)
        elif venue.orders and what == "execute":
            venue.execute(price, lots)
        elif venue.orders:
            venue.shrink(price, lots)
    yield venue.take_row()


def told(image: Any) -> list[Any]:
    """Everything that an image tells."""
    return [
        image.last_seq,
        image.markets,
        image.bbo(MARKET),
        image.status(MARKET),
        [image.l2(MARKET, depth) for depth in (0, 1, 3)],
        image.l3(MARKET),
        image.market_seq(MARKET),
        image.crc(MARKET),
        [image.balances(account) for account in ACCOUNTS],
        [image.open_orders(account, after, 5) for account in ACCOUNTS for after in (0, 3)],
        [image.order(account, order) for account in ACCOUNTS for order in range(1, 6)],
    ]


@given(OPERATIONS)
def test_levels_and_orders_are_those_of_the_venue(operations: list[Operation]) -> None:
    venue, image = opened_venue(), feed.Image(SHARD)
    apply_all(image, [defining_row(), *perform(venue, operations)])
    delta = market_data.L2Deltas.FromString(image.l2(MARKET, 0)).deltas[0]
    for side, levels in ((enums.SIDE_BUY, delta.bids), (enums.SIDE_SELL, delta.asks)):
        told_levels = [(row.price_ticks, row.quantity_lots, row.order_count) for row in levels]
        assert told_levels == venue.levels(side)
    assert delta.crc32 == image.crc(MARKET) == venue.crc()
    for account in ACCOUNTS:
        reports = [
            event.execution_report
            for event in events.PrivateEvents.FromString(image.open_orders(account, 0, 99)).events
        ]
        expected = {
            order_id: order.leaves_lots
            for order_id, order in venue.orders.items()
            if order.account_id == account
        }
        assert {report.order_id: report.leaves_lots for report in reports} == expected


@pytest.mark.skipif("kernel" not in IMPLEMENTATIONS, reason="the kernel is not built")
@given(OPERATIONS)
def test_kernel_and_plain_image_tell_the_same_bytes(operations: list[Operation]) -> None:
    plain = feed.Image(SHARD)
    kernel = importlib.import_module("cambist_kernel.feed").Image(SHARD)
    for row in [defining_row(), *perform(opened_venue(), operations)]:
        apply_all(plain, [row])
        apply_all(kernel, [row])
        assert told(plain) == told(kernel)


@settings(max_examples=50)
@given(before=OPERATIONS, after=OPERATIONS)
def test_snapshot_and_rows_equal_rows_alone(
    before: list[Operation], after: list[Operation]
) -> None:
    modules: list[ModuleType] = [feed]
    if "kernel" in IMPLEMENTATIONS:
        modules.append(importlib.import_module("cambist_kernel.feed"))
    for module in modules:
        venue, whole, resumed = opened_venue(), module.Image(SHARD), module.Image(SHARD)
        apply_all(whole, [defining_row(), *perform(venue, before)])
        resumed.load_snapshot(venue.snapshot())
        for row in perform(venue, after):
            apply_all(whole, [row])
            apply_all(resumed, [row])
        # The snapshot of the little venue has another phase and no money.
        assert told(whole)[4:8] == told(resumed)[4:8]
        assert told(whole)[9:] == told(resumed)[9:]


def test_image_tells_nothing_of_unknown_markets_and_accounts(implementation: ModuleType) -> None:
    image = implementation.Image(SHARD)
    assert [image.bbo(7), image.l2(7, 0), image.l3(7), image.status(7)] == [b""] * 4
    assert [image.balances(7), image.open_orders(7, 0, 10), image.order(7, 1)] == [b""] * 3
    assert (image.market_seq(7), image.crc(7), image.last_seq, image.markets) == (0, 0, 0, [])


def test_created_market_is_halted_and_empty(implementation: ModuleType) -> None:
    image = implementation.Image(SHARD)
    apply_all(image, [defining_row()])
    status = market_data.MarketStatuses.FromString(image.status(MARKET)).statuses[0]
    assert status.phase == enums.MARKET_PHASE_HALTED
    assert market_data.BestBidOffers.FromString(image.bbo(MARKET)).quotes[0].bid_lots == 0


def test_balances_are_as_of_the_last_row(implementation: ModuleType) -> None:
    image = implementation.Image(SHARD)
    venue = opened_venue()
    apply_all(image, [defining_row(), venue.take_row()])
    update = frames.BalanceUpdates.FromString(image.balances(ACCOUNTS[0])).updates[0]
    assert (update.seq, update.asset_id) == (2, 2)
    assert int.from_bytes(update.available_atoms, "little") == 10**12


def test_balances_of_zero_are_forgotten(implementation: ModuleType) -> None:
    image = implementation.Image(SHARD)
    update = frames.BalanceUpdate(seq=2, account_id=ACCOUNTS[0], asset_id=2)
    row = event_row(
        {(frames.FRAME_KIND_BALANCE, ACCOUNTS[0]): frames.BalanceUpdates(updates=[update])}
    )
    apply_all(image, [defining_row(), (2, 2, row)])
    assert image.balances(ACCOUNTS[0]) == b""


def l3_row(*public: market_data.L3Event) -> bytes:
    return event_row({(frames.FRAME_KIND_L3, MARKET): market_data.L3Events(events=public)})


def private_row(account_seq: int) -> bytes:
    event = events.PrivateEvent(seq=2, account_seq=account_seq, account_id=ACCOUNTS[0])
    container = events.PrivateEvents(events=[event])
    return event_row({(frames.FRAME_KIND_PRIVATE, ACCOUNTS[0]): container})


def l2_row(market_seq: int, crc32: int) -> bytes:
    delta = market_data.L2Delta(last_market_seq=market_seq, crc32=crc32)
    return event_row({(frames.FRAME_KIND_L2, MARKET): market_data.L2Deltas(deltas=[delta])})


ADD = market_data.L3Event(
    market_seq=1,
    action=market_data.L3_ACTION_ADD,
    public_order_id=1,
    side=enums.SIDE_BUY,
    price_ticks=5,
    quantity_lots=3,
)
DELETE = market_data.L3Event(market_seq=1, action=market_data.L3_ACTION_DELETE, public_order_id=9)
LATE = market_data.L3Event(market_seq=2, action=market_data.L3_ACTION_DELETE, public_order_id=1)
TOO_MUCH = market_data.L3Event(
    market_seq=2, action=market_data.L3_ACTION_EXECUTE, public_order_id=1, quantity_lots=4
)
FOREIGN = frames.SystemEvents(
    events=[
        frames.SystemEvent(
            market_defined=frames.MarketDefined(market=system.CreateMarket(market_id=2 << 16))
        )
    ]
)

BROKEN = [
    ("WRONG_SEQ", 3, 3, l3_row()),
    ("WRONG_SEQ", 1, 2, l3_row()),
    ("WRONG_SEQ", 2, 1, l3_row()),
    ("MARKET_GAP", 2, 2, l3_row(LATE)),
    ("MARKET_GAP", 2, 2, l2_row(1, 0)),
    ("ACCOUNT_GAP", 2, 2, private_row(2)),
    ("CRC_DIFFERS", 2, 2, l2_row(0, 7)),
    ("UNKNOWN_ORDER", 2, 2, l3_row(DELETE)),
    ("UNKNOWN_ORDER", 2, 2, l3_row(ADD, TOO_MUCH)),
    ("WRONG_SHARD", 2, 2, event_row({(frames.FRAME_KIND_SYSTEM, 0): FOREIGN})),
    ("MALFORMED", 2, 2, b""),
    ("MALFORMED", 2, 2, l3_row(ADD)[:-1]),
    ("MALFORMED", 2, 2, l3_row(ADD) + b"\0"),
]


@pytest.mark.parametrize(("reason", "first_seq", "last_seq", "row"), BROKEN)
def test_row_that_does_not_fit_is_named(
    implementation: ModuleType, reason: str, first_seq: int, last_seq: int, row: bytes
) -> None:
    image = implementation.Image(SHARD)
    apply_all(image, [defining_row()])
    with pytest.raises(implementation.FeedBroken) as broken:
        image.apply(first_seq, last_seq, row)
    assert broken.value.reason == reason
    assert image.last_seq == 1


def test_snapshot_of_another_shard_changes_nothing(implementation: ModuleType) -> None:
    image = implementation.Image(SHARD + 1)
    with pytest.raises(implementation.FeedBroken) as broken:
        image.load_snapshot(opened_venue().snapshot())
    assert broken.value.reason == "WRONG_SHARD"
    assert image.last_seq == 0


def test_bytes_that_are_no_snapshot_change_nothing(implementation: ModuleType) -> None:
    image = implementation.Image(SHARD)
    apply_all(image, [defining_row()])
    for snapshot in (b"\xff", opened_venue().snapshot()[:-1]):
        with pytest.raises(implementation.FeedBroken) as broken:
            image.load_snapshot(snapshot)
        assert broken.value.reason == "MALFORMED"
    assert image.markets == [MARKET]
