"""The conflict rule, approvals, caps: properties and tables."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.contract import TransactionId, WithdrawalId
from wallets.errors import Rejected
from wallets.signer import rules
from wallets.signer.approvals import Approval, Terms
from wallets.signer.policy import AssetPolicy, NetworkPolicy, Policy
from wallets.signer.rules import NO_HISTORY, Draft, Entry, History

W = WithdrawalId(b"w" * 16)
TERMS = Terms(1, "address", "", 100)
NETWORK = NetworkPolicy(
    network_id=1,
    chain="bitcoin",
    network="regtest",
    chain_id=0,
    branches={},
    assets={"": AssetPolicy(hourly_cap_atoms=1_000, people_above_atoms=500)},
    fee_cap_atoms=50,
)
POLICY = Policy({1: NETWORK}, {}, {}, people_needed=2)


def approval(
    terms: Terms = TERMS,
    *,
    withdrawal_id: WithdrawalId = W,
    dead: tuple[str, ...] = (),
    people: frozenset[str] = frozenset(),
    expires_ns: int = 10,
    highest_fee_atoms: int = 20,
) -> Approval:
    proofs = tuple((txid, b"p" * 32) for txid in dead)
    return Approval(withdrawal_id, terms, highest_fee_atoms, expires_ns, proofs, people)


def draft(anchors: set[str], terms: Terms = TERMS, fee_atoms_max: int = 20) -> Draft:
    return Draft(1, frozenset(anchors), ((W, terms),), fee_atoms_max)


def entry(txid: str, anchors: set[str]) -> Entry:
    return Entry(TransactionId(txid), frozenset(anchors), TERMS)


def reason_of(call: Callable[[], None]) -> str:
    with pytest.raises(Rejected) as caught:
        call()
    return caught.value.reason


def test_a_bump_that_keeps_an_anchor_of_every_attempt_is_signed() -> None:
    history = History(False, (entry("a", {"x", "y"}), entry("b", {"x", "z"})), frozenset())
    rules.check_history(draft({"x", "new"}), approval(), history)


def test_sharing_an_input_with_the_last_attempt_only_would_pay_twice() -> None:
    history = History(False, (entry("a", {"x"}), entry("b", {"x", "z"})), frozenset())
    assert (
        reason_of(lambda: rules.check_history(draft({"z"}), approval(), history))
        == "WOULD_PAY_TWICE"
    )


def test_a_retry_needs_the_death_of_each_attempt_it_does_not_conflict_with() -> None:
    history = History(False, (entry("a", {"x"}), entry("b", set())), frozenset())
    half = approval(dead=("a",))
    assert reason_of(lambda: rules.check_history(draft({"n"}), half, history)) == "WOULD_PAY_TWICE"
    rules.check_history(draft({"n"}), approval(dead=("a", "b")), history)


def test_a_closed_withdrawal_is_never_signed() -> None:
    history = History(True, (), frozenset())
    assert reason_of(lambda: rules.check_history(draft({"x"}), approval(), history)) == "CLOSED"


def test_a_death_of_an_attempt_that_was_never_signed_is_refused() -> None:
    cited = approval(dead=("never",))
    assert (
        reason_of(lambda: rules.check_history(draft({"x"}), cited, NO_HISTORY))
        == "DEATH_OF_STRANGER"
    )


def test_later_attempts_pay_what_the_first_one_paid() -> None:
    history = History(False, (entry("a", {"x"}),), frozenset())
    other = Terms(1, "other", "", 100)
    assert (
        reason_of(lambda: rules.check_history(draft({"x"}, other), approval(other), history))
        == "TERMS_CHANGED"
    )


@pytest.mark.parametrize(
    ("terms", "granted", "now_ns", "expected"),
    [
        (Terms(1, "other", "", 100), approval(), 0, "NOT_APPROVED"),
        (Terms(1, "address", "", 101), approval(), 0, "NOT_APPROVED"),
        (Terms(1, "address", "t", 100), approval(), 0, "NOT_APPROVED"),
        (TERMS, approval(), 10, "APPROVAL_EXPIRED"),
        (TERMS, approval(highest_fee_atoms=19), 0, "FEE_NOT_APPROVED"),
        (TERMS, approval(withdrawal_id=WithdrawalId(b"v" * 16)), 0, "NOT_APPROVED"),
        (
            Terms(1, "address", "", 501),
            approval(Terms(1, "address", "", 501), people=frozenset({"one"})),
            0,
            "PEOPLE_MISSING",
        ),
        (Terms(1, "a", "t", 1), approval(Terms(1, "a", "t", 1)), 0, "ASSET_NOT_ALLOWED"),
    ],
)
def test_what_no_approval_says_is_refused(
    terms: Terms, granted: Approval, now_ns: int, expected: str
) -> None:
    one = draft({"x"}, terms)
    assert reason_of(lambda: rules.check_approvals(one, [granted], POLICY, now_ns)) == expected


def test_enough_people_may_approve_a_large_amount() -> None:
    terms = Terms(1, "address", "", 501)
    granted = approval(terms, people=frozenset({"one", "two"}))
    rules.check_approvals(draft({"x"}, terms), [granted], POLICY, 0)


def test_a_fee_above_the_signers_own_cap_is_refused_whatever_is_approved() -> None:
    granted = approval(highest_fee_atoms=1_000)
    call = draft({"x"}, fee_atoms_max=51)
    assert reason_of(lambda: rules.check_approvals(call, [granted], POLICY, 0)) == "FEE_ABOVE_CAP"


def test_one_withdrawal_in_two_outputs_is_refused() -> None:
    twice = Draft(1, frozenset({"x"}), ((W, TERMS), (W, TERMS)), 20)
    assert reason_of(lambda: rules.check_approvals(twice, [approval()], POLICY, 0)) == "PAYS_TWICE"


def test_a_bump_does_not_count_to_the_cap_and_a_retry_does() -> None:
    history = History(False, (entry("a", {"x"}),), frozenset())
    assert rules.outflow([approval()], {W: history}) == {}
    assert rules.outflow([approval(dead=("a",))], {W: history}) == {"": 100}
    assert rules.outflow([approval()], {}) == {"": 100}


@pytest.mark.parametrize(("spent", "refused"), [(900, False), (901, True)])
def test_the_cap_holds_to_the_atom(spent: int, refused: bool) -> None:
    if refused:
        assert reason_of(lambda: rules.check_caps({"": 100}, {"": spent}, NETWORK)) == "HOURLY_CAP"
    else:
        rules.check_caps({"": 100}, {"": spent}, NETWORK)


anchor_sets = st.frozensets(st.sampled_from("abcdef"), max_size=4)


@given(st.lists(st.tuples(anchor_sets, st.booleans()), max_size=12))
def test_of_all_signed_attempts_no_two_that_live_can_both_be_mined(
    asked: list[tuple[frozenset[str], bool]],
) -> None:
    """Whatever is asked, in any order, with or without deaths."""
    entries: list[Entry] = []
    dead: frozenset[str] = frozenset()
    for number, (anchors, kill) in enumerate(asked):
        live = [one.txid for one in entries if one.txid not in dead]
        granted = approval(dead=tuple(live) if kill else ())
        history = History(False, tuple(entries), dead)
        try:
            rules.check_history(Draft(1, anchors, ((W, TERMS),), 1), granted, history)
        except Rejected:
            continue
        dead = rules.dead_after(granted, history)
        entries.append(Entry(TransactionId(str(number)), anchors, TERMS))
    living = [one for one in entries if one.txid not in dead]
    assert all(
        first.anchors & second.anchors
        for index, first in enumerate(living)
        for second in living[index + 1 :]
    )
