"""Section 2, fold64: which change of a command makes it another one."""

from typing import Any, Final

import pytest
from google.protobuf.message import Message

from cambist.orders.v1 import commands_pb2
from tests.reference.venue import BASE, BUY, FIRST, SECOND, SELL, Venue

OWN_ID: Final = {"cl_ord_id", "request_id"}
# Whose command it is decides where its id is looked up.
ACCOUNT: Final = {"account_id"}
LEFT_OUT: Final = {"after_order_seq_no"}
KINDS: Final = ("new_order", "cancel", "amend", "mass_cancel", "transfer", "request_withdrawal")


def commands_of(venue: Venue) -> dict[str, Message]:
    """A command of every kind that has an id; all are refused, so that nothing depends on state."""
    return {
        "new_order": venue.order(FIRST, BUY, 0, 10),
        "cancel": venue.cancel(FIRST, b"x" * 16),
        "amend": venue.amend(FIRST, b"x" * 16, 5, 6),
        "mass_cancel": venue.mass_cancel(FIRST, market_id=1),
        "transfer": venue.transfer(FIRST, FIRST, BASE, 1),
        "request_withdrawal": venue.withdrawal(FIRST, 99, 1),
    }


def other_value(value: Any) -> Any:
    """Another value of the same type that the decoder takes."""
    match value:
        case bool():
            return not value
        case bytes():
            return (value or bytes(16))[:15] + b"\x07"
        case str():
            return value + "x"
        case _:
            return value + 1


def fields_of(kind: str) -> list[str]:
    """Names of the fields of a command."""
    member = commands_pb2.Command.DESCRIPTOR.fields_by_name[kind].message_type
    assert member is not None
    return [field.name for field in member.fields]


CHANGES: Final = [(kind, name) for kind in KINDS for name in fields_of(kind)]


@pytest.mark.parametrize(("kind", "name"), CHANGES)
def test_every_field_but_four_belongs_to_the_body(venue: Venue, kind: str, name: str) -> None:
    sent = commands_of(venue)[kind]
    first = venue.send(sent)
    assert len(first.reasons()) == 1
    setattr(sent, name, other_value(getattr(sent, name)))
    told = venue.send(sent)
    (line,) = told.lines(SECOND if name in ACCOUNT else FIRST)
    if name in OWN_ID | ACCOUNT:
        assert "repeat" not in line
        assert "ID_REUSED" not in line
    elif name in LEFT_OUT:
        assert "repeat of " in line
    else:
        assert line.endswith("ID_REUSED")


def test_present_with_its_default_is_the_same_as_absent(venue: Venue) -> None:
    sent = venue.order(FIRST, BUY, 100, 10)
    venue.send(sent)
    sent.quote_budget_atoms = bytes(16)
    assert venue.send(sent).lines(FIRST)[0].startswith("NEW 10@100 repeat of ")


def by_hand(words: list[int]) -> int:
    """fold64 as the page writes it down, one operation a line."""
    whole = 1 << 64
    h = 0x243F6A8885A308D3
    for word in words:
        h = h ^ word
        h = h * 0x9E3779B97F4A7C15 % whole
        h = (h << 29) % whole | h >> 35
    h = h ^ (h >> 32)
    h = h * 0xD6E8FEB86659FD93 % whole
    return h ^ (h >> 32)


def test_words_of_a_cancel_and_of_a_withdrawal(venue: Venue) -> None:
    cancel = venue.cancel(FIRST, bytes(range(16)), after_order_seq_no=5, expires_after_ms=6)
    venue.send(cancel)
    withdrawal = venue.withdrawal(FIRST, BASE, -1, 3, destination="äddress", quote_expires_ns=-2)
    venue.send(withdrawal)
    kept = {key.id: key.body_hash for row in venue.state.keys.accounts for key in row.keys}
    words = [2, 0x0706050403020100, 0x0F0E0D0C0B0A0908, 0, cancel.sent_time_ns, 6]
    assert kept[cancel.request_id] == by_hand(words)
    text = "äddress".encode()
    assert len(text) == 8
    minus = (1 << 64) - 1
    words = [13, BASE, 4, minus, minus, 3, 0, 8, int.from_bytes(text, "little"), minus - 1]
    assert kept[withdrawal.request_id] == by_hand([*words, withdrawal.sent_time_ns, 0])


def test_words_of_an_order(venue: Venue) -> None:
    sent = venue.order(FIRST, SELL, 100, 10, peg_offset_ticks=-1, hidden=True, tag=3)
    venue.send(sent)
    ((key,),) = [row.keys for row in venue.state.keys.accounts]
    words = [1, sent.market_id, SELL, 1, 1, 100, 10, 0, 0, sent.sent_time_ns, 0, 0, 0, 0, 3]
    later = [0, 1, 0, 0, 0, 0, (1 << 64) - 1]
    assert key.body_hash == by_hand(words + later)
