"""Timestamps that are taken a few at a time: none twice, and none of long ago."""

import asyncio
from dataclasses import dataclass, field

import pytest

from wallets.errors import Condition, Stuck
from wallets.tron.timestamps import GOOD_MILLISECONDS, RUN, Timestamps

ONE, OTHER = b"\x41" + bytes(20), b"\x41" + b"\x01" * 20
NOW_MS = 1_000_000


@dataclass
class Table:
    """What the database would give: later numbers each time, of each account."""

    last_ms: dict[bytes, int] = field(default_factory=dict)
    asked: int = 0

    async def take(self, account: bytes, chain_time_ms: int, count: int) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        first = max(chain_time_ms, self.last_ms.get(account, 0) + 1)
        self.last_ms[account] = first + count - 1
        return first


async def test_payouts_of_a_moment_share_a_run_and_none_has_the_timestamp_of_another() -> None:
    table = Table()
    workers = [Timestamps(table.take), Timestamps(table.take)]
    taken = await asyncio.gather(
        *(worker.take(ONE, NOW_MS) for _ in range(RUN) for worker in workers)
    )
    assert len(set(taken)) == 2 * RUN
    assert table.asked == 2


async def test_accounts_have_runs_of_their_own() -> None:
    table = Table()
    worker = Timestamps(table.take)
    assert [await worker.take(key, NOW_MS) for key in (ONE, OTHER, ONE)] == [
        NOW_MS,
        NOW_MS,
        NOW_MS + 1,
    ]


@pytest.mark.parametrize("later_ms", [GOOD_MILLISECONDS + 1, -1])
async def test_what_was_not_used_within_a_moment_of_the_chains_clock_is_let_go(
    later_ms: int,
) -> None:
    table = Table()
    worker = Timestamps(table.take)
    await worker.take(ONE, NOW_MS)
    taken = await worker.take(ONE, NOW_MS + later_ms)
    assert taken == max(NOW_MS + later_ms, NOW_MS + RUN)
    assert table.asked == 2


async def test_a_refusal_is_told_and_the_next_one_asks_again() -> None:
    table = Table()

    async def refuse_first(account: bytes, chain_time_ms: int, count: int) -> int:
        if not table.asked:
            table.asked += 1
            raise Stuck(Condition.PINNED, "too far ahead")
        return await table.take(account, chain_time_ms, count)

    worker = Timestamps(refuse_first)
    with pytest.raises(Stuck):
        await worker.take(ONE, NOW_MS)
    assert await worker.take(ONE, NOW_MS) == NOW_MS
