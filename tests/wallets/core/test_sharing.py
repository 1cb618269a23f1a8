"""Work that several want at the same moment is done as one, and each has an end of its own."""

import asyncio
from collections.abc import Sequence

import pytest

from runtime.errors import Unknown
from wallets.core.sharing import Sharing
from wallets.errors import Fenced

ODD = Fenced("odd")


class Worker:
    """Doubles numbers; keeps what came together. A three breaks all, a one only itself."""

    def __init__(self) -> None:
        self.together: list[list[int]] = []
        self.gate = asyncio.Event()

    async def double(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.together.append(list(numbers))
        await self.gate.wait()
        if 3 in numbers:
            raise ValueError("three")
        if 7 in numbers:
            raise Unknown("the answer was lost")
        return [ODD if number == 1 else number * 2 for number in numbers]


async def ask(
    numbers: Sequence[int], shared_max: int = 64
) -> tuple[Worker, list[int | BaseException]]:
    worker = Worker()
    sharing = Sharing(worker.double, shared_max)
    asked = [asyncio.create_task(sharing.do(numbers[0]))]
    # The first is under way when the others come.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asked += [asyncio.create_task(sharing.do(number)) for number in numbers[1:]]
    await asyncio.sleep(0)
    worker.gate.set()
    return worker, await asyncio.gather(*asked, return_exceptions=True)


async def test_who_comes_while_work_is_under_way_shares_the_next() -> None:
    worker, ends = await ask([2, 4, 5, 6])
    assert worker.together == [[2], [4, 5, 6]]
    assert ends == [4, 8, 10, 12]


async def test_no_more_share_than_may() -> None:
    worker, ends = await ask([2, 4, 5, 6], shared_max=2)
    assert worker.together == [[2], [4, 5], [6]]
    assert ends == [4, 8, 10, 12]


async def test_an_error_of_one_piece_is_nobody_elses() -> None:
    _, ends = await ask([2, 1, 4])
    assert ends == [4, ODD, 8]


async def test_what_fails_for_all_together_is_done_for_each_alone() -> None:
    worker, ends = await ask([2, 3, 4])
    assert worker.together == [[2], [3, 4], [3], [4]]
    assert isinstance(ends[1], ValueError)
    assert (ends[0], ends[2]) == (4, 8)


async def test_a_lost_answer_is_unknown_to_all_and_nothing_is_done_again() -> None:
    worker, ends = await ask([2, 7, 4])
    assert worker.together == [[2], [7, 4]]
    assert [type(one) for one in ends[1:]] == [Unknown, Unknown]


async def test_who_gives_up_before_it_begins_changes_nothing_and_others_go_on() -> None:
    worker = Worker()
    sharing = Sharing(worker.double)
    first = asyncio.create_task(sharing.do(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second, third = (asyncio.create_task(sharing.do(number)) for number in (4, 5))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    worker.gate.set()
    assert [await first, await third] == [4, 10]
    assert worker.together == [[2], [5]]
    with pytest.raises(asyncio.CancelledError):
        await second
