"""Balances computed from events, held against the balances that the engine tells.

Firms' accounts and FEES are computed wholly. The other venue accounts have no private events: for
them the engine's word is taken, and the sum over all accounts must be zero in every asset.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from cambist.internal.journal.v1 import frames_pb2
from cambist.orders.v1 import events_pb2
from venue.checker.findings import Findings, Kind

FEES: Final = 1
FIRST_FIRM_ACCOUNT: Final = 4_096
Key = tuple[int, int]

_IN: Final = frozenset(
    {
        int(events_pb2.MONEY_KIND_CREDIT),
        int(events_pb2.MONEY_KIND_TRANSFER_IN),
        int(events_pb2.MONEY_KIND_ADJUSTED),
        int(events_pb2.MONEY_KIND_SHARD_IN),
    }
)
_OUT: Final = frozenset(
    {
        int(events_pb2.MONEY_KIND_CREDIT_REVERSED),
        int(events_pb2.MONEY_KIND_TRANSFER_OUT),
        int(events_pb2.MONEY_KIND_SHARD_OUT),
    }
)
_REQUESTED: Final = int(events_pb2.MONEY_KIND_WITHDRAWAL_REQUESTED)
_STARTED: Final = int(events_pb2.MONEY_KIND_WITHDRAWAL_STARTED)
_SETTLED: Final = int(events_pb2.MONEY_KIND_WITHDRAWAL_SETTLED)
_RELEASED: Final = int(events_pb2.MONEY_KIND_WITHDRAWAL_RELEASED)
_REOPENED: Final = int(events_pb2.MONEY_KIND_WITHDRAWAL_REOPENED)


def atoms(raw: bytes) -> int:
    """Atoms from 16 bytes, little-endian two's complement; absent = 0."""
    return int.from_bytes(raw, "little", signed=True)


@dataclass(slots=True)
class Money:
    """Totals, holds and in-flight sums per (account, asset), computed and told."""

    findings: Findings
    total: defaultdict[Key, int] = field(default_factory=lambda: defaultdict(int))
    held: defaultdict[Key, int] = field(default_factory=lambda: defaultdict(int))
    in_flight: defaultdict[Key, int] = field(default_factory=lambda: defaultdict(int))
    # (available, held, in flight) as the engine told them last.
    told: dict[Key, tuple[int, int, int]] = field(default_factory=dict)
    sums: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    _touched: set[Key] = field(default_factory=set)
    _started: set[bytes] = field(default_factory=set)

    def add(self, account_id: int, asset_id: int, change: int) -> None:
        """An event moved the account's total."""
        key = account_id, asset_id
        self.total[key] += change
        self._touched.add(key)

    def move_hold(self, account_id: int, before: Key, after: Key) -> None:
        """An order's hold changed; both are (asset, atoms) of one asset."""
        key = account_id, after[0]
        self.held[key] += after[1] - before[1]
        self._touched.add(key)

    def report(self, account_id: int, report: events_pb2.MoneyReport) -> None:
        """A report of money that moved other than by trading."""
        kind, asset_id = int(report.kind), report.asset_id
        value = atoms(report.amount_atoms)
        if kind in _IN:
            self.add(account_id, asset_id, value)
        elif kind in _OUT:
            self.add(account_id, asset_id, -value)
        else:
            self._withdrawal(kind, (account_id, asset_id), report, value)

    def _withdrawal(self, kind: int, key: Key, report: events_pb2.MoneyReport, value: int) -> None:
        fee = atoms(report.fee_atoms)
        both = value + fee
        self._touched.add(key)
        if kind == _REQUESTED:
            self.held[key] += both
        elif kind == _STARTED:
            self.held[key] -= both
            self.in_flight[key] += both
            self._started.add(report.id)
        elif kind == _RELEASED:
            is_started = report.id in self._started
            (self.in_flight if is_started else self.held)[key] -= both
            self._started.discard(report.id)
        elif kind in (_SETTLED, _REOPENED):
            sign = 1 if kind == _REOPENED else -1
            self.in_flight[key] += sign * both
            self.total[key] += sign * both
            self.add(FEES, key[1], -sign * fee)

    def tell(self, update: frames_pb2.BalanceUpdate) -> None:
        """A balance as the engine tells it after a row."""
        key = update.account_id, update.asset_id
        now = (
            atoms(update.available_atoms),
            atoms(update.held_atoms),
            atoms(update.in_flight_atoms),
        )
        before = self.told.get(key, (0, 0, 0))
        self.sums[key[1]] += sum(now) - sum(before)
        self.told[key] = now
        self._touched.add(key)

    def end_row(self, last_seq: int) -> None:
        """What was touched agrees, and every asset sums to zero over all accounts."""
        for account_id, asset_id in self._touched:
            self._compare(last_seq, account_id, asset_id)
        for asset_id in {asset_id for _, asset_id in self._touched}:
            if self.sums[asset_id]:
                text = f"after {last_seq}: asset {asset_id} sums to {self.sums[asset_id]}"
                self.findings.add(Kind.CONSERVATION, text)
        self._touched.clear()

    def _compare(self, last_seq: int, account_id: int, asset_id: int) -> None:
        if account_id < FIRST_FIRM_ACCOUNT and account_id != FEES:
            return
        key = account_id, asset_id
        held, in_flight = self.held[key], self.in_flight[key]
        computed = self.total[key] - held - in_flight, held, in_flight
        told = self.told.get(key, (0, 0, 0))
        if computed != told:
            text = (
                f"after {last_seq}: account {account_id}, asset {asset_id}: the engine tells "
                f"{told}, events make {computed} (available, held, in flight)"
            )
            self.findings.add(Kind.BALANCE, text)
