"""Whether a transaction may be signed: the conflict rule, the approvals, the caps. Pure.

Called by `service` inside the transaction that will hold the new entry. Every check here is made
on the signer's own log and on what the signer decoded itself, never on what a caller says of it.

The conflict rule: two attempts that share an anchor (an outpoint, or an account's nonce) cannot
both be mined. A new attempt for a withdrawal must share one with *every* earlier attempt for it,
so that of all of them at most one is ever mined; sharing with the last one is not enough. Only
attempts whose death an approval cites are left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wallets.contract import TransactionId, WithdrawalId
from wallets.errors import Rejected
from wallets.signer import limits
from wallets.signer.approvals import Approval, Terms
from wallets.signer.policy import NetworkPolicy, Policy


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction as the signer decoded it."""

    network_id: int
    # What it shares with transactions that cannot be mined beside it; empty on TRON.
    anchors: frozenset[str]
    # By withdrawal; empty = it pays only us.
    payments: tuple[tuple[WithdrawalId, Terms], ...]
    # The most that the network can take, in atoms of the native asset.
    fee_atoms_max: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One attempt of the log, seen from one withdrawal."""

    txid: TransactionId
    anchors: frozenset[str]
    terms: Terms


@dataclass(frozen=True, slots=True)
class History:
    """What the log knows of one withdrawal."""

    closed: bool
    entries: tuple[Entry, ...]
    # Cited as dead by an approval that was accepted.
    dead: frozenset[str]


NO_HISTORY = History(closed=False, entries=(), dead=frozenset())


def check_approvals(
    draft: Draft, approvals: Sequence[Approval], policy: Policy, now_ns: int
) -> None:
    """Every payment is what one approval says, and no approval is left over. Raises Rejected."""
    network = policy.network(draft.network_id)
    if draft.fee_atoms_max > network.fee_cap_atoms:
        raise Rejected("FEE_ABOVE_CAP", f"{draft.fee_atoms_max} atoms")
    by_id = {approval.withdrawal_id: approval for approval in approvals}
    if len(by_id) != len(approvals):
        raise Rejected("APPROVAL_TWICE", "two approvals of one withdrawal")
    paid = dict(draft.payments)
    if len(paid) != len(draft.payments):
        raise Rejected("PAYS_TWICE", "one withdrawal in two outputs")
    if paid.keys() != by_id.keys():
        raise Rejected("NOT_APPROVED", "payments and approvals are not the same withdrawals")
    for withdrawal_id, terms in draft.payments:
        check_payment(terms, by_id[withdrawal_id], network, policy, now_ns)
    highest = sum(approval.highest_fee_atoms for approval in approvals)
    if approvals and draft.fee_atoms_max > highest:
        raise Rejected("FEE_NOT_APPROVED", f"{draft.fee_atoms_max} atoms, approved {highest}")


def check_payment(
    terms: Terms, approval: Approval, network: NetworkPolicy, policy: Policy, now_ns: int
) -> None:
    """One payment against its approval; raises Rejected."""
    if terms != approval.terms:
        raise Rejected("NOT_APPROVED", "destination, asset, amount or network differ")
    if now_ns >= approval.expires_ns:
        raise Rejected("APPROVAL_EXPIRED", f"at {approval.expires_ns}")
    above = network.asset(terms.contract).people_above_atoms
    if terms.amount_atoms > above and len(approval.people) < policy.people_needed:
        raise Rejected("PEOPLE_MISSING", f"{len(approval.people)} of {policy.people_needed}")


def check_history(draft: Draft, approval: Approval, history: History) -> None:
    """The conflict rule for one withdrawal; raises Rejected."""
    if history.closed:
        raise Rejected("CLOSED", "nothing will be signed for this withdrawal again")
    if len(history.entries) >= limits.ATTEMPTS_OF_WITHDRAWAL_MAX:
        raise Rejected("ATTEMPTS_EXHAUSTED", f"{len(history.entries)} attempts")
    dead = dead_after(approval, history)
    for entry in history.entries:
        if entry.terms != approval.terms:
            raise Rejected("TERMS_CHANGED", "an earlier attempt paid something else")
        if entry.txid not in dead and not (entry.anchors & draft.anchors):
            raise Rejected("WOULD_PAY_TWICE", f"{entry.txid} could be mined as well")


def dead_after(approval: Approval, history: History) -> frozenset[str]:
    """All attempts cited as dead, this approval's included; raises Rejected for a stranger's."""
    cited = frozenset(txid for txid, _ in approval.dead_attempts)
    strangers = cited - {entry.txid for entry in history.entries}
    if strangers:
        raise Rejected("DEATH_OF_STRANGER", f"{min(strangers)} was never signed for it")
    return history.dead | cited


def check_conflicts(
    draft: Draft,
    approvals: Iterable[Approval],
    histories: Mapping[WithdrawalId, History],
) -> None:
    """The conflict rule for all withdrawals of a draft; raises Rejected."""
    for approval in approvals:
        check_history(draft, approval, histories.get(approval.withdrawal_id, NO_HISTORY))


def outflow(
    approvals: Iterable[Approval],
    histories: Mapping[WithdrawalId, History],
) -> dict[str, int]:
    """What counts to the hourly cap, by contract.

    An attempt that conflicts with a live earlier one moves no further money; a first one, and one
    after deaths (which only the approver vouches for), does.
    """
    flow: dict[str, int] = {}
    for approval in approvals:
        history = histories.get(approval.withdrawal_id, NO_HISTORY)
        dead = dead_after(approval, history)
        if all(entry.txid in dead for entry in history.entries):
            contract = approval.terms.contract
            flow[contract] = flow.get(contract, 0) + approval.terms.amount_atoms
    return flow


def check_caps(
    flow: Mapping[str, int], spent_atoms: Mapping[str, int], network: NetworkPolicy
) -> None:
    """Whether the hour can hold this too; `spent_atoms` is the last hour's. Raises Rejected."""
    for contract, amount_atoms in flow.items():
        cap = network.asset(contract).hourly_cap_atoms
        if spent_atoms.get(contract, 0) + amount_atoms > cap:
            raise Rejected("HOURLY_CAP", f"{contract or 'native'} on {network.network_id}")
