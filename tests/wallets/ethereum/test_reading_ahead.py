"""Blocks that are read before their turn: never another one than the nodes agree on then."""

import asyncio
from dataclasses import dataclass, field

import pytest

from runtime.errors import Unavailable
from wallets.contract import Block, BlockRef
from wallets.ethereum import limits
from wallets.ethereum.reading_ahead import ReadingAhead

TIP = 100


@dataclass
class Chain:
    """Says what it was asked for."""

    asked: list[int] = field(default_factory=list)
    fork: str = "a"
    is_down: bool = False

    async def read_block(self, height: int) -> Block:
        self.asked.append(height)
        if self.is_down:
            raise Unavailable("down")
        return Block(await self.agreed_ref(height), "", 0, b"", (), ())

    async def agreed_ref(self, height: int) -> BlockRef:
        return BlockRef(height, f"{self.fork}{height}")

    def ahead(self) -> ReadingAhead:
        return ReadingAhead(self.read_block, self.agreed_ref)


async def settled() -> None:
    """Until tasks that wait for nothing are done."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_goes_up_finds_the_next_blocks_read() -> None:
    chain = Chain()
    ahead = chain.ahead()
    for height in range(10, 20):
        assert (await ahead.read(height, TIP)).ref == BlockRef(height, f"a{height}")
        await settled()
    assert chain.asked == list(range(10, 20 + limits.READ_AHEAD_BLOCKS))
    await ahead.close()


async def test_nothing_above_the_tip_is_asked_for() -> None:
    chain = Chain()
    ahead = chain.ahead()
    for height in (10, 11, 12):
        await ahead.read(height, 12)
        await settled()
    assert chain.asked == [10, 11, 12]


async def test_who_goes_back_or_looks_around_reads_no_other_block() -> None:
    chain = Chain()
    ahead = chain.ahead()
    for height in (10, 4, 9, 3, 8):
        await ahead.read(height, TIP)
        await settled()
    assert chain.asked == [10, 4, 9, 3, 8]


async def test_a_block_that_left_the_chain_meanwhile_is_read_anew() -> None:
    chain = Chain()
    ahead = chain.ahead()
    await ahead.read(10, TIP)
    await ahead.read(11, TIP)
    await settled()
    chain.fork = "b"
    assert (await ahead.read(12, TIP)).ref == BlockRef(12, "b12")
    await ahead.close()


async def test_a_block_that_could_not_be_read_is_asked_for_when_its_turn_comes() -> None:
    chain = Chain()
    ahead = chain.ahead()
    await ahead.read(10, TIP)
    await ahead.read(11, TIP)
    chain.is_down = True
    await settled()
    with pytest.raises(Unavailable):
        await ahead.read(12, TIP)
    chain.is_down = False
    assert (await ahead.read(12, TIP)).ref == BlockRef(12, "a12")
    await ahead.close()
