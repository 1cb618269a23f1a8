"""What no block has is shown, never credited; what the pool drops is gone until it is back."""

from dataclasses import dataclass, field

import pytest

from tests.wallets.conftest import NETWORK_ID
from tests.wallets.deposits.memory_blocks import AHEAD, THEIRS, MemoryCredits, Scan, add_tier, pays
from wallets.contract import Movement
from wallets.deposits.pool import Pool, PoolView


@dataclass
class MemoryPool:
    """A node's pool beside its blocks."""

    scan: Scan
    movements: list[Movement] = field(default_factory=list)
    block_hash: str | None = None

    async def read_pool(self, known: frozenset[str]) -> PoolView:
        fresh = [movement for movement in self.movements if movement.txid not in known]
        tip = self.scan.chain.blocks[-1].ref.block_hash
        return PoolView(
            frozenset(movement.txid for movement in self.movements),
            tuple(fresh),
            frozenset(movement.txid for movement in fresh),
            tip if self.block_hash is None else self.block_hash,
        )


@pytest.fixture
async def pool(scan: Scan) -> MemoryPool:
    await add_tier(scan.connection, 1, 0, 2, 3)
    await scan.catch_up()
    return MemoryPool(scan)


def watch(pool: MemoryPool) -> Pool:
    return Pool(pool.scan.database, NETWORK_ID, pool)


async def test_what_is_seen_in_the_pool_is_credited_at_its_depth_and_not_before(
    pool: MemoryPool, engine: MemoryCredits
) -> None:
    scan, looks = pool.scan, watch(pool)
    pool.movements = [pays("good")]
    for _ in range(3):
        await looks.look()
        scan.chain.mine()
        await scan.catch_up()
        await engine.apply()
    assert await scan.states() == {"good": "seen"}
    scan.chain.mine(*pool.movements)
    pool.movements = []
    await scan.catch_up()
    await looks.look()
    assert await scan.states() == {"good": "confirming"}
    scan.chain.mine()
    await scan.catch_up()
    await engine.apply()
    assert engine.done == ["credit"]


async def test_only_what_would_be_credited_is_shown(pool: MemoryPool) -> None:
    pool.movements = [
        pays("strange", key=THEIRS),
        pays("early", key=AHEAD),
        pays("small", 99),
        pays("good"),
    ]
    await watch(pool).look()
    assert await pool.scan.states() == {"good": "seen"}


async def test_a_conflict_takes_what_depends_on_it_along_and_all_may_come_back(
    pool: MemoryPool,
) -> None:
    looks = watch(pool)
    pool.movements = [pays("parent"), pays("child"), pays("other")]
    await looks.look()
    pool.movements = [pays("other"), pays("rival")]
    await looks.look()
    assert await pool.scan.states() == {
        "parent": "replaced",
        "child": "replaced",
        "other": "seen",
        "rival": "seen",
    }
    pool.movements = [pays("other"), pays("parent")]
    await looks.look()
    assert (await pool.scan.states())["parent"] == "seen"
    # A block has the last word, whatever the pool said.
    pool.scan.chain.mine(pays("child"))
    await pool.scan.catch_up()
    assert (await pool.scan.states())["child"] == "confirming"


@pytest.mark.parametrize("block_hash", ["", "a block that is not applied"])
async def test_what_left_the_pool_for_a_block_that_is_not_applied_is_not_gone(
    pool: MemoryPool, block_hash: str
) -> None:
    looks = watch(pool)
    pool.movements = [pays("good")]
    await looks.look()
    pool.movements, pool.block_hash = [], block_hash
    await looks.look()
    assert await pool.scan.states() == {"good": "seen"}


async def test_a_deposit_that_the_engine_has_is_left_alone(
    pool: MemoryPool, engine: MemoryCredits
) -> None:
    scan = pool.scan
    scan.chain.mine(pays("good"))
    scan.chain.mine()
    await scan.catch_up()
    await engine.apply()
    del scan.chain.blocks[1:]
    scan.chain.mine()
    await scan.catch_up()
    pool.movements = [pays("good")]
    await watch(pool).look()
    assert await scan.states() == {"good": "orphaned"}
