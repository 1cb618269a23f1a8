"""What is asked once for all who want it within a moment."""

import asyncio

import pytest

from runtime.errors import Unavailable
from wallets.kept import KEYS_MAX, Kept, KeptByKey


class Node:
    """Tells how often it was asked."""

    def __init__(self) -> None:
        self.asked_count = 0
        self.is_away = False

    async def ask(self) -> int:
        self.asked_count += 1
        number = self.asked_count
        await asyncio.sleep(0)
        if self.is_away:
            raise Unavailable("away")
        return number


@pytest.mark.parametrize(("kept_seconds", "told"), [(0.0, [1, 2, 3]), (1.0, [1, 1, 1])])
async def test_all_who_ask_at_once_are_told_the_same_when_it_is_kept(
    kept_seconds: float, told: list[int]
) -> None:
    node = Node()
    kept: Kept[int] = Kept(lambda: 10.0, kept_seconds)
    assert sorted(await asyncio.gather(*(kept.get(node.ask) for _ in told))) == told


async def test_what_was_kept_long_enough_is_asked_anew() -> None:
    node, now = Node(), [0.0]
    kept: Kept[int] = Kept(lambda: now[0], 1.0)
    told = []
    for now[0] in (5.0, 5.9, 6.0):
        told.append(await kept.get(node.ask))
    assert told == [1, 1, 2]


async def test_a_failure_is_told_to_who_asked_and_not_kept() -> None:
    node = Node()
    kept: Kept[int] = Kept(lambda: 0.0, 1.0)
    node.is_away = True
    with pytest.raises(Unavailable):
        await kept.get(node.ask)
    node.is_away = False
    assert await kept.get(node.ask) == 2


async def test_answers_to_other_questions_are_kept_beside_it_and_the_oldest_go_first() -> None:
    node = Node()
    kept = KeptByKey[int, int](lambda: 0.0, 1.0)
    told = [await kept.get(key, node.ask) for key in (1, 2, 1)]
    assert told == [1, 2, 1]
    for key in range(3, KEYS_MAX + 2):
        await kept.get(key, node.ask)
    assert await kept.get(2, node.ask) == 2
    assert await kept.get(1, node.ask) == KEYS_MAX + 2
