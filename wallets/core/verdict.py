"""What the answers about all attempts of one payout come to together. Pure.

Called by the pipeline. Attempts of a payout conflict, so at most one is mined, and any of them
settles it, whichever was asked about. A payout is never called dead while one of its attempts has
no end of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wallets.contract import Confirmation, ConfirmationState, TransactionId
from wallets.core.attempts import StoredAttempt
from wallets.errors import Broken
from wallets.states import AttemptState

C: Final = ConfirmationState
IN_BLOCKS: Final = (C.FINAL, C.MINED)
ENDS: Final = (C.FAILED, C.DEAD)

Answers = Mapping[TransactionId, Confirmation]


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended, with what proves it; `fee_atoms` is what a failed one cost."""

    attempt: StoredAttempt
    state: AttemptState
    proof: bytes
    fee_atoms: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Either `winner` is in a block, as `found` says, or `open` attempts may yet be mined."""

    winner: StoredAttempt | None
    found: Confirmation | None
    open: tuple[StoredAttempt, ...]
    endings: tuple[Ending, ...]


def live(stored: Sequence[StoredAttempt]) -> list[StoredAttempt]:
    """Those that were signed and have no proof of an end."""
    ends = (AttemptState.DEAD, AttemptState.FAILED)
    return [attempt for attempt in stored if attempt.txid and attempt.state not in ends]


def named(stored: Sequence[StoredAttempt], answers: Answers) -> list[StoredAttempt]:
    """Attempts that were called dead once, and now an answer says that one was mined."""
    told = {answer.txid for answer in answers.values()}
    return [attempt for attempt in stored if attempt.txid in told - answers.keys()]


def judge(stored: Sequence[StoredAttempt], answers: Answers) -> Verdict:
    """All answers as one. Raises Broken for one that cannot be about these attempts."""
    ours = {attempt.txid: attempt for attempt in stored if attempt.txid}
    for asked, answer in answers.items():
        if answer.state is not C.DEAD and answer.txid not in ours:
            raise Broken(f"asked for {asked}, told of {answer.txid}")
        if answer.state in ENDS and not answer.proof:
            raise Broken("a death without a proof")
    in_blocks = [answer for answer in answers.values() if answer.state in IN_BLOCKS]
    if in_blocks:
        found = min(in_blocks, key=lambda answer: IN_BLOCKS.index(answer.state))
        return Verdict(ours[found.txid], found, (), ())
    return Verdict(
        None,
        None,
        tuple(one for one in live(stored) if answers[one.txid].state not in ENDS),
        tuple(
            ending_of(one, answers[one.txid])
            for one in live(stored)
            if answers[one.txid].state in ENDS
        ),
    )


def ending_of(attempt: StoredAttempt, answer: Confirmation) -> Ending:
    """Failed when it was mined itself; dead when something else was, a failed sibling perhaps."""
    if answer.state is C.FAILED and answer.txid == attempt.txid:
        return Ending(attempt, AttemptState.FAILED, answer.proof, answer.fee_atoms)
    return Ending(attempt, AttemptState.DEAD, answer.proof, 0)
