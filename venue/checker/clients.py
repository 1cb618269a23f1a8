"""Clients' logs beside the journal: every event told is in a row, every event of a row was told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from venue import client_log
from venue.checker import once
from venue.checker.accounts import Accounts
from venue.checker.answers import answer_of
from venue.checker.findings import Findings, Kind
from venue.checker.money import Money
from venue.client_log import Record


@dataclass(slots=True)
class ClientLog:
    """One log while it is read along the journal."""

    path: Path
    findings: Findings
    ids: once.Ids
    client: str = ""
    account_ids: frozenset[int] = frozenset()
    # Events from here on were told; older ones happened before the client came.
    since: dict[int, int] = field(default_factory=dict)
    event_count: int = 0
    _records: Iterator[Record] = field(init=False)
    _head: Record | None = None

    def __post_init__(self) -> None:
        header = client_log.read_header(self.path)
        self.client, self.account_ids = header.client, frozenset(header.account_ids)
        self._records = client_log.read_records(self.path)
        self._advance()

    def _advance(self) -> None:
        """Moves to the next event; commands sent on the way are noted."""
        for record in self._records:
            if record.kind == client_log.EVENT:
                self._head = record
                return
            self.ids.note(record.id, record.account_id, once.SENT)
        self._head = None

    def take_row(self, last_seq: int, events: dict[tuple[int, int], Record]) -> None:
        """The events of the client's accounts in a row, by (account, account_seq)."""
        while (record := self._head) is not None and record.seq <= last_seq:
            self._judge(record, events.pop((record.account_id, record.account_seq), None))
            self._advance()
        for account_id, account_seq in events:
            if account_id in self.since:
                text = f"{self.client}: event {account_seq} of account {account_id}"
                self.findings.add(Kind.EVENT_NOT_TOLD, text)

    def _judge(self, record: Record, journaled: Record | None) -> None:
        self.event_count += 1
        name = f"{self.client}: event {record.account_seq} of account {record.account_id}"
        if record.account_seq <= self.since.get(record.account_id, 0):
            self.findings.add(Kind.DUPLICATED, f"{name} was told twice")
        elif journaled is None:
            self.findings.add(Kind.EVENT_NOT_IN_JOURNAL, f"{name}, sequence {record.seq}")
        elif journaled != record:
            text = f"{name} was told as {record}, the journal has {journaled}"
            self.findings.add(Kind.EVENT_NOT_IN_JOURNAL, text)
        self.since[record.account_id] = record.account_seq
        answer = answer_of(record)
        if answer is not None:
            what = once.TOLD_ACCEPTED if answer.is_accepted else once.TOLD_REFUSED
            self.ids.note(answer.id, record.account_id, what)

    def end(self) -> None:
        """What is left was told and is in no row."""
        while (record := self._head) is not None:
            self._judge(record, None)
            self._advance()


def compare_view(log: ClientLog, accounts: Accounts, money: Money) -> None:
    """The client's last word against the journal: open orders, filled quantities, balances."""
    view = client_log.read_view(log.path)
    findings = log.findings
    if view is None or not view.complete:
        findings.add(Kind.UNANSWERED, f"{log.client} did not come to an end")
        return
    engine_orders = {
        order_id: (order.account_id, order.leaves_lots, order.cum_lots)
        for order_id, order in accounts.orders.items()
        if order.account_id in log.account_ids
    }
    for order_id in engine_orders.keys() | view.open_orders.keys():
        ours, theirs = engine_orders.get(order_id), view.open_orders.get(order_id)
        if ours != theirs:
            text = f"{log.client}: order {order_id} is {theirs}, the journal has {ours}"
            findings.add(Kind.CLIENT_VIEW, text)
    for (account_id, asset_id), balance in view.balances.items():
        available, held, _ = money.told.get((account_id, asset_id), (0, 0, 0))
        if (available, held) != balance:
            text = f"{log.client}: account {account_id}, asset {asset_id}: {balance}"
            findings.add(Kind.CLIENT_VIEW, f"{text}, the journal has {(available, held)}")
