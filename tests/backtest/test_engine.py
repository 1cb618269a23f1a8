"""A backtest trades as the venue does."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.backtest import Backtest, Kind, Level, Results, Side, TimeInForce, empty_orders
from cambist.backtest.rows import Rows
from cambist.client.enums import (
    CancelReason,
    ExecType,
    MarketPhase,
    RejectReason,
    SelfTradePrevention,
)
from cambist.client.errors import InvalidInput, Rejected
from cambist.client.instruments import Asset, Market
from tests.kernel import batches

kernel = pytest.importorskip("cambist_kernel", reason="the kernel: make kernel")

# Side of the book, price, quantity.
STEP = st.tuples(st.booleans(), st.integers(90, 110), st.integers(1, 9))


class Venue:
    """A market with a maker and a taker."""

    def __init__(self) -> None:
        self.test = Backtest(start_ns=1_000)
        self.btc: Asset = self.test.asset("BTC", 8)
        self.usd: Asset = self.test.asset("USD", 2)
        self.market: Market = self.test.market(
            "BTC-USD",
            self.btc,
            self.usd,
            lot_size_atoms=1_000_000,
            tick_size_atoms=100,
            maker_fee_ppm=-100,
            taker_fee_ppm=500,
        )
        self.maker = self.test.account({self.btc: "10"})
        self.taker = self.test.account({self.usd: "1000000"})


def test_a_taker_trades_with_the_book_and_money_moves() -> None:
    venue = Venue()
    test, market = venue.test, venue.market
    order = test.limit(venue.maker, market, Side.SELL, "1.00", "65000")
    assert test.book(market).asks == (Level(Decimal("65000.00"), Decimal("1.00000000"), 1),)
    test.limit(venue.taker, market, Side.BUY, "0.40", "65001", time_in_force=TimeInForce.IOC)
    results = test.take()
    maker_fill, taker_fill = sorted(results.fills, key=lambda fill: fill["liquidity"])
    assert maker_fill["order"] == order
    assert (maker_fill["leaves_lots"], maker_fill["cum_lots"]) == (60, 40)
    assert taker_fill["account_id"] == venue.taker
    assert [int(trade["price_ticks"]) for trade in results.trades] == [65_000]
    # 26,000.00 at 500 and -100 parts per million, in cents.
    assert results.fees(results.fills) == [-260, 1_300] or results.fees(results.fills) == [
        1_300,
        -260,
    ]
    assert test.balance(venue.taker, venue.btc) == (40_000_000, 0, 0)
    assert test.balance(venue.taker, venue.usd) == (100_000_000 - 2_600_000 - 1_300, 0, 0)
    assert test.balance(venue.maker, venue.btc) == (900_000_000, 60_000_000, 0)
    assert test.balance(venue.maker, venue.usd) == (2_600_000 + 260, 0, 0)
    assert len(test.take().reports) == 0, "what was taken is gone"


def test_orders_are_amended_and_cancelled_by_their_number() -> None:
    venue = Venue()
    test, market = venue.test, venue.market
    order = test.limit(venue.maker, market, Side.SELL, "1.00", "65000")
    test.amend(venue.maker, order, price_ticks=65_010, quantity_lots=50)
    assert test.book(market).asks[0] == Level(Decimal("65010.00"), Decimal("0.50000000"), 1)
    test.cancel(venue.maker, order)
    test.cancel(venue.maker, order)
    results = test.take()
    kinds = [ExecType(kind) for kind in results.reports["exec_type"].tolist()]
    expected = ExecType.NEW, ExecType.REPLACED, ExecType.CANCELED, ExecType.REJECTED
    assert tuple(kinds) == expected
    assert results.rejected["reject_reason"].tolist() == [RejectReason.ORDER_CLOSED]
    assert results.of_type(ExecType.CANCELED)["cancel_reason"].tolist() == [CancelReason.REQUESTED]
    assert set(results.reports["order"].tolist()) == {order}


def test_a_market_order_takes_what_is_there() -> None:
    venue = Venue()
    venue.test.limit(venue.maker, venue.market, Side.SELL, "0.10", "65000", post_only=True)
    venue.test.at_market(venue.taker, venue.market, Side.BUY, "0.20")
    results = venue.test.take()
    assert results.trades["quantity_lots"].tolist() == [10]
    assert len(results.of_type(ExecType.CANCELED)) == 1


def test_orders_end_when_the_clock_says_so() -> None:
    venue = Venue()
    test, market = venue.test, venue.market
    end_ns = test.time_ns + 1_500_000_000
    gtd = TimeInForce.GTD
    test.limit(
        venue.maker, market, Side.SELL, "1", "65000", time_in_force=gtd, expire_time_ns=end_ns
    )
    test.limit(venue.maker, market, Side.SELL, "1", "65001")
    test.advance(seconds="1.499999999")
    assert len(test.book(market).asks) == 2
    test.advance(until_ns=end_ns)
    assert len(test.book(market).asks) == 1
    assert len(test.take().of_type(ExecType.EXPIRED)) == 1


def one_order(account_id: int, market_id: int, time_ns: int) -> Rows:
    rows = empty_orders(1)
    rows["time_ns"], rows["account_id"], rows["market_id"] = time_ns, account_id, market_id
    rows["order"], rows["kind"], rows["side"] = 1, Kind.LIMIT, Side.SELL
    rows["time_in_force"], rows["price_ticks"], rows["quantity_lots"] = TimeInForce.GTC, 100, 5
    return rows


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("kind", 0, "kind"),
        ("kind", 5, "kind"),
        ("side", 3, "side"),
        ("time_in_force", 99, "time_in_force"),
        ("post_only", 2, "post_only"),
        ("self_trade_prevention", 9, "self_trade_prevention"),
        ("account_id", 1, "account_id"),
        ("time_ns", 999, "time_ns"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_played(field: str, value: int, said: str) -> None:
    venue = Venue()
    good = one_order(venue.maker, venue.market.market_id, 2_000)
    bad = good.copy()
    bad[field] = value
    rows = empty_orders(2)
    rows[0], rows[1] = good[0], bad[0]
    before = venue.test.state_parts()
    with pytest.raises(InvalidInput, match=rf"BAD_ROW: row 1: {said}"):
        venue.test.play(rows)
    assert venue.test.state_parts() == before


REFUSALS: dict[str, tuple[str, Callable[[Venue], object]]] = {
    "asset twice": ("DUPLICATE_ID", lambda venue: venue.test.asset("BTC", 8)),
    "decimals": ("INVALID_PARAMETER", lambda venue: venue.test.asset("X", 31)),
    "tick": (
        "TICK_VALUE_NOT_INTEGER",
        lambda venue: venue.test.market(
            "X", venue.btc, venue.usd, lot_size_atoms=1, tick_size_atoms=1
        ),
    ),
    "amount": ("INVALID_AMOUNT", lambda venue: venue.test.deposit(venue.maker, venue.btc, 0)),
    "account": ("UNKNOWN_ACCOUNT", lambda venue: venue.test.balance(1, venue.btc)),
    "off tick": (
        "OFF_TICK",
        lambda venue: venue.test.limit(venue.maker, venue.market, Side.SELL, "1", "0.5"),
    ),
    "float": (
        "INVALID_NUMBER",
        lambda venue: venue.test.limit(venue.maker, venue.market, Side.SELL, 1.0, "1"),  # type: ignore[arg-type]
    ),
    "clock": ("BAD_TIME", lambda venue: venue.test.advance(until_ns=1)),
    "no first moment": ("BAD_TIME", lambda _: Backtest(start_ns=0)),
    "no time": ("BAD_TIME", lambda venue: venue.test.advance()),
    "layout": ("BAD_ROW", lambda venue: venue.test.play(venue.test.take().trades)),
    "window": ("BAD_ROW", lambda venue: venue.test.play(empty_orders(0), batch_ns=-1)),
    "journal": ("BAD_JOURNAL", lambda venue: venue.test.replay([b"\xff"])),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_makes_no_sense_is_refused_by_name(case: str) -> None:
    venue = Venue()
    reason, act = REFUSALS[case]
    with pytest.raises(Rejected) as refused:
        act(venue)
    assert refused.value.reason == reason


def test_the_queue_shows_who_trades_next() -> None:
    venue = Venue()
    test, market = venue.test, venue.market
    for price in "65002", "65001", "65001":
        test.limit(venue.maker, market, Side.SELL, "1", price)
    ids = test.take().reports["order_id"].tolist()
    queue = test.queue(market, Side.SELL)
    assert [resting.order_id for resting in queue] == [ids[1], ids[2], ids[0]]
    assert {(resting.account_id, resting.leaves_lots) for resting in queue} == {(venue.maker, 100)}
    assert test.queue(market, Side.BUY) == ()
    assert len(test.queue(market, Side.SELL, 2)) == 2


def test_accounts_of_a_group_do_not_trade_together() -> None:
    venue = Venue()
    pair = [venue.test.account({venue.btc: "1", venue.usd: "100000"}, group=9) for _ in range(2)]
    venue.test.limit(pair[0], venue.market, Side.SELL, "1", "65000")
    oldest = SelfTradePrevention.CANCEL_OLDEST
    venue.test.limit(pair[1], venue.market, Side.BUY, "1", "65000", self_trade_prevention=oldest)
    assert len(venue.test.take().trades) == 0
    assert len(venue.test.book(venue.market).bids) == 1
    assert venue.test.book(venue.market).asks == ()


def test_a_halted_market_takes_no_orders() -> None:
    venue = Venue()
    venue.test.phase(venue.market, MarketPhase.HALTED)
    venue.test.limit(venue.maker, venue.market, Side.SELL, "1", "65000")
    assert venue.test.take().rejected["reject_reason"].tolist() == [RejectReason.PHASE]


def test_what_is_not_wanted_is_not_kept() -> None:
    venue = Venue()
    venue.test.want(reports=False, quotes=False)
    venue.test.limit(venue.maker, venue.market, Side.SELL, "1", "65000")
    venue.test.at_market(venue.taker, venue.market, Side.BUY, "0.2")
    results = venue.test.take()
    assert (len(results.reports), len(results.trades), len(results.quotes)) == (0, 1, 0)


def test_quotes_follow_the_best_prices() -> None:
    venue = Venue()
    order = venue.test.limit(venue.maker, venue.market, Side.SELL, "1", "65000")
    venue.test.cancel(venue.maker, order)
    quotes = venue.test.take().quotes
    assert quotes["ask_price_ticks"].tolist() == [65_000, 0]
    assert quotes["ask_lots"].tolist() == [100, 0]


def test_results_become_arrow_tables() -> None:
    venue = Venue()
    venue.test.limit(venue.maker, venue.market, Side.SELL, "1", "65000")
    tables = venue.test.take().arrow()
    assert tables["reports"].num_rows == 1
    assert tables["reports"].column("price_ticks").to_pylist() == [65_000]
    assert "padding" not in tables["trades"].column_names


def test_fees_are_exact_beyond_64_bits() -> None:
    row = bytearray(Results.of(bytes(120), b"", b"").reports.tobytes())
    fee = -(10**30)
    row[88:104] = fee.to_bytes(16, "little", signed=True)
    assert Results.of(bytes(row), b"", b"").fees() == [fee]


@given(st.lists(STEP, max_size=60))
def test_rows_leave_the_state_that_the_venues_own_bytes_leave(
    steps: list[tuple[bool, int, int]],
) -> None:
    engine, test = kernel.Engine(batches.SHARD), Backtest()
    engine.apply(batches.setup())
    test.replay([batches.setup()])
    first = engine.last_seq + 1
    rows = empty_orders(len(steps))
    for number, (is_buy, price, quantity) in enumerate(steps):
        seq = first + number
        account = batches.BUYER if is_buy else batches.SELLER
        engine.apply(batches.batch(seq, [batches.order(seq, account, price, quantity)]))
        rows[number]["time_ns"] = batches.START_NS + seq * 1_000
        rows[number]["account_id"], rows[number]["order"] = account, seq
        rows[number]["price_ticks"], rows[number]["quantity_lots"] = price, quantity
        rows[number]["side"] = Side.BUY if is_buy else Side.SELL
    rows["market_id"], rows["kind"] = batches.MARKET, Kind.LIMIT
    rows["time_in_force"] = TimeInForce.GTC
    assert test.play(rows) == len(steps)
    assert test.state_parts() == engine.state_parts()
