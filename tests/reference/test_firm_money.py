"""Section 7: Transfer and RequestWithdrawal."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from cambist.internal.journal.v1 import frames_pb2
from cambist.orders.v1 import events_pb2 as events
from tests.differential.flow.messages import amount
from tests.reference.venue import BASE, BUY, FIRST, QUOTE, SECOND, STRANGER, WEALTH, Venue

AMOUNT_ATOMS_MAX: Final = 1 << 120
BALANCE_ATOMS_MAX: Final = 1 << 126
Prepare = Callable[[Venue], object] | None


def test_a_transfer_is_told_to_both(venue: Venue) -> None:
    sent = venue.transfer(FIRST, SECOND, QUOTE, 70)
    told = venue.send(sent)
    common: dict[str, Any] = {
        "id": sent.request_id,
        "asset_id": QUOTE,
        "amount_atoms": amount(70),
    }
    kinds = events.MoneyKind
    out, into = kinds.Value("MONEY_KIND_TRANSFER_OUT"), kinds.Value("MONEY_KIND_TRANSFER_IN")
    assert told.money_reports(FIRST) == [
        events.MoneyReport(kind=out, counterparty_account_id=SECOND, **common)
    ]
    assert told.money_reports(SECOND) == [
        events.MoneyReport(kind=into, counterparty_account_id=FIRST, **common)
    ]
    assert venue.balance(FIRST, QUOTE) == (WEALTH - 70, 0, 0)
    assert venue.balance(SECOND, QUOTE) == (WEALTH + 70, 0, 0)


TRANSFERS: Final[list[tuple[str, Prepare, dict[str, Any]]]] = [
    ("INVALID_COMBINATION", None, {"to_account_id": FIRST, "asset_id": 99}),
    ("UNKNOWN_ACCOUNT", None, {"to_account_id": 9_999, "asset_id": 99}),
    ("UNKNOWN_ACCOUNT", None, {"to_account_id": 1}),
    ("FOREIGN_ACCOUNT", None, {"to_account_id": STRANGER, "asset_id": 99}),
    ("UNKNOWN_ASSET", None, {"asset_id": 99, "amount_atoms": b""}),
    ("INVALID_AMOUNT", None, {"amount_atoms": b""}),
    ("INVALID_AMOUNT", None, {"amount_atoms": amount(-1)}),
    ("INVALID_AMOUNT", lambda v: v.freeze(FIRST), {"amount_atoms": amount(AMOUNT_ATOMS_MAX + 1)}),
    ("ACCOUNT_FROZEN", lambda v: v.freeze(FIRST), {"amount_atoms": amount(AMOUNT_ATOMS_MAX)}),
    ("KILLED", lambda v: v.kill_account(FIRST), {"amount_atoms": amount(AMOUNT_ATOMS_MAX)}),
    ("INSUFFICIENT_FUNDS", None, {"amount_atoms": amount(WEALTH + 1)}),
]


@pytest.mark.parametrize(("reason", "prepare", "fields"), TRANSFERS)
def test_a_refused_transfer_moves_nothing(
    venue: Venue, reason: str, prepare: Prepare, fields: dict[str, Any]
) -> None:
    if prepare is not None:
        prepare(venue)
    before = venue.state.money
    sent = venue.transfer(FIRST, SECOND, QUOTE, 1)
    for name, value in fields.items():
        setattr(sent, name, value)
    told = venue.send(sent)
    assert told.reasons() == [reason]
    assert told.money_reports(FIRST)[0].kind == events.MONEY_KIND_TRANSFER_OUT
    assert venue.state.money == before


def test_all_that_is_free_may_be_moved_and_nothing_of_what_is_held(venue: Venue) -> None:
    venue.place(FIRST, BUY, 100, 10)
    free = venue.available(FIRST, QUOTE)
    assert venue.send(venue.transfer(FIRST, SECOND, QUOTE, free + 1)).reasons() == [
        "INSUFFICIENT_FUNDS"
    ]
    assert venue.send(venue.transfer(FIRST, SECOND, QUOTE, free)).reasons() == []
    assert venue.balance(FIRST, QUOTE) == (0, 5_010, 0)


def test_a_balance_that_would_pass_the_bound_is_refused(venue: Venue) -> None:
    venue.set_available(SECOND, BASE, 0)
    for number in range(65):
        # From two places, as each has the same bound.
        if number % 2:
            venue.credit(FIRST, BASE, AMOUNT_ATOMS_MAX)
        else:
            venue.set_available(FIRST, BASE, AMOUNT_ATOMS_MAX)
        told = venue.send(venue.transfer(FIRST, SECOND, BASE, AMOUNT_ATOMS_MAX))
        assert told.reasons() == (["BALANCE_OVERFLOW"] if number == 64 else [])
    assert venue.available(SECOND, BASE) == BALANCE_ATOMS_MAX


def test_a_withdrawal_holds_amount_and_fee_and_is_told_to_custody(venue: Venue) -> None:
    sent = venue.withdrawal(
        FIRST, QUOTE, 70, 5, destination="bc1", quote_expires_ns=venue.now + 10**9
    )
    told = venue.send(sent)
    assert told.money_reports(FIRST) == [
        events.MoneyReport(
            kind=events.MONEY_KIND_WITHDRAWAL_REQUESTED,
            id=sent.request_id,
            asset_id=QUOTE,
            amount_atoms=amount(70),
            fee_atoms=amount(5),
        )
    ]
    (event,) = told.system_events()
    assert event.withdrawal_requested == frames_pb2.WithdrawalRequested(
        withdrawal_id=sent.request_id,
        account_id=FIRST,
        asset_id=QUOTE,
        network_id=4,
        amount_atoms=amount(70),
        fee_atoms=amount(5),
        destination="bc1",
        quote_expires_ns=sent.quote_expires_ns,
    )
    assert venue.balance(FIRST, QUOTE) == (WEALTH - 75, 75, 0)


def taken(venue: Venue) -> None:
    """The id of the next withdrawal but one is in use by another account."""
    venue.send(venue.withdrawal(SECOND, QUOTE, 1, request_id=b"t" * 16))


WITHDRAWALS: Final[list[tuple[str, Prepare, dict[str, Any]]]] = [
    ("UNKNOWN_ASSET", None, {"asset_id": 99, "amount_atoms": b""}),
    ("INVALID_AMOUNT", None, {"amount_atoms": b"", "quote_expires_ns": 1}),
    ("INVALID_AMOUNT", None, {"amount_atoms": amount(AMOUNT_ATOMS_MAX + 1)}),
    ("INVALID_AMOUNT", None, {"fee_atoms": amount(-1)}),
    ("INVALID_AMOUNT", None, {"fee_atoms": amount(AMOUNT_ATOMS_MAX + 1)}),
    ("EXPIRED", lambda v: v.freeze(FIRST), {"quote_expires_ns": 1}),
    ("EXPIRED", None, {"quote_expires_ns": -1}),
    ("ACCOUNT_FROZEN", lambda v: v.freeze(FIRST), {"request_id": b"t" * 16}),
    ("KILLED", lambda v: v.kill_account(FIRST), {"request_id": b"t" * 16}),
    ("DUPLICATE_ID", taken, {"request_id": b"t" * 16, "amount_atoms": amount(AMOUNT_ATOMS_MAX)}),
    ("INSUFFICIENT_FUNDS", None, {"fee_atoms": amount(WEALTH)}),
    ("INSUFFICIENT_FUNDS", None, {"amount_atoms": amount(WEALTH)}),
]


@pytest.mark.parametrize(("reason", "prepare", "fields"), WITHDRAWALS)
def test_a_refused_withdrawal_holds_nothing(
    venue: Venue, reason: str, prepare: Prepare, fields: dict[str, Any]
) -> None:
    if prepare is not None:
        prepare(venue)
    before = venue.state.money
    sent = venue.withdrawal(FIRST, QUOTE, 1, 1)
    for name, value in fields.items():
        setattr(sent, name, value)
    told = venue.send(sent)
    assert told.reasons() == [reason]
    assert told.money_reports(FIRST)[0].kind == events.MONEY_KIND_WITHDRAWAL_REQUESTED
    assert told.system_events() == []
    assert venue.state.money == before


def test_a_quote_holds_until_its_end(venue: Venue) -> None:
    # The batch comes a microsecond after the clock of the test.
    for late_ns, reasons in ((0, []), (1, ["EXPIRED"])):
        sent = venue.withdrawal(FIRST, QUOTE, 1, 1, quote_expires_ns=venue.now + 1_000 - late_ns)
        assert venue.send(sent).reasons() == reasons


def test_a_withdrawal_without_a_fee_of_all_there_is(venue: Venue) -> None:
    assert venue.send(venue.withdrawal(FIRST, QUOTE, WEALTH)).reasons() == []
    assert venue.balance(FIRST, QUOTE) == (0, WEALTH, 0)
