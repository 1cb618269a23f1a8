"""States of payouts, attempts and deposits, and the only ways between them. Pure.

The table stands here once; the migration writes the same pairs into `custody.transition`, where a
trigger refuses every other change, and a test compares the two. A state is never left without an
event row in the same transaction. Meaning of each: docs/custody.md.
"""

import enum
from collections.abc import Mapping
from typing import Final


class PayoutState(enum.StrEnum):
    """Of one withdrawal of a customer, or of one transfer of the treasury."""

    # The engine holds the money; nothing is decided.
    REQUESTED = "requested"
    # Time lock, screening, review or people's approvals.
    HELD = "held"
    APPROVED = "approved"
    # StartWithdrawal is durable in the journal: the point of no return.
    STARTED = "started"
    # In an attempt that owns its inputs, nonce or reference block.
    BUILT = "built"
    # Raw bytes and their own id are stored; nothing was sent.
    SIGNED = "signed"
    BROADCASTING = "broadcasting"
    # Seen in a block, not final.
    CONFIRMING = "confirming"
    SETTLED = "settled"
    # A customer or operator asked to cancel while an attempt may still be mined.
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    # Dead on the chain, with proof; the money goes back.
    FAILED = "failed"


class AttemptState(enum.StrEnum):
    """Of one transaction that pays one or more payouts."""

    # Inputs, nonce or reference block are owned; not signed.
    PLANNED = "planned"
    # Write-ahead: raw bytes and their own id are committed.
    SIGNED = "signed"
    # Handed to at least one node, perhaps.
    BROADCAST = "broadcast"
    MINED = "mined"
    FINAL = "final"
    # Mined and failed on the chain, final: it paid nobody and cost a fee.
    FAILED = "failed"
    # Can never be mined, with proof; or never signed, with the signer's word.
    DEAD = "dead"


class DepositState(enum.StrEnum):
    """Of one output or log that pays an address of ours."""

    SEEN = "seen"
    CONFIRMING = "confirming"
    CREDITED = "credited"
    WITHDRAWABLE = "withdrawable"
    # Dust or an asset that is not supported and not worth returning.
    IGNORED = "ignored"
    # Coinbase below its maturity.
    IMMATURE = "immature"
    # Screening or review.
    HELD = "held"
    # A conflicting transaction took its inputs.
    REPLACED = "replaced"
    # Its block left the chain; its transaction may come back.
    ORPHANED = "orphaned"
    # The credit was taken back.
    REVERSED = "reversed"
    # Found, not creditable, recoverable: wrong token, below the minimum.
    UNCLAIMED = "unclaimed"


P = PayoutState
A = AttemptState
D = DepositState

PAYOUT: Final[Mapping[PayoutState, frozenset[PayoutState]]] = {
    P.REQUESTED: frozenset({P.HELD, P.APPROVED, P.REJECTED, P.CANCELLED}),
    # Back to REQUESTED when people let it go on to its approval.
    P.HELD: frozenset({P.REQUESTED, P.APPROVED, P.REJECTED, P.CANCELLED}),
    P.APPROVED: frozenset({P.STARTED, P.HELD, P.REJECTED, P.CANCELLED}),
    P.STARTED: frozenset({P.BUILT, P.CANCELLED, P.FAILED}),
    P.BUILT: frozenset({P.SIGNED, P.STARTED}),
    P.SIGNED: frozenset({P.BROADCASTING, P.CANCELLING}),
    # Back to STARTED only with a proof that every attempt is dead.
    P.BROADCASTING: frozenset({P.CONFIRMING, P.CANCELLING, P.STARTED, P.FAILED}),
    P.CONFIRMING: frozenset({P.SETTLED, P.BROADCASTING, P.STARTED, P.FAILED}),
    # A reorganisation after settlement.
    P.SETTLED: frozenset({P.CONFIRMING, P.BROADCASTING}),
    # The attempt that drops it is final, or the old one was mined after all.
    P.CANCELLING: frozenset({P.CANCELLED, P.CONFIRMING}),
    P.CANCELLED: frozenset(),
    P.REJECTED: frozenset(),
    P.FAILED: frozenset(),
}

ATTEMPT: Final[Mapping[AttemptState, frozenset[AttemptState]]] = {
    A.PLANNED: frozenset({A.SIGNED, A.DEAD}),
    A.SIGNED: frozenset({A.BROADCAST}),
    A.BROADCAST: frozenset({A.MINED, A.DEAD}),
    A.MINED: frozenset({A.FINAL, A.FAILED, A.BROADCAST}),
    A.FINAL: frozenset({A.BROADCAST}),
    A.FAILED: frozenset({A.BROADCAST}),
    # A proof was about blocks; a deep enough reorganisation can take them away.
    A.DEAD: frozenset({A.BROADCAST}),
}

DEPOSIT: Final[Mapping[DepositState, frozenset[DepositState]]] = {
    D.SEEN: frozenset({D.CONFIRMING, D.IMMATURE, D.IGNORED, D.HELD, D.REPLACED, D.UNCLAIMED}),
    D.IMMATURE: frozenset({D.CONFIRMING, D.ORPHANED, D.REPLACED}),
    D.CONFIRMING: frozenset({D.CREDITED, D.HELD, D.ORPHANED, D.REPLACED, D.UNCLAIMED}),
    D.CREDITED: frozenset({D.WITHDRAWABLE, D.ORPHANED, D.HELD}),
    D.WITHDRAWABLE: frozenset({D.ORPHANED}),
    # Mined again, lost for good before a credit, or lost for good after one.
    D.ORPHANED: frozenset({D.SEEN, D.CONFIRMING, D.CREDITED, D.REPLACED, D.REVERSED}),
    D.HELD: frozenset({D.CONFIRMING, D.CREDITED, D.ORPHANED, D.REPLACED, D.UNCLAIMED}),
    D.IGNORED: frozenset({D.UNCLAIMED, D.ORPHANED}),
    D.UNCLAIMED: frozenset({D.CONFIRMING, D.ORPHANED, D.REPLACED}),
    D.REPLACED: frozenset({D.SEEN, D.CONFIRMING}),
    D.REVERSED: frozenset({D.CONFIRMING}),
}

# Attempts that can never pay.
ENDED_ATTEMPTS: Final = frozenset({A.DEAD, A.FAILED})
# Payouts that no worker will ever touch again.
PAYOUT_ENDS: Final = frozenset({P.CANCELLED, P.REJECTED, P.FAILED})


def pairs() -> list[tuple[str, str, str]]:
    """All permitted changes as (kind, from, to), sorted: what the database's table must hold."""
    tables: dict[str, Mapping[enum.StrEnum, frozenset[enum.StrEnum]]] = {
        "attempt": ATTEMPT,  # type: ignore[dict-item]
        "deposit": DEPOSIT,  # type: ignore[dict-item]
        "payout": PAYOUT,  # type: ignore[dict-item]
    }
    return sorted(
        (kind, before.value, after.value)
        for kind, table in tables.items()
        for before, afters in table.items()
        for after in afters
    )
