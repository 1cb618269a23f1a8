"""Who may be asked, and what enough nodes agree on."""

from dataclasses import dataclass

import pytest

from runtime.errors import Unavailable
from wallets import limits
from wallets.errors import Condition, Stuck, WrongChain
from wallets.quorum import Quorum


@dataclass(frozen=True)
class Node:
    name: str


NODES = [Node(name) for name in "abcde"]


def quorum(agreeing: int = 2, count: int = 3, now: list[float] | None = None) -> Quorum[Node]:
    clock = now if now is not None else [0.0]
    return Quorum(NODES[:count], agreeing, lambda: clock[0])


@pytest.mark.parametrize(("agreeing", "count"), [(0, 3), (4, 3), (1, 0)])
def test_numbers_that_can_never_agree_are_refused(agreeing: int, count: int) -> None:
    with pytest.raises(ValueError, match="cannot agree"):
        quorum(agreeing, count)


def test_a_node_put_aside_is_asked_again_after_its_time() -> None:
    now = [0.0]
    nodes = quorum(2, 3, now)
    nodes.put_aside(NODES[0], "it lied")
    assert nodes.healthy() == NODES[1:3]
    assert nodes.quarantined() == {"a": "it lied"}
    now[0] = limits.QUARANTINE_SECONDS + 1
    assert nodes.healthy() == NODES[:3]


def test_a_node_of_another_chain_is_not_asked_before_it_is_on_ours() -> None:
    now = [0.0]
    nodes = quorum(2, 2, now)
    nodes.judge(NODES[0], WrongChain("its genesis is another"))
    now[0] = limits.QUARANTINE_SECONDS + 1
    with pytest.raises(Stuck, match="another") as raised:
        nodes.healthy()
    assert raised.value.condition is Condition.CHAIN_MISMATCH
    assert nodes.to_check() == NODES[:2]
    nodes.judge(NODES[0], None)
    assert nodes.healthy() == NODES[:2]


def test_too_few_healthy_nodes_are_nobody_to_ask() -> None:
    nodes = quorum(2, 3)
    nodes.put_aside(NODES[0], "it lags")
    nodes.put_aside(NODES[1], "it lags")
    with pytest.raises(Unavailable, match="1 of 3"):
        nodes.healthy()


@pytest.mark.parametrize(
    ("said", "elected"),
    [("xx-", "x"), ("xxy", "x"), ("xyz", None), ("xxyy", None), ("", None), ("xxxyy", "x")],
)
def test_a_hash_is_elected_by_enough_nodes_and_never_by_one_of_two_halves(
    said: str, elected: str | None
) -> None:
    named = [(node, one) for node, one in zip(NODES, said, strict=False) if one != "-"]
    block_hash, those = quorum(2, 5).elected(named)
    assert block_hash == elected
    assert [node for node, one in named if one == elected] == those


@pytest.mark.parametrize(("heights", "common"), [([7, 9, 8], 8), ([7], -1), ([], -1), ([5, 5], 5)])
def test_the_common_height_is_one_that_enough_nodes_have(heights: list[int], common: int) -> None:
    assert quorum(2, 3).common_height(heights) == common
