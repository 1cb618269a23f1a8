"""A flow's commands as requests of the venue, and the venue's fills as trades of the flow. Pure.

Buyers and sellers are different accounts, so that nobody trades with himself; orders are spread
over pairs of accounts because an account holds a limited number of open ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Self

from cambist.client import commands
from cambist.client.commands import NewOrder, Request, Target
from cambist.client.enums import Liquidity, OrderType, Side
from cambist.client.errors import InvalidInput
from cambist.client.events import Filled
from cambist.client.instruments import Market
from cambist.replay.flow import Change, Command, Enter, Remove, Scale, Trade

RUN_BYTES: Final = 8
ORDER_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Fit:
    """How many ticks and lots one unit of a recording is."""

    market_id: int
    ticks: int
    lots: int

    @classmethod
    def of(cls, market: Market, scale: Scale) -> Self:
        """The fit of a recording to a market. Raises InvalidInput(DOES_NOT_FIT)."""
        ticks = Fraction(10) ** (market.quote.decimals - scale.price_decimals)
        ticks /= market.tick_size_atoms
        lots = Fraction(10) ** (market.base.decimals - scale.quantity_decimals)
        lots /= market.lot_size_atoms
        if ticks.denominator != 1 or lots.denominator != 1:
            text = f"{market.symbol} cannot hold {scale.price_decimals} decimals of price and "
            raise InvalidInput("DOES_NOT_FIT", text + f"{scale.quantity_decimals} of quantity")
        return cls(market.market_id, int(ticks), int(lots))


class Orders:
    """Makes requests. `run` (8 bytes) tells the client ids of one replay from those of another."""

    def __init__(
        self,
        fit: Fit,
        accounts: Sequence[tuple[int, int]],
        *,
        run: bytes,
        make_id: Callable[[], bytes],
        now_ns: Callable[[], int],
    ) -> None:
        if len(run) != RUN_BYTES or not accounts:
            raise InvalidInput("BAD_LENGTH", "a run is 8 bytes, and there is a pair of accounts")
        self._fit = fit
        # Buyer and seller of each pair.
        self._accounts = accounts
        self._run = run
        self._make_id = make_id
        self._now_ns = now_ns
        self._account_of: dict[int, int] = {}

    def request(self, command: Command) -> Request:
        """The request of a command; changes and removals of orders that were entered before."""
        match command:
            case Enter():
                return self._enter(command)
            case Change(order=order):
                return commands.amend(
                    self._target(order),
                    self._make_id(),
                    self._now_ns(),
                    price_ticks=command.price * self._fit.ticks,
                    quantity_lots=command.total_quantity * self._fit.lots,
                )
            case Remove(order=order):
                return commands.cancel(self._target(order), self._make_id(), self._now_ns())

    def _enter(self, enter: Enter) -> Request:
        account_id = enter.account_of(self._accounts)
        self._account_of[enter.order] = account_id
        order = NewOrder(
            account_id=account_id,
            market_id=self._fit.market_id,
            side=enter.side,
            quantity_lots=enter.quantity * self._fit.lots,
            price_ticks=enter.price * self._fit.ticks,
            order_type=OrderType.LIMIT if enter.price else OrderType.MARKET,
            time_in_force=enter.time_in_force,
            post_only=enter.is_post_only,
        )
        return commands.new_order(order, self._cl_ord_id(enter.order), self._now_ns())

    def _target(self, order: int) -> Target:
        return Target(self._account_of[order], cl_ord_id=self._cl_ord_id(order))

    def _cl_ord_id(self, order: int) -> bytes:
        return self._run + order.to_bytes(ORDER_BYTES, "big")

    def order_of(self, cl_ord_id: bytes) -> int | None:
        """The recorder's id of an order; None when it is not of this run."""
        if not cl_ord_id.startswith(self._run):
            return None
        return int.from_bytes(cl_ord_id[RUN_BYTES:], "big")

    def price_of(self, ticks: int) -> int:
        """Ticks in units of the recording."""
        return ticks // self._fit.ticks

    def quantity_of(self, lots: int) -> int:
        """Lots in units of the recording."""
        return lots // self._fit.lots


@dataclass(slots=True)
class FillBook:
    """Puts the two fills of a trade together."""

    orders: Orders
    trades: list[Trade] = field(default_factory=list)
    _halves: dict[int, Filled] = field(default_factory=dict)

    def take(self, fill: Filled) -> None:
        """One fill. Those of other orders are passed over."""
        if self.orders.order_of(fill.cl_ord_id) is None:
            return
        other = self._halves.pop(fill.trade_id, None)
        if other is None:
            self._halves[fill.trade_id] = fill
            return
        buy, sell = (fill, other) if fill.side is Side.BUY else (other, fill)
        taker = fill if fill.liquidity is Liquidity.TAKER else other
        buyer, seller = self.orders.order_of(buy.cl_ord_id), self.orders.order_of(sell.cl_ord_id)
        assert buyer is not None, "halves are of this run"
        assert seller is not None, "halves are of this run"
        self.trades.append(
            Trade(
                self.orders.price_of(fill.last_price_ticks),
                self.orders.quantity_of(fill.last_lots),
                buyer,
                seller,
                fill.sequenced_ns,
                taker=self.orders.order_of(taker.cl_ord_id) or 0,
            )
        )

    @property
    def unpaired(self) -> int:
        """Fills whose other side is not of this replay: somebody else trades in the market."""
        return len(self._halves)
