"""Orders of rules version 2 against a real matching and gateway: by the SDK, and by `cambist`."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cambist.client import (
    Accepted,
    ApiKey,
    Canceled,
    CancelReason,
    Client,
    Filled,
    MassCanceled,
    OrderType,
    Rejected,
    Replaced,
    Restated,
    Side,
    TimeInForce,
    Trigger,
    Triggered,
    commands,
)
from cambist.client.admin import Admin
from cambist.client.instruments import Market
from cambist.client.session import Session
from tests.cli.venue import ACCOUNT, OTHER, CliVenue

pytestmark = pytest.mark.slow
MINE: dict[str, Any] = {"account_id": ACCOUNT}
THEIRS: dict[str, Any] = {"account_id": OTHER}
SECONDS = 30.0


async def switched(venue: CliVenue) -> ApiKey:
    """The venue under rules version 2, and a key of its firm."""
    async with Admin.connect(venue.admin_endpoint) as admin:
        await admin.switch_rules(2)
    return ApiKey.load(await venue.key("firm"))


class Firm:
    """A session with two accounts, its market and its events."""

    def __init__(self, session: Session, market: Market) -> None:
        self.session = session
        self.market = market
        self._events = session.events()

    async def order(self, side: str, *numbers: str, **options: Any) -> Accepted:
        """Enters an order: quantity, price."""
        return await self.session.new_order(self.market, side, *numbers, **options)

    async def until(self, kind: type[Any], order_id: int) -> Any:
        """The next event of a kind about an order."""
        async for event in self._events:
            if isinstance(event, kind) and event.order_id == order_id:
                return event
        raise AssertionError("the session ended")


@asynccontextmanager
async def trading(venue: CliVenue) -> AsyncIterator[Firm]:
    """A firm in a venue under rules version 2."""
    key = await switched(venue)
    async with (
        asyncio.timeout(SECONDS),
        Client.connect(venue.endpoint, key) as client,
        client.session("later") as session,
    ):
        yield Firm(session, await client.market("BTC-USDT"))


async def test_icebergs_day_orders_and_minimum_quantity(venue: CliVenue) -> None:
    async with trading(venue) as firm:
        lots = firm.market.lots
        iceberg = await firm.order("sell", "3", "100", display="1", **MINE)
        assert iceberg.display_lots == lots("1")
        day = await firm.order("buy", "1", "50", time_in_force=TimeInForce.DAY, **THEIRS)
        assert day.expire_time_ns % (86_400 * 10**9) == 0
        with pytest.raises(Rejected, match="FOK_NOT_FILLABLE"):
            await firm.order("buy", "9", "100", minimum="5", **THEIRS)
        # A fill takes what the iceberg shows; it goes on at the tail with the next part.
        await firm.order("buy", "1", "100", **THEIRS)
        restated = await firm.until(Restated, iceberg.order_id)
        assert restated.leaves_lots == lots("2")
        assert restated.public_order_id > iceberg.public_order_id
        smaller = await firm.session.amend(firm.market, iceberg, display="0.5", **MINE)
        assert isinstance(smaller, Replaced)
        assert smaller.display_lots == lots("0.5")


async def test_waiting_orders_are_triggered(venue: CliVenue) -> None:
    async with trading(venue) as firm:
        at_90, by_5 = Trigger(stop_price="90"), Trigger(trailing_offset="5")
        stop = await firm.order("sell", "0.5", "89", trigger=at_90, **MINE)
        assert (stop.order_type, stop.trigger_price_ticks) == (OrderType.STOP_LIMIT, 900)
        assert stop.public_order_id == 0
        trailing = await firm.order("sell", "0.25", trigger=by_5, **MINE)
        assert trailing.order_type == OrderType.TRAILING_STOP
        assert trailing.trailing_offset_ticks == 50
        for price in ("100", "90"):
            await firm.order("buy", "1", price, **THEIRS)
            await firm.order("sell", "1" if price == "100" else "0.1", price, **MINE)
        # The trailing stop stands at 95, and the higher trigger goes first.
        assert (await firm.until(Filled, trailing.order_id)).leaves_lots == 0
        triggered = await firm.until(Triggered, stop.order_id)
        assert (triggered.trigger_price_ticks, triggered.last_price_ticks) == (900, 900)
        assert (await firm.until(Filled, stop.order_id)).last_price_ticks == 900


async def test_replace_and_the_dead_mans_timer(venue: CliVenue) -> None:
    async with trading(venue) as firm:
        session, market = firm.session, firm.market
        old = await firm.order("buy", "1", "50", **THEIRS)
        fresh = session.make_order(market, "buy", "2", "51", **THEIRS)
        # The old one ends, the new one answers.
        replaced = await session.replace(old, fresh)
        assert replaced.cl_ord_id == fresh.id
        gone = await firm.until(Canceled, old.order_id)
        assert (gone.reason, gone.request_id) == (CancelReason.REQUESTED, fresh.id)
        with pytest.raises(Rejected, match="ORDER_CLOSED"):
            await session.replace(old, session.make_order(market, "buy", "2", "52", **THEIRS))
        assert isinstance(await session.cancel_all_after(1, **THEIRS), MassCanceled)
        fired = await firm.until(Canceled, replaced.order_id)
        assert fired.reason is CancelReason.TIMER


async def test_the_command_line_enters_waiting_orders_and_icebergs(venue: CliVenue) -> None:
    key = await switched(venue)
    order = ("--key", str(venue.folder / "firm.json"), "order", "BTC-USDT", "sell", "1")
    account = ("--account", str(ACCOUNT), "--json")
    stop = await venue.run(*order, "--stop-price", "90", *account)
    assert stop.status == 0, stop.stderr
    iceberg = await venue.run(*order, "100", "--display", "0.2", "--time-in-force", "day", *account)
    assert iceberg.status == 0, iceberg.stderr
    (told,) = iceberg.lines
    async with Client.connect(venue.endpoint, key) as client:
        market = await client.market("BTC-USDT")
        assert told["display_lots"] == market.lots("0.2")


async def test_the_command_line_replaces_orders_and_arms_the_timer(venue: CliVenue) -> None:
    await switched(venue)
    door = ("--key", str(venue.folder / "firm.json"))
    account = ("--account", str(ACCOUNT), "--json")
    placed = await venue.run(*door, "order", "BTC-USDT", "sell", "1", "100", *account)
    (old,) = placed.lines
    wanted = ("BTC-USDT", "sell", "2", "101", *account)
    replaced = await venue.run(*door, "replace", old["cl_ord_id"], *wanted)
    assert replaced.status == 0, replaced.stderr
    told = [(line["event"], line["order_id"]) for line in replaced.lines]
    assert told[1] == ("Canceled", old["order_id"])
    assert told[0][0] == "Accepted"
    # What is gone is replaced by nothing, unless it may be missing.
    refused = await venue.run(*door, "replace", old["cl_ord_id"], *wanted)
    assert refused.status != 0
    assert "ORDER_CLOSED" in refused.stderr
    lenient = await venue.run(*door, "replace", old["cl_ord_id"], "--allow-missing", *wanted)
    assert [line["event"] for line in lenient.lines] == ["Accepted"]
    armed = await venue.run(*door, "cancel-after", "3600", *account)
    assert armed.lines[0]["fires_ns"] > 0
    disarmed = await venue.run(*door, "cancel-after", "0", "--account", str(ACCOUNT))
    assert disarmed.stdout == "disarmed\n"


async def test_single_calls_of_the_sdk_replace_orders_and_arm_the_timer(venue: CliVenue) -> None:
    async with Client.connect(venue.endpoint, await switched(venue)) as client:
        market = await client.market("BTC-USDT")

        def sell(quantity: str) -> commands.Request:
            lots, ticks = market.lots(quantity), market.ticks("100")
            order = commands.NewOrder(ACCOUNT, market.market_id, Side.SELL, lots, ticks)
            return commands.new_order(order, os.urandom(16), time.time_ns())

        old, _ = await client.orders.new_order(sell("1"))
        request = commands.replacement(old.cl_ord_id, sell("2"))
        accepted, events = await client.orders.replace(request)
        assert (accepted.cl_ord_id, accepted.repeat) == (request.id, False)
        assert [type(event) for event in events] == [Canceled]
        again, events = await client.orders.replace(request)
        assert (again.order_id, again.repeat, events) == (accepted.order_id, True, [])
        with pytest.raises(Rejected, match="ORDER_CLOSED"):
            await client.orders.replace(commands.replacement(old.cl_ord_id, sell("3")))
        timer = commands.cancel_all_after(ACCOUNT, 3_600_000, os.urandom(16), time.time_ns())
        answer, fires_ns = await client.orders.cancel_all_after(timer)
        assert fires_ns == answer.sequenced_ns + 3_600_000 * 10**6


async def test_before_the_switch_they_are_unsupported(venue: CliVenue) -> None:
    key = ApiKey.load(await venue.key("firm"))
    async with Client.connect(venue.endpoint, key) as client, client.session("early") as session:
        market = await client.market("BTC-USDT")
        with pytest.raises(Rejected, match="UNSUPPORTED"):
            await session.new_order(market, "sell", "3", "100", display="1", **MINE)
