"""Conditions as Kubernetes has them. Pure."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from control import limits


class Truth(enum.StrEnum):
    """Status of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"

    @classmethod
    def of(cls, value: bool) -> "Truth":
        """True or False."""
        return cls.TRUE if value else cls.FALSE


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; `reason` is one word for machines, `message` says what to do."""

    type: str
    status: Truth
    reason: str
    message: str = ""


def merged(
    known: Iterable[dict[str, Any]], wanted: Iterable[Condition], generation: int, now: str
) -> list[dict[str, Any]]:
    """All wanted conditions; the time of a transition stays while the status does."""
    before = {condition["type"]: condition for condition in known}
    return [
        {
            "type": condition.type,
            "status": condition.status.value,
            "reason": condition.reason,
            "message": condition.message[: limits.NOTE_CHARACTERS_MAX],
            "observedGeneration": generation,
            "lastTransitionTime": (
                before[condition.type]["lastTransitionTime"]
                if condition.type in before
                and before[condition.type]["status"] == condition.status.value
                else now
            ),
        }
        for condition in wanted
    ]


def find(found: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """A condition of an object's status."""
    for condition in (found.get("status") or {}).get("conditions", []):
        if condition["type"] == kind:
            known: dict[str, Any] = condition
            return known
    return None
