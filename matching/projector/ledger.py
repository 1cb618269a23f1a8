"""What moves money, as changes of accounts: fills, money reports, the venue's own accounts. Pure.

A firm's account is booked from its private events. The venue's accounts have no events, so they
are booked from their balances, once per journal row. Together the postings sum to zero per asset.
"""

from dataclasses import dataclass
from typing import Any, Final

from cambist.internal.journal.v1 import frames_pb2
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from matching.projector.numbers import atoms, bigint

FIRMS_ACCOUNTS_START: Final = 4_096
BUY: Final = enums.SIDE_BUY
Kind = events.MoneyKind


@dataclass(frozen=True, slots=True)
class Market:
    """What turns ticks and lots of a market into atoms."""

    market_id: int
    base_asset_id: int
    quote_asset_id: int
    lot_size_atoms: int
    tick_value_atoms: int

    @classmethod
    def defined(cls, event: frames_pb2.MarketDefined) -> "Market":
        """The market of an event that defines or changes it."""
        market = event.market
        return cls(
            market.market_id,
            market.base_asset_id,
            market.quote_asset_id,
            atoms(market.lot_size_atoms),
            event.tick_value_atoms,
        )


def fill(market: Market, report: events.ExecutionReport) -> tuple[int, ...]:
    """(base asset, base, quote asset, quote, fee asset, fee) of a TRADE: changes in atoms."""
    base = report.last_lots * market.lot_size_atoms
    quote = report.last_lots * report.last_price_ticks * market.tick_value_atoms
    if report.side == BUY:
        quote = -quote
    else:
        base = -base
    fee = -atoms(report.fee_atoms)
    return market.base_asset_id, base, market.quote_asset_id, quote, report.fee_asset_id, fee


def money(report: events.MoneyReport) -> int:
    """The change in all balances of the account together that a money report tells, in atoms.

    What moves between balances of one account (available, held, in flight) changes nothing.
    """
    amount = atoms(report.amount_atoms)
    match report.kind:
        case Kind.MONEY_KIND_CREDIT | Kind.MONEY_KIND_TRANSFER_IN | Kind.MONEY_KIND_SHARD_IN:
            return amount
        case (
            Kind.MONEY_KIND_CREDIT_REVERSED
            | Kind.MONEY_KIND_TRANSFER_OUT
            | Kind.MONEY_KIND_SHARD_OUT
        ):
            return -amount
        case Kind.MONEY_KIND_WITHDRAWAL_SETTLED:
            return -amount - atoms(report.fee_atoms)
        case Kind.MONEY_KIND_WITHDRAWAL_REOPENED:
            return amount + atoms(report.fee_atoms)
        case Kind.MONEY_KIND_ADJUSTED:
            # It has a sign already.
            return amount
        case _:
            return 0


class VenueBooks:
    """Balances of the venue's own accounts by (account, asset), as of the last row."""

    def __init__(self, balances: dict[tuple[int, int], int]) -> None:
        self.balances = balances
        # Those that changed since the last `take_changed`.
        self._changed: set[tuple[int, int]] = set()

    def entries(self, updates: frames_pb2.BalanceUpdates) -> list[tuple[int, int, int, int]]:
        """(account, asset, last sequence of the row, change) of a BALANCE frame."""
        found = []
        for update in updates.updates:
            key = (update.account_id, update.asset_id)
            total = (
                atoms(update.available_atoms)
                + atoms(update.held_atoms)
                + atoms(update.in_flight_atoms)
            )
            change = total - self.balances.get(key, 0)
            if change:
                self.balances[key] = total
                self._changed.add(key)
                found.append((*key, update.seq, change))
        return found

    def take_changed(self, shard: int) -> list[tuple[Any, ...]]:
        """(shard, account, asset, atoms) of what changed since the last call."""
        changed, self._changed = sorted(self._changed), set()
        return [(shard, *key, self.balances[key]) for key in changed]


def money_row(account_id: int, event: events.PrivateEvent) -> tuple[Any, ...] | None:
    """Columns of history.money from account_id on; None when nothing moved."""
    report = event.money_report
    if report.repeat or report.reject_reason:
        return None
    return (
        account_id,
        event.account_seq,
        bigint(event.seq),
        event.sequenced_ns,
        int(report.kind),
        report.id,
        report.asset_id,
        money(report),
        event.SerializeToString(),
    )
