"""Which nodes a test runs on: all of them, or those that can do what it needs.

What a node cannot do is listed with its reason, and nowhere else decided; `test_nodes.py` asks the
nodes themselves whether the list is true.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

import pytest

from tests.chains.ethereum.anvil import Anvil
from tests.chains.ethereum.development_node import DevelopmentNode
from tests.chains.ethereum.geth import Geth
from tests.chains.ethereum.hardhat import Hardhat

Kind = type[DevelopmentNode]
NODES: Final[tuple[Kind, ...]] = (Anvil, Geth, Hardhat)
# Modules whose tests compare nodes.
ABOUT_NODES: Final = ("test_nodes", "test_pools", "test_words")


class Ability(Enum):
    """What some nodes can do."""

    TRACES = "tells calls within calls by `trace_block`"
    FORGETS = "drops a transaction from its pool when it is told to"
    TEN_PER_CENT = "refuses a replacement that offers less than ten per cent more"
    KEEPS_CHEAP = "takes and keeps a transaction that offers less than the base fee"
    TAKES_BACK = "has what a reorganisation left out in its pool again"


CANNOT: Final[Mapping[tuple[Kind, Ability], str]] = {
    (Anvil, Ability.TEN_PER_CENT): "one wei more is enough",
    (Anvil, Ability.KEEPS_CHEAP): "it refuses such a one",
    (Anvil, Ability.TAKES_BACK): "`anvil_reorg` forgets what was mined",
    (Geth, Ability.TRACES): "it has no such method",
    (Geth, Ability.FORGETS): "it has no such method: only a full pool makes it forget",
    (Hardhat, Ability.TRACES): "it has no such method",
    (Hardhat, Ability.TAKES_BACK): "going back restores an older pool",
}


def on(*kinds: Kind, options: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Runs a test on nodes of these kinds, started with these options."""
    cases = [pytest.param((kind, options), id=kind.name) for kind in kinds]
    return pytest.mark.parametrize("node", cases, indirect=True)


def where(*needed: Ability) -> pytest.MarkDecorator:
    """Runs a test on every node that can do all that it needs."""
    return on(*(kind for kind in NODES if not any((kind, one) in CANNOT for one in needed)))


on_every_node: Final = where()


def one_node_each(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Tests to leave out so that each runs on one node, and all nodes have their share.

    Not those that are about differences between nodes.
    """
    cases: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
        kind = parameters.get("node", (None,))[0]
        if kind in NODES and item.path.stem not in ABOUT_NODES:
            cases[item.nodeid.replace(kind.name, "")].append(item)
    return {
        item
        for name, group in cases.items()
        for place, item in enumerate(group)
        if place != zlib.crc32(name.encode()) % len(group)
    }
