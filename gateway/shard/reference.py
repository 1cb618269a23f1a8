"""Assets, markets, firms and accounts of one shard, kept from SYSTEM and STATUS frames.

The event feed calls it for every row; queries, permissions and sessions read it. It never guesses:
what was not defined in the journal does not exist.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field

from cambist.internal.journal.v1 import frames_pb2, snapshot_pb2, system_pb2
from cambist.market_data.v1 import events_pb2 as market_events_pb2
from cambist.orders.v1 import enums_pb2
from gateway.shard.rows import STATUS, Row


@dataclass(slots=True)
class MarketEntry:
    """One market as it stands."""

    definition: system_pb2.CreateMarket
    tick_value_atoms: int
    phase: enums_pb2.MarketPhase.ValueType = enums_pb2.MARKET_PHASE_HALTED


@dataclass(slots=True)
class Reference:
    """What exists on one shard."""

    shard: int
    assets: dict[int, system_pb2.CreateAsset] = field(default_factory=dict)
    markets: dict[int, MarketEntry] = field(default_factory=dict)
    account_firms: dict[int, int] = field(default_factory=dict)
    firm_accounts: dict[int, list[int]] = field(default_factory=dict)
    as_of_seq: int = 0

    def accounts_of(self, firm_id: int) -> Sequence[int]:
        """Accounts of a firm, ascending."""
        return self.firm_accounts.get(firm_id, ())

    def load(self, snapshot: bytes) -> None:
        """Forgets everything and starts from a snapshot."""
        state = snapshot_pb2.Snapshot.FromString(snapshot)
        self.assets.clear()
        self.markets.clear()
        self.account_firms.clear()
        self.firm_accounts.clear()
        for asset in snapshot_pb2.MoneySection.FromString(state.money).assets:
            self.assets[asset.asset_id] = asset
        for account in snapshot_pb2.LimitsSection.FromString(state.limits).accounts:
            self._add_account(account.account)
        for book in snapshot_pb2.BooksSection.FromString(state.books).books:
            market = system_pb2.CreateMarket()
            market.CopyFrom(book.market)
            entry = MarketEntry(market, self._tick_value(market), book.phase)
            self.markets[market.market_id] = entry
        self.as_of_seq = state.last_seq

    def system_events(self, row: Row, events: Sequence[frames_pb2.SystemEvent]) -> None:
        """Definitions in a row."""
        for event in events:
            match event.WhichOneof("event"):
                case "asset_created":
                    self.assets[event.asset_created.asset_id] = event.asset_created
                case "market_defined":
                    self._define(event.market_defined)
                case "account_created":
                    self._add_account(event.account_created)
                case _:
                    pass
        self.as_of_seq = row.last_seq

    def row_applied(self, row: Row) -> None:
        """Phases in a row; called after `system_events` of the same row."""
        for record in row.records:
            if record.kind != STATUS or record.key not in self.markets:
                continue
            statuses = market_events_pb2.MarketStatuses.FromString(row.copy(record)).statuses
            if statuses:
                self.markets[record.key].phase = statuses[-1].phase
        self.as_of_seq = row.last_seq

    def _define(self, defined: frames_pb2.MarketDefined) -> None:
        known = self.markets.get(defined.market.market_id)
        entry = MarketEntry(defined.market, defined.tick_value_atoms)
        if known is not None:
            entry.phase = known.phase
        self.markets[defined.market.market_id] = entry

    def _add_account(self, account: system_pb2.CreateAccount) -> None:
        if account.account_id in self.account_firms:
            return
        self.account_firms[account.account_id] = account.firm_id
        insort(self.firm_accounts.setdefault(account.firm_id, []), account.account_id)

    def _tick_value(self, market: system_pb2.CreateMarket) -> int:
        base = self.assets[market.base_asset_id]
        product = atoms(market.tick_size_atoms) * atoms(market.lot_size_atoms)
        return int(product // 10**base.decimals)


def atoms(value: bytes) -> int:
    """An amount from its 16 bytes; absent is 0."""
    return int.from_bytes(value, "little", signed=True)


def contains(ascending: Sequence[int], value: int) -> bool:
    """Whether an ascending sequence has the value."""
    position = bisect_left(ascending, value)
    return position < len(ascending) and ascending[position] == value
