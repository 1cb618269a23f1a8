"""The check itself: one pass over the journal, with the clients' logs alongside.

Memory holds open orders, balances and one row; ids lie on disk (`once`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.message import DecodeError

from venue.checker import commands, frames, once
from venue.checker.clients import ClientLog, compare_view
from venue.checker.findings import Findings, Kind
from venue.checker.row_pass import RowPass
from venue.checker.rows import ChainCheck, JournalRow


@dataclass(frozen=True, slots=True)
class Report:
    """What the check saw and found."""

    findings: Findings
    row_count: int
    command_count: int
    # Orders accepted by the engine, trades printed, ids acknowledged to clients.
    order_count: int
    trade_count: int
    acknowledged_count: int
    client_event_count: int
    last_seq: int

    @property
    def acknowledged_lost(self) -> int:
        """Orders that a client was told of and that are not in the journal."""
        found = self.findings
        return found.count(Kind.ACKNOWLEDGED_LOST) + found.count(Kind.EVENT_NOT_IN_JOURNAL)

    @property
    def duplicated(self) -> int:
        """What took effect, or was told, more than once."""
        return self.findings.count(Kind.DUPLICATED)

    @property
    def conserves(self) -> bool:
        """Whether no atom came from nowhere or went there."""
        return not any(map(self.findings.count, (Kind.CONSERVATION, Kind.BALANCE)))


@dataclass(slots=True)
class Check:
    """Feed it rows in order with `take`, then ask `finish` for the report."""

    log_paths: Sequence[Path]
    directory: Path
    findings: Findings = field(default_factory=Findings)
    row_count: int = 0
    _chain: ChainCheck = field(init=False)
    _ids: once.Ids = field(init=False)
    _pass: RowPass = field(init=False)

    def __post_init__(self) -> None:
        self._chain = ChainCheck(self.findings)
        self._ids = once.Ids(self.directory)
        logs = [ClientLog(path, self.findings, self._ids) for path in self.log_paths]
        self._pass = RowPass(self.findings, self._ids, logs)

    def take(self, row: JournalRow) -> None:
        """One row of the journal."""
        self.row_count += 1
        self._chain.take(row)
        try:
            sent = commands.read(row.commands)
            found = frames.split(row.events)
            self._pass.take(row, sent, found)
        except (frames.MalformedRow, DecodeError) as error:
            text = f"row {row.first_seq} to {row.last_seq}: {error}"
            self.findings.add(Kind.MALFORMED_ROW, text)

    def take_all(self, rows: Iterable[JournalRow]) -> None:
        """Several rows in order."""
        for row in rows:
            self.take(row)

    def finish(self) -> Report:
        """Judges what can only be judged at the end."""
        rows = self._pass
        for log in rows.logs:
            log.end()
            compare_view(log, rows.accounts, rows.money)
        acknowledged = self._ids.judge(self.findings, frozenset(rows.log_of))
        return Report(
            self.findings,
            self.row_count,
            rows.command_count,
            rows.accounts.accepted_count,
            rows.markets.trade_count,
            acknowledged,
            sum(log.event_count for log in rows.logs),
            self._chain.last_seq,
        )
