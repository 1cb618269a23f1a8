"""What answers about conflicting attempts come to."""

import pytest

from wallets.contract import (
    AttemptId,
    Confirmation,
    ConfirmationState,
    Plan,
    TransactionId,
)
from wallets.core.attempts import StoredAttempt
from wallets.core.verdict import Verdict, judge, live, named
from wallets.errors import Broken
from wallets.states import AttemptState

A, C = AttemptState, ConfirmationState


def stored(name: str, state: AttemptState = A.BROADCAST) -> StoredAttempt:
    plan = Plan(b"i" * 16, b"", (), 1)
    return StoredAttempt(AttemptId(ord(name or "z")), state, TransactionId(name), b"", plan, b"", 0)


def answer(state: ConfirmationState, txid: str, proof: bytes = b"p") -> Confirmation:
    return Confirmation(state, TransactionId(txid), None, 0, 5, proof)


def verdict(**told: tuple[ConfirmationState, str]) -> Verdict:
    answers = {TransactionId(asked): answer(*found) for asked, found in told.items()}
    return judge([stored(asked) for asked in told], answers)


@pytest.mark.parametrize(
    ("told", "winner"),
    [
        ({"a": (C.FINAL, "a"), "b": (C.DEAD, "a")}, "a"),
        ({"a": (C.NOT_SEEN, "a"), "b": (C.FINAL, "a")}, "a"),
        ({"a": (C.MINED, "a"), "b": (C.FINAL, "b")}, "b"),
        ({"a": (C.NOT_SEEN, "a"), "b": (C.MINED, "b")}, "b"),
    ],
)
def test_whichever_was_mined_wins_whoever_was_asked(
    told: dict[str, tuple[ConfirmationState, str]], winner: str
) -> None:
    found = verdict(**told)
    assert found.winner is not None
    assert found.winner.txid == winner
    assert not found.endings


def test_one_that_may_be_mined_keeps_the_payout_open() -> None:
    found = verdict(a=(C.NOT_SEEN, "a"), b=(C.DEAD, "stranger"))
    assert [one.txid for one in found.open] == ["a"]
    assert [one.attempt.txid for one in found.endings] == ["b"]


def test_the_sibling_of_one_that_failed_is_dead_and_the_fee_was_paid_once() -> None:
    found = verdict(a=(C.FAILED, "a"), b=(C.FAILED, "a"))
    assert not found.open
    ends = [(one.attempt.txid, one.state, one.fee_atoms) for one in found.endings]
    assert ends == [("a", A.FAILED, 5), ("b", A.DEAD, 0)]


def test_a_dead_attempt_that_an_answer_names_is_asked_about_and_may_win() -> None:
    both = [stored("a", A.DEAD), stored("b")]
    answers = {TransactionId("b"): answer(C.DEAD, "a")}
    assert [one.txid for one in live(both)] == ["b"]
    assert [one.txid for one in named(both, answers)] == ["a"]
    found = judge(both, answers | {TransactionId("a"): answer(C.FINAL, "a")})
    assert found.winner is both[0]


def test_a_planned_attempt_has_no_id_to_ask_about() -> None:
    assert live([stored("", A.PLANNED), stored("a")]) == [stored("a")]


@pytest.mark.parametrize(
    "told",
    [answer(C.FINAL, "stranger"), answer(C.NOT_SEEN, "stranger"), answer(C.DEAD, "a", b"")],
)
def test_an_answer_about_something_else_or_a_death_without_proof_is_refused(
    told: Confirmation,
) -> None:
    with pytest.raises(Broken):
        judge([stored("a")], {TransactionId("a"): told})
