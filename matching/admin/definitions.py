"""What exists on the shard: assets, markets, firms, accounts, from snapshot and released rows.

Kept by replay, then by the release of rows; AdminService lists it, and compares with it when
something is created a second time. It knows nothing that is not committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from cambist.internal.journal.v1 import frames_pb2, snapshot_pb2, system_pb2
from cambist.market_data.v1 import events_pb2 as market_events_pb2
from cambist.orders.v1 import enums_pb2
from matching.journal.rows import JournalRow
from matching.release.directory import STATUS, SYSTEM, Directory

KINDS: Final = (STATUS, SYSTEM)
Definition = TypeVar(
    "Definition", system_pb2.CreateAsset, system_pb2.CreateMarket, system_pb2.SetTradingLimits
)


class AccountShape(NamedTuple):
    """What an account was created with, limits as they stand."""

    firm_id: int
    self_trade_group_id: int
    open_orders_max: int
    id_capacity: int
    frozen: bool = False


class Fees(NamedTuple):
    """What an account pays, in parts per million of notional."""

    maker_fee_ppm: int
    taker_fee_ppm: int


@dataclass(slots=True)
class MarketEntry:
    """A market as it stands."""

    definition: system_pb2.CreateMarket
    tick_value_atoms: int
    phase: enums_pb2.MarketPhase.ValueType = enums_pb2.MARKET_PHASE_HALTED
    reference_price_ticks: int = 0


@dataclass(slots=True)
class Definitions:
    """Everything defined on one shard."""

    assets: dict[int, system_pb2.CreateAsset] = field(default_factory=dict)
    markets: dict[int, MarketEntry] = field(default_factory=dict)
    firms: dict[int, str] = field(default_factory=dict)
    accounts: dict[int, AccountShape] = field(default_factory=dict)
    # By account, then market; 0 = all others.
    fee_tiers: dict[int, dict[int, Fees]] = field(default_factory=dict)
    # By account, then market.
    trading_limits: dict[int, dict[int, system_pb2.SetTradingLimits]] = field(default_factory=dict)
    # Journal sequence up to which it is true.
    seq: int = 0
    # Accounts of one shape share it: there may be a million.
    _shapes: dict[AccountShape, AccountShape] = field(default_factory=dict)

    def start_from(self, snapshot: bytes | None) -> None:
        """Forgets everything and starts from a snapshot, or from nothing."""
        accounts = (self.accounts, self._shapes, self.fee_tiers, self.trading_limits)
        for known in (self.assets, self.markets, self.firms, *accounts):
            known.clear()
        self.seq = 0
        if snapshot is None:
            return
        state = snapshot_pb2.Snapshot.FromString(snapshot)
        self.seq = state.last_seq
        for asset in snapshot_pb2.MoneySection.FromString(state.money).assets:
            self.assets[asset.asset_id] = copy_of(asset)
        for book in snapshot_pb2.BooksSection.FromString(state.books).books:
            market = copy_of(book.market)
            self.markets[market.market_id] = MarketEntry(
                market, self._tick_value(market), book.phase, book.reference_price_ticks
            )
        section = snapshot_pb2.LimitsSection.FromString(state.limits)
        for firm in section.firms:
            self.firms[firm.firm.firm_id] = firm.firm.name
        for account in section.accounts:
            self._add_account(account.account, frozen=account.frozen)
        for tier in section.fee_tiers:
            self._set_fee_tier(tier)
        for bounds in section.trading_limits:
            self._set_trading_limits(bounds)

    def row_replayed(self, row: JournalRow) -> None:
        """The next row."""
        directory = Directory(row.events)
        # SYSTEM comes first: a market is defined before it changes its phase.
        for record in directory.last_of(KINDS):
            payload = directory.payload(record)
            if record.kind == SYSTEM:
                self._take_system(frames_pb2.SystemEvents.FromString(payload).events)
            else:
                statuses = market_events_pb2.MarketStatuses.FromString(payload).statuses
                market = self.markets.get(record.key)
                if market is not None and statuses:
                    market.phase = statuses[-1].phase
        self.seq = row.last_seq

    def row_released(self, row: JournalRow) -> None:
        """The next row, just committed."""
        self.row_replayed(row)

    def _take_system(self, events: Sequence[frames_pb2.SystemEvent]) -> None:
        for event in events:
            match event.WhichOneof("event"):
                case "asset_created":
                    self.assets[event.asset_created.asset_id] = copy_of(event.asset_created)
                case "market_defined":
                    self._define(event.market_defined)
                case "firm_created":
                    self.firms[event.firm_created.firm_id] = event.firm_created.name
                case "account_created":
                    self._add_account(event.account_created)
                case "account_limits_set":
                    self._set_limits(event.account_limits_set)
                case "fee_tier_set":
                    self._set_fee_tier(event.fee_tier_set)
                case "reference_price_set":
                    told = event.reference_price_set
                    self.markets[told.market_id].reference_price_ticks = told.price_ticks
                case "trading_limits_set":
                    self._set_trading_limits(event.trading_limits_set)
                case _:
                    pass

    def _define(self, defined: frames_pb2.MarketDefined) -> None:
        market = copy_of(defined.market)
        known = self.markets.get(market.market_id)
        entry = MarketEntry(market, defined.tick_value_atoms)
        if known is not None:
            entry.phase = known.phase
            entry.reference_price_ticks = known.reference_price_ticks
        self.markets[market.market_id] = entry

    def _add_account(self, account: system_pb2.CreateAccount, *, frozen: bool = False) -> None:
        shape = AccountShape(
            account.firm_id,
            account.self_trade_group_id,
            account.limits.open_orders_max,
            account.limits.id_capacity,
            frozen,
        )
        self.accounts[account.account_id] = self._shapes.setdefault(shape, shape)

    def _set_limits(self, limits: system_pb2.SetAccountLimits) -> None:
        shape = self.accounts[limits.account_id]._replace(
            open_orders_max=limits.limits.open_orders_max,
            id_capacity=limits.limits.id_capacity,
            frozen=limits.frozen,
        )
        self.accounts[limits.account_id] = self._shapes.setdefault(shape, shape)

    def _set_fee_tier(self, tier: system_pb2.SetFeeTier) -> None:
        tiers = self.fee_tiers.setdefault(tier.account_id, {})
        if tier.remove:
            tiers.pop(tier.market_id, None)
        else:
            tiers[tier.market_id] = Fees(tier.maker_fee_ppm, tier.taker_fee_ppm)

    def _set_trading_limits(self, bounds: system_pb2.SetTradingLimits) -> None:
        none = system_pb2.SetTradingLimits(account_id=bounds.account_id, market_id=bounds.market_id)
        known = self.trading_limits.setdefault(bounds.account_id, {})
        if bounds == none:
            known.pop(bounds.market_id, None)
        else:
            known[bounds.market_id] = copy_of(bounds)

    def _tick_value(self, market: system_pb2.CreateMarket) -> int:
        lot = int.from_bytes(market.lot_size_atoms, "little", signed=True)
        tick = int.from_bytes(market.tick_size_atoms, "little", signed=True)
        whole: int = 10 ** self.assets[market.base_asset_id].decimals
        return lot * tick // whole


def copy_of(message: Definition) -> Definition:
    """A message of its own: part of a larger one would keep all of that in memory."""
    copied = type(message)()
    copied.CopyFrom(message)
    return copied
