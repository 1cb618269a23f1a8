"""One row of the journal held against everything known before it: answers, markets, money.

Called by `check`, row after row.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cambist.internal.journal.v1 import frames_pb2
from cambist.orders.v1 import events_pb2
from venue.checker import frames, once
from venue.checker.accounts import Accounts
from venue.checker.answers import Answer, answer_of, record_of
from venue.checker.clients import ClientLog
from venue.checker.commands import CommandRow, Sent
from venue.checker.findings import Findings, Kind
from venue.checker.frames import Frame
from venue.checker.markets import Markets
from venue.checker.money import Money
from venue.checker.rows import JournalRow
from venue.client_log import Record

Events = dict[tuple[int, int], Record]


@dataclass(slots=True)
class RowPass:
    """State of the venue as the rows so far tell it."""

    findings: Findings
    ids: once.Ids
    logs: Sequence[ClientLog]
    command_count: int = 0
    markets: Markets = field(init=False)
    money: Money = field(init=False)
    accounts: Accounts = field(init=False)
    # Index of the log that an account's client writes.
    log_of: dict[int, int] = field(init=False)
    # Commands of the present row that have no answer so far.
    _unanswered: dict[int, Sent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.markets = Markets(self.findings)
        self.money = Money(self.findings)
        self.accounts = Accounts(self.findings, self.markets, self.money)
        self.log_of = {
            account_id: index
            for index, log in enumerate(self.logs)
            for account_id in log.account_ids
        }

    def take(self, row: JournalRow, sent: CommandRow, found: Sequence[Frame]) -> None:
        """One row. Raises DecodeError when a frame is no message of its kind."""
        self._take_commands(row, sent)
        self._take_public(found)
        told: list[Events] = [{} for _ in self.logs]
        for frame in found:
            if frame.kind == frames.PRIVATE:
                self._take_private(frame, sent, told)
            elif frame.kind == frames.SESSION:
                self._take_session(frame.payload, sent)
            elif frame.kind == frames.BALANCE:
                for update in frames_pb2.BalanceUpdates.FromString(frame.payload).updates:
                    self.money.tell(update)
        self.markets.end_row()
        self.money.end_row(row.last_seq)
        for log, events in zip(self.logs, told, strict=True):
            log.take_row(row.last_seq, events)
        for command in self._unanswered.values():
            text = f"command {command.seq} ({command.kind}) has no answer in its row"
            self.findings.add(Kind.UNANSWERED, text)

    def _take_commands(self, row: JournalRow, sent: CommandRow) -> None:
        self.command_count += sent.count
        if (sent.first_seq, sent.time_ns) != (row.first_seq, row.time_ns) or (
            sent.count != row.last_seq - row.first_seq + 1
        ):
            self.findings.add(Kind.SEQUENCE, f"row {row.first_seq} holds {sent.count} commands")
        self._unanswered = dict(sent.commands)
        for command in sent.commands.values():
            if command.id and command.kind != "resolve":
                self.ids.note(command.id, command.account_id, once.IN_COMMANDS)

    def _take_public(self, found: Sequence[Frame]) -> None:
        """Definitions, then books, then trades: private events refer to all of them."""
        for frame in found:
            if frame.kind == frames.SYSTEM:
                for event in frames_pb2.SystemEvents.FromString(frame.payload).events:
                    which = event.WhichOneof("event")
                    if which == "market_defined":
                        self.markets.define(event.seq, event.market_defined)
                    elif which == "answer":
                        self._unanswered.pop(event.seq, None)
        for frame in found:
            if frame.kind == frames.L3:
                self.markets.take_l3(frame.key, frame.payload)
        for frame in found:
            if frame.kind == frames.TRADES:
                self.markets.take_trades(frame.key, frame.payload)

    def _take_private(self, frame: Frame, sent: CommandRow, told: list[Events]) -> None:
        log_index = self.log_of.get(frame.key)
        for event in events_pb2.PrivateEvents.FromString(frame.payload).events:
            if event.account_id != frame.key:
                text = f"event of account {event.account_id} in the frame of {frame.key}"
                self.findings.add(Kind.MALFORMED_ROW, text)
            self.accounts.take(event)
            record = record_of(event)
            answer = answer_of(record)
            if answer is not None:
                self._answered(event, answer, sent)
            elif event.WhichOneof("event") == "resolve_report":
                self._unanswered.pop(event.seq, None)
            if log_index is not None:
                told[log_index][event.account_id, event.account_seq] = record

    def _answered(self, event: events_pb2.PrivateEvent, answer: Answer, sent: CommandRow) -> None:
        command = sent.commands.get(event.seq)
        if command is None or command.id != answer.id:
            text = f"sequence {event.seq} answers {answer.id.hex()}, which is not there"
            self.findings.add(Kind.WRONG_ANSWER, text)
        self._unanswered.pop(event.seq, None)
        if not answer.is_repeat:
            what = once.ACCEPTED if answer.is_accepted else once.REFUSED
            self.ids.note(answer.id, event.account_id, what)

    def _take_session(self, payload: bytes, sent: CommandRow) -> None:
        """Commands refused before an account could be told, and envelopes not applied."""
        counts = dict(sent.envelopes)
        for event in events_pb2.SessionEvents.FromString(payload).events:
            which = event.WhichOneof("event")
            if which == "refused":
                self._unanswered.pop(event.seq, None)
            elif which == "not_applied":
                for seq in range(event.seq, event.seq + counts.get(event.seq, 0)):
                    self._unanswered.pop(seq, None)
