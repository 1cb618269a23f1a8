"""What can differ after a restore, by name. Pure."""

import enum
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """Whose word is missing where."""

    # The signer gave a signature that custody has no attempt for: it may be mined any day.
    SIGNED_AND_UNKNOWN = "SIGNED_AND_UNKNOWN"
    # The signer signed other bytes than custody stored.
    SIGNED_OTHERWISE = "SIGNED_OTHERWISE"
    # Custody stored signed bytes that the signer's log does not have.
    NOT_IN_SIGNERS_LOG = "NOT_IN_SIGNERS_LOG"
    # Custody has read further than the engine's journal goes.
    JOURNAL_WENT_BACK = "JOURNAL_WENT_BACK"
    # The journal does not have, where custody read it, a withdrawal that custody pays.
    NOT_IN_JOURNAL = "NOT_IN_JOURNAL"
    # The engine took a command that custody never gave.
    ENGINE_AHEAD = "ENGINE_AHEAD"
    # The chain goes on where the scan has not been: what it would find is not compared.
    NOT_SCANNED = "NOT_SCANNED"
    # Book and chain, or book and engine.
    BOOKS_DIFFER = "BOOKS_DIFFER"


@dataclass(frozen=True, slots=True)
class Difference:
    """One of them, told so that a person can look it up."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"
