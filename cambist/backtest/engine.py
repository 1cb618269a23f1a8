"""`Backtest`: markets, accounts and orders on the venue's engine, in this process.

Called by users. It must never be taken for a venue: nothing is durable, and there is no network.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from cambist.backtest.book import Book, Level, Resting
from cambist.backtest.results import Results
from cambist.backtest.rows import ORDER, Kind, Rows, empty_orders
from cambist.client.amounts import Number
from cambist.client.enums import MarketPhase, RejectReason, SelfTradePrevention, Side, TimeInForce
from cambist.client.errors import InvalidInput, Rejected
from cambist.client.instruments import Asset, Market
from cambist_kernel.backtest import Backtest as Kernel
from cambist_kernel.errors import BadRow, BatchRefused, MalformedEnvelope, Refused

SHARD: Final = 1
FIRM: Final = 1
FIRST_ACCOUNT: Final = 4_096
OPEN_ORDERS_MAX: Final = 10_000
ID_CAPACITY: Final = 65_536
# Levels or orders of one look.
LEVELS_MAX: Final = 10_000


class Backtest:
    """An empty venue whose clock you hold."""

    def __init__(self, *, start_ns: int = 1) -> None:
        """`start_ns` is its first moment, from 1: an order sent at 0 is stale at every venue.

        Raises InvalidInput(BAD_TIME).
        """
        if start_ns < 1:
            raise InvalidInput("BAD_TIME", "the clock starts at 1 or later")
        self._kernel = Kernel(SHARD)
        self._assets: list[Asset] = []
        self._markets: list[Market] = []
        self._accounts = 0
        self._orders = 0
        self._kernel.advance(start_ns)

    @property
    def time_ns(self) -> int:
        """Where the clock stands."""
        return self._kernel.time_ns

    def asset(self, symbol: str, decimals: int) -> Asset:
        """A new asset. Raises Rejected (DUPLICATE_ID, INVALID_PARAMETER)."""
        asset = Asset(len(self._assets) + 1, symbol, decimals)
        named(lambda: self._kernel.create_asset(asset.asset_id, symbol, decimals))
        self._assets.append(asset)
        return asset

    def market(
        self,
        symbol: str,
        base: Asset,
        quote: Asset,
        *,
        lot_size_atoms: int,
        tick_size_atoms: int,
        maker_fee_ppm: int = 0,
        taker_fee_ppm: int = 0,
    ) -> Market:
        """A new market, open. A tick is `tick_size_atoms` of the quote for one whole base unit.

        Raises Rejected (TICK_VALUE_NOT_INTEGER, INVALID_PARAMETER, DUPLICATE_ID).
        """
        market = Market(
            (SHARD << 16) + len(self._markets) + 1,
            symbol,
            base,
            quote,
            lot_size_atoms,
            tick_size_atoms,
            tick_value_atoms=lot_size_atoms * tick_size_atoms // 10**base.decimals,
            maker_fee_ppm=maker_fee_ppm,
            taker_fee_ppm=taker_fee_ppm,
            phase=MarketPhase.CONTINUOUS,
        )
        named(
            lambda: self._kernel.create_market(
                market.market_id,
                symbol,
                base.asset_id,
                quote.asset_id,
                lot_size_atoms,
                tick_size_atoms,
                maker_fee_ppm,
                taker_fee_ppm,
            )
        )
        self._markets.append(market)
        self.phase(market, MarketPhase.CONTINUOUS)
        return market

    def phase(self, market: Market, phase: MarketPhase) -> None:
        """Sets the phase of a market. Raises Rejected."""
        named(lambda: self._kernel.set_phase(market.market_id, phase))

    def account(self, money: Mapping[Asset, Number] | None = None, *, group: int = 0) -> int:
        """A new account with this money. Accounts of one group above 0 do not trade together.

        Raises InvalidInput, Rejected.
        """
        if not self._accounts:
            named(lambda: self._kernel.create_firm(FIRM, "backtest"))
        account_id = FIRST_ACCOUNT + self._accounts
        limits = OPEN_ORDERS_MAX, ID_CAPACITY
        named(lambda: self._kernel.create_account(account_id, FIRM, group, *limits))
        self._accounts += 1
        for asset, amount in (money or {}).items():
            self.deposit(account_id, asset, asset.atoms(amount))
        return account_id

    def deposit(self, account_id: int, asset: Asset, amount_atoms: int) -> None:
        """Gives an account money. Raises Rejected (INVALID_AMOUNT, BALANCE_OVERFLOW)."""
        named(lambda: self._kernel.credit(account_id, asset.asset_id, amount_atoms))

    def balance(self, account_id: int, asset: Asset) -> tuple[int, int, int]:
        """Available, held and in-flight atoms. Raises Rejected(UNKNOWN_ACCOUNT)."""
        balance = self._kernel.balance(account_id, asset.asset_id)
        if balance is None:
            raise Rejected("UNKNOWN_ACCOUNT", f"there is no account {account_id}")
        return balance

    def book(self, market: Market, depth: int = 10) -> Book:
        """The best `depth` levels of each side, 10,000 at most."""
        bids, asks = (self._levels(market, side, depth) for side in (Side.BUY, Side.SELL))
        return Book(bids, asks)

    def _levels(self, market: Market, side: Side, depth: int) -> tuple[Level, ...]:
        levels = self._kernel.levels(market.market_id, side, min(depth, LEVELS_MAX))
        return tuple(
            Level(market.price(ticks), market.quantity(lots), orders)
            for ticks, lots, orders in levels
        )

    def queue(self, market: Market, side: Side, count: int = LEVELS_MAX) -> tuple[Resting, ...]:
        """The first orders of a side as they would trade, 10,000 at most."""
        orders = self._kernel.queue(market.market_id, side, min(count, LEVELS_MAX))
        return tuple(Resting(*order) for order in orders)

    def limit(  # noqa: PLR0913 - the fields of an order
        self,
        account_id: int,
        market: Market,
        side: Side,
        quantity: Number,
        price: Number,
        *,
        time_in_force: TimeInForce = TimeInForce.GTC,
        expire_time_ns: int = 0,
        post_only: bool = False,
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.UNSPECIFIED,
    ) -> int:
        """Enters a limit order now; its number. `take` tells what became of it.

        `expire_time_ns` goes with GTD alone.

        Raises InvalidInput (OFF_TICK, OFF_LOT, INVALID_NUMBER, BAD_ROW).
        """
        return self._enter(
            Kind.LIMIT,
            account_id=account_id,
            market_id=market.market_id,
            side=side,
            quantity_lots=market.lots(quantity),
            price_ticks=market.ticks(price),
            time_in_force=time_in_force,
            expire_time_ns=expire_time_ns,
            post_only=post_only,
            self_trade_prevention=self_trade_prevention,
        )

    def at_market(
        self,
        account_id: int,
        market: Market,
        side: Side,
        quantity: Number,
        *,
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.UNSPECIFIED,
    ) -> int:
        """Enters a market order now; its number. Raises InvalidInput."""
        return self._enter(
            Kind.MARKET,
            account_id=account_id,
            market_id=market.market_id,
            side=side,
            quantity_lots=market.lots(quantity),
            time_in_force=TimeInForce.IOC,
            self_trade_prevention=self_trade_prevention,
        )

    def cancel(self, account_id: int, order: int) -> None:
        """Cancels an order by its number. Raises InvalidInput(BAD_ROW)."""
        self._one(Kind.CANCEL, account_id=account_id, order=order)

    def amend(
        self, account_id: int, order: int, *, price_ticks: int = 0, quantity_lots: int = 0
    ) -> None:
        """Changes an order; 0 keeps what is. Raises InvalidInput(BAD_ROW)."""
        self._one(
            Kind.AMEND,
            account_id=account_id,
            order=order,
            price_ticks=price_ticks,
            quantity_lots=quantity_lots,
        )

    def _enter(self, kind: Kind, **fields: Any) -> int:
        # Above the numbers that files of orders use.
        self._orders += 1
        order = (1 << 63) | self._orders
        self._one(kind, order=order, **fields)
        return order

    def _one(self, kind: Kind, **fields: Any) -> None:
        rows = empty_orders(1)
        rows["time_ns"] = self.time_ns
        rows["kind"] = kind
        for name, value in fields.items():
            rows[name] = value
        self.play(rows)

    def play(self, orders: Rows, *, batch_ns: int = 0) -> int:
        """Plays rows of `rows.ORDER`, whose times must not fall; how many.

        Rows at one time are one batch, as at the venue; with `batch_ns` so are rows within that
        time of the first. Raises InvalidInput(BAD_ROW) that names row and field, with nothing
        played.
        """
        if orders.dtype != ORDER or orders.ndim != 1:
            raise InvalidInput("BAD_ROW", "orders are a one-dimensional array of rows.ORDER")
        if batch_ns < 0:
            raise InvalidInput("BAD_ROW", "batch_ns is not below 0")
        try:
            return self._kernel.play(orders.tobytes(), batch_ns)
        except BadRow as error:
            raise InvalidInput("BAD_ROW", str(error)) from error

    def replay(self, batches: Iterable[bytes]) -> None:
        """Replays command batches of a venue's journal, shard 1, from its first row.

        Only on a new `Backtest`. Raises InvalidInput(BAD_JOURNAL) at the first row that does not
        follow; those ahead of it stay replayed.
        """
        for number, batch in enumerate(batches):
            try:
                self._kernel.replay(batch)
            except (BatchRefused, MalformedEnvelope) as error:
                raise InvalidInput("BAD_JOURNAL", f"batch {number}: {error}") from error

    def advance(self, *, seconds: Number | None = None, until_ns: int | None = None) -> None:
        """Moves the clock: orders that end until then expire. Raises InvalidInput."""
        if (seconds is None) == (until_ns is None):
            raise InvalidInput("BAD_TIME", "give seconds or until_ns")
        target = until_ns
        if target is None:
            target = self.time_ns + Asset(0, "s", 9).atoms(seconds or 0)
        if target < self.time_ns:
            raise InvalidInput("BAD_TIME", "the clock does not go back")
        self._kernel.advance(target)

    def want(self, *, reports: bool = True, trades: bool = True, quotes: bool = True) -> None:
        """What is kept from now on: less is faster."""
        self._kernel.want(reports, trades, quotes)

    def take(self) -> Results:
        """What happened since the last call."""
        return Results.of(*self._kernel.take())

    def state_parts(self) -> dict[str, bytes]:
        """Hashes of the state, equal to those of a venue in the same state."""
        return self._kernel.state_parts()


def named(work: Callable[[], None]) -> None:
    """Does something that the venue may refuse. Raises Rejected by its name."""
    try:
        work()
    except Refused as error:
        raise Rejected(RejectReason(error.reason).name) from error
