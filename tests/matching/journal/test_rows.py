"""The chain of rows: every change of every column breaks it."""

from dataclasses import replace

import pytest

from matching.errors import JournalCorrupt
from matching.journal.rows import Tail, chain, check_link
from tests.matching.journal.rows import applied, row

FIRST = row(Tail(), 3, count=5)


def test_a_row_follows_its_tail() -> None:
    check_link(Tail(), FIRST)
    check_link(FIRST.tail, row(FIRST.tail, 4))


@pytest.mark.parametrize(
    "changed",
    [
        {"first_seq": 2},
        {"last_seq": 6},
        {"last_seq": 0},
        {"epoch": 2},
        {"epoch": -1},
        {"time_ns": 2},
        {"time_ns": -1},
        {"commands": b"x"},
        {"events": b"x"},
        {"state_hash": bytes(32)},
        {"command_row_hash": bytes(32)},
        {"event_row_hash": bytes(32)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_changed_column_breaks_the_chain(changed: dict[str, object]) -> None:
    with pytest.raises(JournalCorrupt, match="row first_seq="):
        check_link(Tail(), replace(FIRST, **changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "tail",
    [
        replace(FIRST.tail, last_seq=4),
        replace(FIRST.tail, epoch=9),
        replace(FIRST.tail, time_ns=99),
        replace(FIRST.tail, command_row_hash=bytes(32)),
        replace(FIRST.tail, event_row_hash=bytes(32)),
    ],
)
def test_a_row_does_not_follow_another_tail(tail: Tail) -> None:
    with pytest.raises(JournalCorrupt):
        check_link(tail, row(FIRST.tail, 4))


def test_the_same_batch_has_other_hashes_in_another_epoch() -> None:
    batch = applied(Tail())
    one, two = chain(batch, 1, Tail()), chain(batch, 2, Tail())
    assert one.command_row_hash != two.command_row_hash
    assert one.event_row_hash != two.event_row_hash
