"""A worker dies before or after any awaited call while it pays on TRON; the next one pays once."""

import pytest

from tests.chains.tron.custody import Custody
from tests.chains.tron.test_pipeline import PAID, StoredApprover, engine, request, run, states
from tests.wallets.core.memory_chain import MemoryEngine
from tests.wallets.core.test_crashes import SITES, mortal
from tests.wallets.crash_points import Countdown, Died
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store

pytestmark = pytest.mark.chains

__all__ = ["engine"]

POINTS_MAX = 100
FIRST_NUMBER = 20
ROUNDS_MAX = 20


async def pay_and_die(custody: Custody, engine: MemoryEngine, point: int) -> bool:
    """Whether the worker came to that point before its payout was settled."""
    store = Store(custody.database, 1, f"mortal-{point}")
    approver = StoredApprover(custody.database)
    pipeline = Pipeline(store, custody.adapter, approver, custody.signer)
    worker = mortal(pipeline, Countdown(SITES, times=point))
    for _ in range(ROUNDS_MAX):
        await custody.database.write(
            "update custody.payout set not_before = '-infinity', claim_expires_at = '-infinity'"
        )
        try:
            await worker.step()
        except Died:
            return True
        await engine.apply()
        custody.mine()
        await custody.follow()
        if set(await states(custody.database)) == {"settled"}:
            return False
    return False


async def test_whenever_a_worker_dies_each_payout_is_paid_once(
    custody: Custody, engine: MemoryEngine
) -> None:
    asked = []
    # Every third point: some are before a call, some after it.
    for point in range(1, POINTS_MAX, 3):
        asked.append(FIRST_NUMBER + point)
        await engine.request(request(custody, asked[-1], 1 + point % 2))
        has_died = await pay_and_die(custody, engine, point)
        for _ in range(ROUNDS_MAX):
            if set(await states(custody.database)) == {"settled"}:
                break
            await run(custody, engine, 1)
        if not has_died:
            break
    assert len(asked) > 5
    assert not has_died
    assert set(await states(custody.database)) == {"settled"}
    assert len(custody.chain.heights) == len(asked)
    for number in asked:
        paid = custody.received(custody.payout(number, 1).destination.key)
        assert sorted(paid) == [0, PAID]
