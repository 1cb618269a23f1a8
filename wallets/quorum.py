"""Nodes of one network of which enough must agree: who may be asked, and what they agree on.

Used by the node set of each chain, which knows how to ask. A node that answers what no node may
answer is not asked for a while; one of another chain not before a check finds it on ours. Time is
passed in.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from runtime.errors import Unavailable
from wallets import limits
from wallets.errors import Condition, Stuck, WrongChain


class Named(Protocol):
    """A node."""

    @property
    def name(self) -> str:
        """What status and logs call it."""
        ...


NodeType = TypeVar("NodeType", bound=Named)


class Quorum(Generic[NodeType]):
    """`now_seconds` is a clock that never goes back; `agreeing` is at least 1."""

    def __init__(
        self, nodes: Sequence[NodeType], agreeing: int, now_seconds: Callable[[], float]
    ) -> None:
        if not 1 <= agreeing <= len(nodes) <= limits.NODES_MAX:
            raise ValueError(f"{agreeing} of {len(nodes)} nodes cannot agree")
        self.agreeing = agreeing
        self._nodes = nodes
        self._now_seconds = now_seconds
        # Until when a node is not asked, and why, by its name.
        self._quarantine: dict[str, tuple[float, str]] = {}
        # Nodes of another chain, and what they said.
        self._foreign: dict[str, str] = {}

    def quarantined(self) -> dict[str, str]:
        """Why nodes are not asked at the moment, for status."""
        now = self._now_seconds()
        out = {name: why for name, (until, why) in self._quarantine.items() if until > now}
        return {**out, **self._foreign}

    def healthy(self) -> list[NodeType]:
        """Nodes that may be asked.

        Raises Unavailable when they are too few to agree, Stuck(CHAIN_MISMATCH) when they are too
        few and some are on another chain.
        """
        out = self.quarantined()
        found = [node for node in self._nodes if node.name not in out]
        if len(found) >= self.agreeing:
            return found
        if self._foreign:
            raise Stuck(Condition.CHAIN_MISMATCH, f"nodes of another chain: {self._foreign}")
        raise Unavailable(f"{len(found)} of {len(self._nodes)} nodes: {out}")

    def to_check(self) -> list[NodeType]:
        """Nodes whose chain should be looked at: those that may be asked, and those of another."""
        out = self.quarantined()
        return [one for one in self._nodes if one.name not in out or one.name in self._foreign]

    def judge(self, node: NodeType, fault: Exception | None) -> None:
        """What a look at a node's chain comes to."""
        self._foreign.pop(node.name, None)
        if isinstance(fault, WrongChain):
            self._foreign[node.name] = str(fault)
        elif fault is not None:
            self.put_aside(node, str(fault))

    def put_aside(self, node: NodeType, why: str) -> None:
        """Does not ask a node for a while."""
        self._quarantine[node.name] = (self._now_seconds() + limits.QUARANTINE_SECONDS, why)

    def elected(self, named: Sequence[tuple[NodeType, str]]) -> tuple[str | None, list[NodeType]]:
        """The hash that enough nodes name, and those that do; None when they do not agree."""
        votes = Counter(found for _, found in named)
        ((block_hash, count),) = votes.most_common(1) or [("", 0)]
        # Two halves that both suffice are not an agreement.
        if count < self.agreeing or list(votes.values()).count(count) > 1:
            return None, []
        return block_hash, [node for node, found in named if found == block_hash]

    def common_height(self, heights: Sequence[int]) -> int:
        """The highest height that enough nodes have reached; -1 when too few told theirs."""
        ordered = sorted(heights, reverse=True)
        return ordered[self.agreeing - 1] if len(ordered) >= self.agreeing else -1
