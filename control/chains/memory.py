"""What a leader remembers of one chain between two looks; a new leader begins from the status."""

from dataclasses import dataclass
from typing import Self

from control import limits
from control.cluster.kinds import Object
from control.conditions import find
from control.scaling.decision import Decision, History, Signal, Wish
from control.scaling.policy import seconds_of


@dataclass(slots=True)
class Memory:
    """History of decisions, and what was applied and written."""

    wishes: list[Wish]
    changed_at: float | None
    # What the children were made from (uid, generation, reconcile asked for), and the generation
    # of the Deployment after they were applied.
    applied: tuple[tuple[str, int, str], int] | None = None
    decided: Decision | None = None
    figures_at: float = float("-inf")
    # Until when no drain is begun, after one was refused.
    drain_again_at: float = float("-inf")

    @classmethod
    def begin(cls, chain: Object, current: int, now: float, wall_seconds: float) -> Self:
        """As a new leader: what is there counts as wanted now, and the last change is known."""
        record = (chain.get("status") or {}).get("decision")
        changed_at = None
        if record and record["applied"] != record["current"]:
            changed_at = now - max(0.0, wall_seconds - seconds_of(record["time"]))
        return cls([Wish(now, current)], changed_at)

    def history(self) -> History:
        """For the decision."""
        return History(self.wishes, self.changed_at)

    def note(self, decision: Decision) -> None:
        """Keeps what was wanted, with a bound."""
        if decision.is_signal_fresh:
            self.wishes.append(Wish(decision.at, decision.wanted))
            del self.wishes[: -limits.WISHES_MAX]


def has_reported(chain: Object, deployment: Object) -> bool:
    """Whether a worker has reported since the Deployment was made, by the status."""
    known = find(chain, "SignalFresh")
    if known is None or known["reason"] == "NeverReported":
        return False
    made_at = seconds_of(deployment["metadata"]["creationTimestamp"])
    return seconds_of(known["lastTransitionTime"]) >= made_at


def lost_signal() -> Signal:
    """A signal that is stale at any time: workers have reported, but not to this process."""
    return Signal(float("-inf"), 0, 0.0)
