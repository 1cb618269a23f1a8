"""Markets as the checker knows them: definitions, gap-free numbers, trades told once per side."""

from dataclasses import dataclass, field

from cambist.internal.journal.v1 import frames_pb2
from cambist.market_data.v1 import events_pb2 as market_events_pb2
from cambist.orders.v1 import enums_pb2
from venue.checker.findings import Findings, Kind

L3_EXECUTE = market_events_pb2.L3_ACTION_EXECUTE
MAKER, TAKER = int(enums_pb2.LIQUIDITY_MAKER), int(enums_pb2.LIQUIDITY_TAKER)
PPM = 1_000_000


def amount(raw: bytes) -> int:
    """Atoms from 16 bytes, little-endian two's complement; absent = 0."""
    return int.from_bytes(raw, "little", signed=True)


@dataclass(slots=True)
class Market:
    """One market: what its events must add up to."""

    market_id: int
    base_asset_id: int
    quote_asset_id: int
    lot_size_atoms: int
    tick_value_atoms: int
    # (journal sequence from which it holds, taker fee), ascending.
    taker_fees_ppm: list[tuple[int, int]] = field(default_factory=list)
    market_seq: int = 0
    trade_id: int = 0

    def taker_fee_ppm(self, seq: int) -> int:
        """The taker fee that a command of `seq` met."""
        for since, fee_ppm in reversed(self.taker_fees_ppm):
            if since <= seq:
                return fee_ppm
        return 0

    def hold_atoms(self, price_ticks: int, lots: int, fee_ppm: int) -> int:
        """What a buy of these lots holds: notional and the taker's fee, rounded up."""
        notional = price_ticks * lots * self.tick_value_atoms
        return notional + -(-notional * fee_ppm // PPM)


@dataclass(slots=True)
class TradeOfRow:
    """A public trade and the private reports of it within one row."""

    price_ticks: int
    quantity_lots: int
    told: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Markets:
    """All markets of a shard."""

    findings: Findings
    by_id: dict[int, Market] = field(default_factory=dict)
    trade_count: int = 0
    _row: dict[tuple[int, int], TradeOfRow] = field(default_factory=dict)

    def define(self, seq: int, defined: frames_pb2.MarketDefined) -> None:
        """A market was created or its parameters changed."""
        market = defined.market
        known = self.by_id.get(market.market_id)
        if known is None:
            known = self.by_id[market.market_id] = Market(
                market.market_id,
                market.base_asset_id,
                market.quote_asset_id,
                amount(market.lot_size_atoms),
                defined.tick_value_atoms,
            )
        known.taker_fees_ppm.append((seq, market.parameters.taker_fee_ppm))

    def take_l3(self, market_id: int, payload: bytes) -> None:
        """Order-by-order events: their numbers and executed trades."""
        market = self._find(market_id)
        if market is None:
            return
        for event in market_events_pb2.L3Events.FromString(payload).events:
            market.market_seq += 1
            if event.market_seq != market.market_seq:
                text = f"market {market_id}: {event.market_seq}, not {market.market_seq}"
                self.findings.add(Kind.MARKET_SEQ, text)
                market.market_seq = event.market_seq
            if event.action == L3_EXECUTE:
                self._executed(market, event)

    def _executed(self, market: Market, event: market_events_pb2.L3Event) -> None:
        market.trade_id += 1
        if event.trade_id != market.trade_id:
            text = f"market {market.market_id}: trade {event.trade_id}, not {market.trade_id}"
            self.findings.add(Kind.TRADE, text)
            market.trade_id = event.trade_id
        trade = TradeOfRow(0, event.quantity_lots)
        if self._row.setdefault((market.market_id, event.trade_id), trade) is not trade:
            self.findings.add(
                Kind.DUPLICATED, f"market {market.market_id}: trade {event.trade_id} executed twice"
            )

    def take_trades(self, market_id: int, payload: bytes) -> None:
        """Public trades: each has its EXECUTE in the same row."""
        for trade in market_events_pb2.Trades.FromString(payload).trades:
            known = self._row.get((market_id, trade.trade_id))
            name = f"market {market_id}: trade {trade.trade_id}"
            if known is None or known.quantity_lots != trade.quantity_lots:
                self.findings.add(Kind.TRADE, f"{name} without its EXECUTE")
            elif known.price_ticks:
                self.findings.add(Kind.DUPLICATED, f"{name} printed twice")
            else:
                known.price_ticks = trade.price_ticks
                self.trade_count += 1

    def take_fill(
        self, market_id: int, trade_id: int, price_ticks: int, lots: int, liquidity: int
    ) -> None:
        """A private report of a trade in this row."""
        trade = self._row.get((market_id, trade_id))
        name = f"market {market_id}: trade {trade_id}"
        if trade is None or (trade.price_ticks, trade.quantity_lots) != (price_ticks, lots):
            self.findings.add(Kind.TRADE, f"{name} told to an owner, and not printed so")
        elif liquidity in trade.told:
            self.findings.add(Kind.DUPLICATED, f"{name} told twice to the same side")
        else:
            trade.told.append(liquidity)

    def end_row(self) -> None:
        """Each trade of the row was told to exactly its maker and its taker."""
        for (market_id, trade_id), trade in self._row.items():
            if sorted(trade.told) != [MAKER, TAKER] or not trade.price_ticks:
                text = f"market {market_id}: trade {trade_id} was told to {len(trade.told)} sides"
                self.findings.add(Kind.TRADE, text)
        self._row.clear()

    def _find(self, market_id: int) -> Market | None:
        market = self.by_id.get(market_id)
        if market is None:
            self.findings.add(Kind.MARKET_SEQ, f"events of market {market_id}, never defined")
        return market
