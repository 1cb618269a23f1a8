"""What the checker found wrong, counted by kind, with a few examples of each."""

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

# Examples kept per kind: enough to start looking, bounded when everything is broken.
EXAMPLES_MAX: Final = 5


class Kind(enum.Enum):
    """Which promise is broken."""

    ROW_HASH = "row_hash"
    STATE_HASH = "state_hash"
    SEQUENCE = "sequence"
    EPOCH = "epoch"
    MALFORMED_ROW = "malformed_row"
    UNANSWERED = "unanswered"
    WRONG_ANSWER = "wrong_answer"
    ACKNOWLEDGED_LOST = "acknowledged_lost"
    DUPLICATED = "duplicated"
    EVENT_NOT_IN_JOURNAL = "event_not_in_journal"
    EVENT_NOT_TOLD = "event_not_told"
    ACCOUNT_SEQ = "account_seq"
    MARKET_SEQ = "market_seq"
    TRADE = "trade"
    ORDER = "order"
    BALANCE = "balance"
    CONSERVATION = "conservation"
    CLIENT_VIEW = "client_view"


@dataclass(slots=True)
class Findings:
    """Collects; `ok` while nothing was found."""

    counts: Counter[Kind] = field(default_factory=Counter)
    examples: dict[Kind, list[str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.counts

    def add(self, kind: Kind, text: str, count: int = 1) -> None:
        """Notes one fault; `text` says where, in the journal's own terms."""
        self.counts[kind] += count
        kept = self.examples.setdefault(kind, [])
        if len(kept) < EXAMPLES_MAX:
            kept.append(text)

    def count(self, kind: Kind) -> int:
        """How many of one kind."""
        return self.counts[kind]

    def lines(self) -> list[str]:
        """One line per example, kinds in their order above."""
        lines = []
        for kind in Kind:
            examples = self.examples.get(kind, [])
            lines += [f"{kind.value}: {text}" for text in examples]
            more = self.counts[kind] - len(examples)
            if more > 0:
                lines.append(f"{kind.value}: and {more} more")
        return lines
