"""Section 7: commands of custody: numbers, deposits, withdrawals, other shards, adjustments."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import events_pb2 as events
from tests.differential.flow.messages import amount
from tests.reference.told import Told
from tests.reference.venue import (
    ACCOUNTS,
    BASE,
    FIRST,
    QUOTE,
    SECOND,
    SELL,
    STRANGER,
    WEALTH,
    Venue,
)

FEES, INSURANCE, SUSPENSE, EXTERNAL = 1, 2, 3, 4
PEER, IN_TRANSIT_PEER = 7, 16 + 7
MOST: Final = 1 << 120
DEPOSIT: Final = b"d" * 16
Prepare = Callable[[Venue], object]


def reason(told: Told) -> str:
    """The reason of the only answer."""
    (answer,) = (event.answer for event in told.system_events() if event.HasField("answer"))
    assert (answer.correlation, answer.index) == (7, 0)
    return told.reasons()[-1] if answer.reason else ""


# --- numbers of sources


def credit(source_id: int, source_seq: int, **fields: Any) -> system.Credit:
    """A credit of one atom with an id of its own."""
    values: dict[str, Any] = {
        "deposit_id": bytes(7) + bytes([source_id]) + source_seq.to_bytes(8, "big"),
        "account_id": FIRST,
        "asset_id": BASE,
        "amount_atoms": amount(1),
    }
    return system.Credit(source_id=source_id, source_seq=source_seq, **(values | fields))


def test_numbers_of_a_source_go_up_by_one(venue: Venue) -> None:
    for source_seq, expected in (
        (2, "SOURCE_GAP"),
        (0, "SOURCE_REPEAT"),
        (1, ""),
        (1, "SOURCE_REPEAT"),
        (3, "SOURCE_GAP"),
        (2, ""),
    ):
        assert reason(venue.operate(credit(30, source_seq))) == expected
    assert reason(venue.operate(credit(0, 1))) == "INVALID_PARAMETER"
    assert reason(venue.operate(credit(31, 1))) == ""
    assert venue.available(FIRST, BASE) == WEALTH + 3


def test_a_refused_command_uses_its_number_up(venue: Venue) -> None:
    assert reason(venue.operate(credit(30, 1, asset_id=99))) == "UNKNOWN_ASSET"
    assert reason(venue.operate(credit(30, 1))) == "SOURCE_REPEAT"
    assert reason(venue.operate(credit(30, 2))) == ""


def test_a_number_that_is_refused_changes_nothing(venue: Venue) -> None:
    before = venue.state.money
    for source_seq in (5, 0):
        told = venue.operate(credit(30, source_seq))
        assert len(told.frames) == 1
    assert venue.state.money == before


# --- deposits


def test_a_credit_is_told_and_comes_from_outside(venue: Venue) -> None:
    outside = venue.available(EXTERNAL, BASE)
    told = venue.credit(FIRST, BASE, 5, DEPOSIT)
    assert told.money_reports() == [
        events.MoneyReport(
            kind=events.MONEY_KIND_CREDIT, id=DEPOSIT, asset_id=BASE, amount_atoms=amount(5)
        )
    ]
    assert venue.available(FIRST, BASE) == WEALTH + 5
    assert venue.available(EXTERNAL, BASE) == outside - 5


def test_a_credit_that_is_taken_back_may_leave_less_than_nothing(venue: Venue) -> None:
    venue.credit(STRANGER, BASE, 5, DEPOSIT)
    venue.set_available(STRANGER, BASE, 2)
    told = venue.custody(system.ReverseCredit(deposit_id=DEPOSIT))
    assert told.lines(STRANGER) == ["CREDIT_REVERSED 5"]
    assert venue.balance(STRANGER, BASE) == (-3, 0, 0)
    again = venue.custody(system.ReverseCredit(deposit_id=DEPOSIT))
    assert reason(again) == "DEPOSIT_STATE"
    # Who owes may neither sell nor withdraw, but may be credited again.
    assert venue.send(venue.order(STRANGER, SELL, 100, 1)).reasons() == ["INSUFFICIENT_FUNDS"]
    assert reason(venue.credit(STRANGER, BASE, 5, DEPOSIT)) == ""
    assert venue.available(STRANGER, BASE) == 2


@pytest.mark.parametrize(
    ("account", "asset", "quantity"), [(SECOND, BASE, 5), (FIRST, QUOTE, 5), (FIRST, BASE, 6)]
)
def test_another_deposit_of_the_same_id_is_refused(
    venue: Venue, account: int, asset: int, quantity: int
) -> None:
    venue.credit(FIRST, BASE, 5, DEPOSIT)
    venue.custody(system.ReverseCredit(deposit_id=DEPOSIT))
    assert reason(venue.credit(account, asset, quantity, DEPOSIT)) == "DEPOSIT_STATE"
    assert reason(venue.credit(FIRST, BASE, 5, DEPOSIT)) == ""
    assert reason(venue.credit(FIRST, BASE, 5, DEPOSIT)) == "DEPOSIT_STATE"


@pytest.mark.parametrize("account", [9_999, 1, EXTERNAL])
def test_a_deposit_without_an_owner_goes_to_suspense(venue: Venue, account: int) -> None:
    told = venue.credit(account, BASE, 5, DEPOSIT)
    assert reason(told) == "UNKNOWN_ACCOUNT"
    assert told.money_reports() == []
    assert venue.available(SUSPENSE, BASE) == 5
    assert venue.state.money.deposits[-1].account_id == SUSPENSE
    venue.custody(system.ReverseCredit(deposit_id=DEPOSIT))
    # Credited again it goes to the account of the record, whatever is said.
    assert reason(venue.credit(FIRST, BASE, 5, DEPOSIT)) == ""
    assert venue.available(SUSPENSE, BASE) == 5
    assert venue.available(FIRST, BASE) == WEALTH


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"asset_id": 99, "amount_atoms": b""}, "UNKNOWN_ASSET"),
        ({"amount_atoms": b"", "account_id": 9_999}, "INVALID_AMOUNT"),
        ({"amount_atoms": amount(-5)}, "INVALID_AMOUNT"),
        ({"amount_atoms": amount(MOST + 1)}, "INVALID_AMOUNT"),
    ],
)
def test_a_deposit_that_cannot_be_is_refused(
    venue: Venue, fields: dict[str, Any], expected: str
) -> None:
    before = venue.state.money.balances
    assert reason(venue.operate(credit(30, 1, **fields))) == expected
    assert list(venue.state.money.balances) == list(before)


def test_a_final_deposit_is_forgotten(venue: Venue) -> None:
    venue.credit(FIRST, BASE, 5, DEPOSIT)
    told = venue.custody(system.FinalizeCredit(deposit_id=DEPOSIT))
    assert told.system() == ["answer"]
    assert told.money_reports() == []
    for command in (system.FinalizeCredit, system.ReverseCredit):
        assert reason(venue.custody(command(deposit_id=DEPOSIT))) == "UNKNOWN_DEPOSIT"
    assert reason(venue.credit(FIRST, BASE, 5, DEPOSIT)) == ""


# --- withdrawals

STEPS: Final[dict[str, type[Any]]] = {
    "start": system.StartWithdrawal,
    "settle": system.SettleWithdrawal,
    "release": system.ReleaseWithdrawal,
    "reopen": system.ReopenWithdrawal,
    "finalize": system.FinalizeWithdrawal,
}
PATHS: Final = {
    "requested": (),
    "started": ("start",),
    "settled": ("start", "settle"),
    "released": ("release",),
    "released after start": ("start", "release"),
    "reopened": ("start", "settle", "reopen"),
}
# What a withdrawal of 70 and 5 of fee is in each state: of its account, fees and outside.
MONEY: Final = {
    "requested": ((-75, 75, 0), 0, 0),
    "started": ((-75, 0, 75), 0, 0),
    "settled": ((-75, 0, 0), 5, 70),
    "released": ((0, 0, 0), 0, 0),
    "released after start": ((0, 0, 0), 0, 0),
    "reopened": ((-75, 0, 75), 0, 0),
}
PERMITTED: Final = {
    "requested": {"start": "started", "release": "released"},
    "started": {"settle": "settled", "release": "released"},
    "settled": {"reopen": "reopened", "finalize": ""},
    "released": {"finalize": ""},
    "released after start": {"finalize": ""},
    "reopened": {"settle": "settled", "release": "released"},
}
TOLD: Final = {
    "start": "WITHDRAWAL_STARTED 70 fee 5",
    "settle": "WITHDRAWAL_SETTLED 70 fee 5",
    "release": "WITHDRAWAL_RELEASED 70 fee 5",
    "reopen": "WITHDRAWAL_REOPENED 70 fee 5",
}


def withdrawal_in(venue: Venue, state: str) -> bytes:
    """A withdrawal that came to a state; its id."""
    sent = venue.withdrawal(FIRST, QUOTE, 70, 5)
    venue.send(sent)
    for step in PATHS[state]:
        assert reason(venue.custody(STEPS[step](withdrawal_id=sent.request_id))) == ""
    return sent.request_id


def money_of(venue: Venue) -> tuple[tuple[int, int, int], int, int]:
    """The balances that a withdrawal moves, as changes."""
    available, held, in_flight = venue.balance(FIRST, QUOTE)
    outside = venue.available(EXTERNAL, QUOTE) + len(ACCOUNTS) * WEALTH
    return (available - WEALTH, held, in_flight), venue.available(FEES, QUOTE), outside


@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_of_a_withdrawal_in_every_state(venue: Venue, state: str, step: str) -> None:
    id_ = withdrawal_in(venue, state)
    assert money_of(venue) == MONEY[state]
    told = venue.custody(STEPS[step](withdrawal_id=id_))
    after = PERMITTED[state].get(step)
    if after is None:
        assert reason(told) == "WITHDRAWAL_STATE"
        assert money_of(venue) == MONEY[state]
        return
    assert reason(told) == ""
    assert told.lines(FIRST) == ([TOLD[step]] if step in TOLD else [])
    if after:
        assert money_of(venue) == MONEY[after]
    else:
        assert money_of(venue) == MONEY[state]
        for command in STEPS.values():
            gone = venue.custody(command(withdrawal_id=id_))
            assert reason(gone) == "UNKNOWN_WITHDRAWAL"


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (lambda v: v.freeze(FIRST), "ACCOUNT_FROZEN"),
        (lambda v: v.kill_account(FIRST), "KILLED"),
    ],
)
def test_a_withdrawal_of_a_stopped_account_does_not_start(
    venue: Venue, prepare: Prepare, expected: str
) -> None:
    id_ = withdrawal_in(venue, "requested")
    prepare(venue)
    start = venue.custody(system.StartWithdrawal(withdrawal_id=id_))
    assert reason(start) == expected
    # What is not on its way yet can still be given back.
    assert reason(venue.custody(system.ReleaseWithdrawal(withdrawal_id=id_))) == ""


def test_a_withdrawal_of_who_owes_does_not_start(venue: Venue) -> None:
    venue.credit(FIRST, QUOTE, 50, DEPOSIT)
    id_ = withdrawal_in(venue, "requested")
    venue.set_available(FIRST, QUOTE, 49)
    venue.custody(system.ReverseCredit(deposit_id=DEPOSIT))
    start = system.StartWithdrawal(withdrawal_id=id_)
    assert reason(venue.custody(start)) == "INSUFFICIENT_FUNDS"
    venue.credit(FIRST, QUOTE, 1)
    assert reason(venue.custody(start)) == ""


# --- shards


def test_money_goes_to_and_comes_from_another_shard(venue: Venue) -> None:
    out: dict[str, Any] = {"peer_shard": PEER, "account_id": FIRST, "asset_id": BASE}
    told = venue.custody(system.ShardTransferOut(**out, amount_atoms=amount(9)))
    assert told.money_reports(FIRST) == [
        events.MoneyReport(kind=events.MONEY_KIND_SHARD_OUT, asset_id=BASE, amount_atoms=amount(9))
    ]
    assert venue.available(IN_TRANSIT_PEER, BASE) == 9
    told = venue.custody(system.ShardTransferIn(**out, amount_atoms=amount(4)))
    assert told.lines(FIRST) == ["SHARD_IN 4"]
    assert venue.available(IN_TRANSIT_PEER, BASE) == 5
    # What comes from a peer first leaves less than nothing on its way.
    venue.custody(system.ShardTransferIn(**out, amount_atoms=amount(40)))
    assert venue.available(IN_TRANSIT_PEER, BASE) == -35
    stray = venue.custody(
        system.ShardTransferIn(**(out | {"account_id": 9_999}), amount_atoms=amount(3))
    )
    assert reason(stray) == "UNKNOWN_ACCOUNT"
    assert venue.available(SUSPENSE, BASE) == 3
    assert venue.available(FIRST, BASE) == WEALTH - 9 + 44


@pytest.mark.parametrize(
    ("fields", "prepare", "expected"),
    [
        ({"peer_shard": 0, "account_id": 9_999}, None, "INVALID_PARAMETER"),
        ({"peer_shard": 4_001}, None, "INVALID_PARAMETER"),
        ({"peer_shard": 4_000, "account_id": 9_999, "asset_id": 99}, None, "UNKNOWN_ACCOUNT"),
        ({"account_id": 1}, None, "UNKNOWN_ACCOUNT"),
        ({"asset_id": 99, "amount_atoms": b""}, None, "UNKNOWN_ASSET"),
        ({"amount_atoms": amount(MOST + 1)}, lambda v: v.freeze(FIRST), "INVALID_AMOUNT"),
        ({"amount_atoms": amount(MOST)}, lambda v: v.freeze(FIRST), "ACCOUNT_FROZEN"),
        ({"amount_atoms": amount(MOST)}, lambda v: v.kill_account(FIRST), "KILLED"),
        ({"amount_atoms": amount(WEALTH + 1)}, None, "INSUFFICIENT_FUNDS"),
    ],
)
def test_what_may_not_go_to_another_shard(
    venue: Venue, fields: dict[str, Any], prepare: Prepare | None, expected: str
) -> None:
    if prepare is not None:
        prepare(venue)
    values: dict[str, Any] = {
        "peer_shard": PEER,
        "account_id": FIRST,
        "asset_id": BASE,
        "amount_atoms": amount(1),
    }
    assert reason(venue.custody(system.ShardTransferOut(**(values | fields)))) == expected
    if expected in ("INVALID_PARAMETER", "UNKNOWN_ASSET", "INVALID_AMOUNT"):
        assert reason(venue.custody(system.ShardTransferIn(**(values | fields)))) == expected


# --- adjustments


def adjustment(payer: int, receiver: int, quantity: int, **fields: Any) -> system.Adjust:
    """An adjustment in the base asset by two persons."""
    values: dict[str, Any] = {
        "adjustment_id": b"a" * 16,
        "asset_id": BASE,
        "amount_atoms": amount(quantity),
        "first_approver": "one",
        "second_approver": "two",
    }
    return system.Adjust(from_account_id=payer, to_account_id=receiver, **(values | fields))


def test_an_adjustment_is_told_to_both_the_payer_first(venue: Venue) -> None:
    told = venue.custody(adjustment(FIRST, SECOND, 6))
    common: dict[str, Any] = {
        "kind": events.MONEY_KIND_ADJUSTED,
        "id": b"a" * 16,
        "asset_id": BASE,
    }
    assert told.money_reports() == [
        events.MoneyReport(amount_atoms=amount(-6), counterparty_account_id=SECOND, **common),
        events.MoneyReport(amount_atoms=amount(6), counterparty_account_id=FIRST, **common),
    ]


@pytest.mark.parametrize("payer", [FEES, INSURANCE, SUSPENSE, EXTERNAL])
def test_an_account_of_the_venue_may_pay_what_it_has_not(venue: Venue, payer: int) -> None:
    before = venue.available(payer, BASE)
    told = venue.custody(adjustment(payer, FIRST, 6))
    assert told.lines(FIRST) == ["ADJUSTED 6"]
    assert venue.available(payer, BASE) == before - 6
    assert told.private(payer) == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (adjustment(FIRST, 9_999, 1, second_approver="one"), "INVALID_PARAMETER"),
        (adjustment(FIRST, FIRST, 1, asset_id=99), "INVALID_PARAMETER"),
        (adjustment(FIRST, 9_999, 1, asset_id=99), "UNKNOWN_ACCOUNT"),
        (adjustment(5, FIRST, 1), "UNKNOWN_ACCOUNT"),
        (adjustment(IN_TRANSIT_PEER, FIRST, 1), "UNKNOWN_ACCOUNT"),
        (adjustment(FIRST, SECOND, 0, asset_id=99), "UNKNOWN_ASSET"),
        (adjustment(FIRST, SECOND, 0), "INVALID_AMOUNT"),
        (adjustment(FIRST, SECOND, MOST + 1), "INVALID_AMOUNT"),
        (adjustment(FIRST, SECOND, WEALTH + 1), "INSUFFICIENT_FUNDS"),
    ],
)
def test_an_adjustment_that_may_not_be(venue: Venue, command: system.Adjust, expected: str) -> None:
    before = list(venue.state.money.balances)
    assert reason(venue.custody(command)) == expected
    assert list(venue.state.money.balances) == before


def test_no_balance_passes_its_bound(venue: Venue) -> None:
    for payer in (INSURANCE, SUSPENSE):
        for _ in range(32):
            assert reason(venue.custody(adjustment(payer, FEES, MOST))) == ""
    # The receiver has 2^126 now; a payer of the venue has room yet.
    assert reason(venue.custody(adjustment(INSURANCE, FEES, 1))) == "BALANCE_OVERFLOW"
    for _ in range(32):
        venue.custody(adjustment(INSURANCE, EXTERNAL, MOST))
    assert reason(venue.custody(adjustment(INSURANCE, SECOND, 1))) == "BALANCE_OVERFLOW"
