"""What goes wrong on purpose: one place of the evidence is changed, and the check must fail.

Journals are changed as a faulty engine would have written them: all hashes after the place are
computed anew, so that only what the rows say can give the fault away.
"""

import enum
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from cambist.internal.journal.v1 import frames_pb2
from cambist.orders.v1 import enums_pb2, events_pb2
from venue import client_log
from venue.checker import frames
from venue.checker.frames import Frame
from venue.checker.money import FIRST_FIRM_ACCOUNT
from venue.checker.rows import NO_HASH, JournalRow, chained_state_hash, row_hash


class Plant(enum.StrEnum):
    """Each must be found by the check."""

    # A client was never told of one event.
    LOST_EVENT = "lost_event"
    # A fill is told twice to its owner.
    DOUBLED_FILL = "doubled_fill"
    # An acknowledged order is not in the journal.
    LOST_ORDER = "lost_order"
    # A balance is one atom more than it should be.
    BROKEN_BALANCE = "broken_balance"
    # A fee is one atom less than was booked.
    BROKEN_FEE = "broken_fee"
    # A row of an old epoch stands after one of a newer epoch.
    STALE_EPOCH = "stale_epoch"
    # One bit of a row is another.
    FLIPPED_BIT = "flipped_bit"
    # A whole row is missing.
    LOST_ROW = "lost_row"
    # A client believes that an open order is filled further than it is.
    WRONG_VIEW = "wrong_view"


EditRow = Callable[[JournalRow], JournalRow | None]
EditFrame = Callable[[Frame], Frame | None]


def plant_log(plant: Plant, log_paths: Iterable[Path]) -> bool:
    """Changes a client's log when the plant is of that kind; whether it did."""
    paths = sorted(log_paths)
    if plant is Plant.LOST_EVENT:
        return any(_drop_event(path) for path in paths[:1])
    if plant is Plant.WRONG_VIEW:
        return any(_change_view(path) for path in paths)
    return False


def _drop_event(path: Path) -> bool:
    """Takes out the event in the middle of a log."""
    raw = path.read_bytes()
    start = raw.index(b"\n") + 1
    size = client_log.RECORD.size
    count = (len(raw) - start) // size
    for index in range(count // 2, count):
        place = start + index * size
        if raw[place] == client_log.EVENT:
            path.write_bytes(raw[:place] + raw[place + size :])
            return True
    return False


def _change_view(path: Path) -> bool:
    view = client_log.read_view(path)
    if view is None or not view.open_orders:
        return False
    order_id, (account_id, leaves, cum) = next(iter(view.open_orders.items()))
    orders = {**view.open_orders, order_id: (account_id, leaves - 1, cum + 1)}
    client_log.write_view(path, replace(view, open_orders=orders))
    return True


class RowPlant:
    """Passes rows on; the first fitting one after a sequence is changed. `is_done` tells."""

    def __init__(self, plant: Plant, after_seq: int) -> None:
        self._edit = ROW_EDITS.get(plant)
        self._after_seq = after_seq
        self._rehasher = Rehasher(keeps_hashes=plant is Plant.FLIPPED_BIT)
        self.is_done = False

    def take(self, row: JournalRow) -> JournalRow | None:
        """The row as the check shall see it; None for a row that is gone."""
        if self._edit is not None and not self.is_done and row.last_seq > self._after_seq:
            changed = self._edit(row)
            self.is_done = changed is not row
            if changed is None:
                return None
            row = changed
        return self._rehasher.take(row)


class Rehasher:
    """Computes the hashes of rows anew, as their writer would have."""

    def __init__(self, *, keeps_hashes: bool) -> None:
        self._keeps_hashes = keeps_hashes
        self._state = self._commands = self._events = NO_HASH

    def take(self, row: JournalRow) -> JournalRow:
        """The next row with fitting hashes."""
        if self._keeps_hashes:
            return row
        self._state = chained_state_hash(self._state, row)
        row = replace(row, state_hash=self._state)
        self._commands = row_hash(self._commands, row, row.commands)
        self._events = row_hash(self._events, row, row.events)
        return replace(row, command_row_hash=self._commands, event_row_hash=self._events)


def edit_frames(edit: EditFrame) -> EditRow:
    """Changes the first frame that `edit` wants to change; the same row when there is none."""

    def edit_row(row: JournalRow) -> JournalRow | None:
        found = frames.split(row.events)
        for index, frame in enumerate(found):
            changed = edit(frame)
            if changed is not frame:
                found[index : index + 1] = [] if changed is None else [changed]
                return replace(row, events=frames.join(found))
        return row

    return edit_row


def _is_report(event: events_pb2.PrivateEvent, exec_type: int) -> bool:
    report = event.execution_report
    return event.WhichOneof("event") == "execution_report" and report.exec_type == exec_type


def _double_fill(frame: Frame) -> Frame | None:
    if frame.kind != frames.PRIVATE:
        return frame
    container = events_pb2.PrivateEvents.FromString(frame.payload)
    for event in container.events:
        if _is_report(event, enums_pb2.EXEC_TYPE_TRADE):
            last = container.events[-1].account_seq
            double = container.events.add()
            double.CopyFrom(event)
            double.account_seq = last + 1
            payload = container.SerializeToString(deterministic=True)
            return replace(frame, events=frame.events + 1, last=last + 1, payload=payload)
    return frame


def _lose_order(frame: Frame) -> Frame | None:
    if frame.kind != frames.PRIVATE:
        return frame
    events = events_pb2.PrivateEvents.FromString(frame.payload).events
    has_order = any(_is_report(event, enums_pb2.EXEC_TYPE_NEW) for event in events)
    return None if has_order else frame


def _break_balance(frame: Frame) -> Frame | None:
    if frame.kind != frames.BALANCE or frame.key < FIRST_FIRM_ACCOUNT:
        return frame
    container = frames_pb2.BalanceUpdates.FromString(frame.payload)
    update = container.updates[0]
    available = int.from_bytes(update.available_atoms, "little", signed=True) + 1
    update.available_atoms = available.to_bytes(16, "little", signed=True)
    return replace(frame, payload=container.SerializeToString(deterministic=True))


def _break_fee(frame: Frame) -> Frame | None:
    if frame.kind != frames.PRIVATE:
        return frame
    container = events_pb2.PrivateEvents.FromString(frame.payload)
    for event in container.events:
        if _is_report(event, enums_pb2.EXEC_TYPE_TRADE):
            report = event.execution_report
            fee = int.from_bytes(report.fee_atoms, "little", signed=True) - 1
            report.fee_atoms = fee.to_bytes(16, "little", signed=True) if fee else b""
            return replace(frame, payload=container.SerializeToString(deterministic=True))
    return frame


def _flip_bit(row: JournalRow) -> JournalRow | None:
    middle = len(row.commands) // 2
    flipped = bytearray(row.commands)
    flipped[middle] ^= 1
    return replace(row, commands=bytes(flipped))


def _stale_epoch(row: JournalRow) -> JournalRow | None:
    return replace(row, epoch=row.epoch - 1)


ROW_EDITS: dict[Plant, EditRow] = {
    Plant.DOUBLED_FILL: edit_frames(_double_fill),
    Plant.LOST_ORDER: edit_frames(_lose_order),
    Plant.BROKEN_BALANCE: edit_frames(_break_balance),
    Plant.BROKEN_FEE: edit_frames(_break_fee),
    Plant.STALE_EPOCH: _stale_epoch,
    Plant.FLIPPED_BIT: _flip_bit,
    Plant.LOST_ROW: lambda _row: None,
}
