"""Folds event rows into the changes of one transaction. Pure; runs in a thread of the projector.

It keeps what the next rows need (markets, the venue's balances); after a transaction that was not
committed it must be made anew from what is stored.
"""

from dataclasses import dataclass, field
from typing import Any

from cambist.internal.journal.v1 import frames_pb2
from cambist.market_data.v1 import events_pb2 as market_data
from cambist.orders.v1 import events_pb2 as events
from matching.errors import JournalCorrupt
from matching.journal.reader import EventRow
from matching.projector import ledger
from matching.projector.candles import CandleFold
from matching.projector.ledger import FIRMS_ACCOUNTS_START, Market, VenueBooks
from matching.projector.numbers import bigint
from matching.projector.orders import TRADE, OrderFold
from matching.release.directory import HEAD, RECORD, Directory, Record

PRIVATE = int(frames_pb2.FRAME_KIND_PRIVATE)
BALANCE = int(frames_pb2.FRAME_KIND_BALANCE)
TRADES = int(frames_pb2.FRAME_KIND_TRADES)
SYSTEM = int(frames_pb2.FRAME_KIND_SYSTEM)
Rows = list[tuple[Any, ...]]


@dataclass(slots=True)
class Changes:
    """What one transaction writes. Lists hold rows of the tables of that name, without shard."""

    projected_seq: int
    row_count: int = 0
    byte_count: int = 0
    orders: OrderFold = field(default_factory=OrderFold)
    candles: CandleFold = field(default_factory=CandleFold)
    account_index: Rows = field(default_factory=list)
    fills: Rows = field(default_factory=list)
    prevented_matches: Rows = field(default_factory=list)
    money: Rows = field(default_factory=list)
    venue_entries: Rows = field(default_factory=list)
    venue_balances: Rows = field(default_factory=list)
    markets: list[Market] = field(default_factory=list)


class Fold:
    """Folds rows in their order."""

    def __init__(
        self, shard: int, markets: dict[int, Market], venue_balances: dict[tuple[int, int], int]
    ) -> None:
        self._shard = shard
        self._markets = markets
        self._books = VenueBooks(venue_balances)

    def fold(self, projected_seq: int, rows: list[EventRow]) -> Changes:
        """The changes that `rows` make after `projected_seq`.

        Raises JournalCorrupt when they do not follow it.
        """
        changes = Changes(projected_seq)
        for row in rows:
            if row.first_seq != changes.projected_seq + 1:
                raise JournalCorrupt(
                    f"the history ends at {changes.projected_seq},"
                    f" the next events there are begin at {row.first_seq}"
                )
            self._add(changes, row)
            changes.projected_seq = row.last_seq
            changes.row_count += 1
            changes.byte_count += len(row.events)
        changes.venue_balances = self._books.take_changed(self._shard)
        return changes

    def _add(self, changes: Changes, row: EventRow) -> None:
        directory = Directory(row.events)
        # A market may be defined and traded in one row, and its definition stands at the end.
        for record in directory.last_of((SYSTEM,)):
            self._add_system(changes, directory.payload(record))
        for index in range(directory.count):
            record = directory.record(index)
            if record.kind == PRIVATE:
                changes.account_index.append(index_row(row.first_seq, directory.count, record))
                self._add_private(changes, record.key, directory.payload(record))
            elif record.kind == BALANCE and record.key < FIRMS_ACCOUNTS_START:
                updates = frames_pb2.BalanceUpdates.FromString(directory.payload(record))
                changes.venue_entries += [
                    (account_id, asset_id, seq, row.time_ns, change)
                    for account_id, asset_id, seq, change in self._books.entries(updates)
                ]
            elif record.kind == TRADES:
                trades = market_data.Trades.FromString(directory.payload(record))
                changes.candles.add(record.key, row.time_ns, trades)
            elif record.kind > TRADES:
                break

    def _add_system(self, changes: Changes, payload: bytes) -> None:
        for event in frames_pb2.SystemEvents.FromString(payload).events:
            if event.HasField("market_defined"):
                market = Market.defined(event.market_defined)
                self._markets[market.market_id] = market
                changes.markets.append(market)

    def _add_private(self, changes: Changes, account: int, payload: bytes) -> None:
        account_id = bigint(account)
        for event in events.PrivateEvents.FromString(payload).events:
            match event.WhichOneof("event"):
                case "execution_report":
                    if changes.orders.add(account_id, event) == TRADE:
                        changes.fills.append(self._fill_row(account_id, event))
                case "prevented_match":
                    changes.prevented_matches.append(
                        (account_id, event.account_seq, event.SerializeToString())
                    )
                case "money_report":
                    row = ledger.money_row(account_id, event)
                    if row is not None:
                        changes.money.append(row)

    def _fill_row(self, account_id: int, event: events.PrivateEvent) -> tuple[Any, ...]:
        report = event.execution_report
        return (
            account_id,
            event.account_seq,
            event.seq,
            event.sequenced_ns,
            report.market_id,
            report.order_id,
            report.trade_id,
            *ledger.fill(self._markets[report.market_id], report),
            event.SerializeToString(),
        )


def index_row(first_seq: int, frame_count: int, record: Record) -> tuple[Any, ...]:
    """Columns of history.account_index from account_id on."""
    payloads_start = HEAD.size + frame_count * RECORD.size
    return (
        bigint(record.key),
        record.first,
        record.last,
        first_seq,
        payloads_start + record.offset,
        record.length,
    )
