"""What a screening is asked, and what it may answer. Pure; used by whoever asks."""

import enum
from dataclasses import dataclass
from typing import Protocol


class Subject(enum.StrEnum):
    """What is asked about."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"


class Verdict(enum.StrEnum):
    """What a screening says."""

    ACCEPT = "accept"
    # People decide.
    HOLD = "hold"
    # Of a withdrawal: the money goes back to the account.
    REJECT = "reject"


PERMITTED = {
    Subject.DEPOSIT: frozenset({Verdict.ACCEPT, Verdict.HOLD}),
    Subject.WITHDRAWAL: frozenset(Verdict),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One deposit or withdrawal; `amount_atoms` is in the chain's unit.

    `address` is ours for a deposit, the recipient's for a withdrawal.
    """

    subject: Subject
    subject_id: bytes
    chain: str
    network: str
    address: str
    account_id: int
    symbol: str
    amount_atoms: int
    # Of a deposit; a withdrawal has no transaction yet.
    txid: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict; `reason` is UPPER_SNAKE_CASE, `reference` the other side's name for the case."""

    verdict: Verdict
    reason: str
    reference: str


class Screens(Protocol):
    """Who is asked."""

    async def judge(self, question: Question) -> Answer:
        """The same question gets the same answer. Raises Unavailable: the subject waits."""


class AcceptsAll:
    """Of a network that requires an answer, in development."""

    async def judge(self, question: Question) -> Answer:
        """Accepts."""
        return Answer(Verdict.ACCEPT, "ACCEPTS_ALL", question.subject_id.hex())
