"""What withdrawals and gathered deposits cost on TRON: from receipts, and equal to the book."""

import asyncio
import json
import os
import sys
from typing import Any

import pytest

from runtime.settings import PostgresSettings
from tests.chains.tron.custody import Custody
from tests.chains.tron.gathered import DEPOSITED, ROUND_STEPS, Gathered
from tests.chains.tron.test_gathering import gathered
from tests.chains.tron.test_pipeline import attempts, engine, request, run
from tests.wallets.core.memory_chain import MemoryEngine
from tests.wallets.tron.served import node_set_of
from wallets.tron.costs import of_deposits, of_withdrawals
from wallets.tron.ledger import Ledger

pytestmark = pytest.mark.chains

__all__ = ["engine", "gathered"]

NEW_ACCOUNT_SUN = 1_000_000
HELD_ENERGY, EMPTY_ENERGY = 13_664, 28_664


async def record(custody: Custody) -> int:
    """A look of the ledger's, and one more that finds nothing new."""
    async with node_set_of([custody.node], 1, custody.chain) as nodes:
        ledger = Ledger(1, nodes, custody.database)
        stored = await ledger.step()
        assert await ledger.step() == 0
    return stored


async def booked_sun(custody: Custody) -> int:
    row = await custody.database.read_row(
        "select sum(amount_atoms)::bigint as sun from custody.posting "
        "where asset_id = 1 and account = 'network_cost'"
    )
    assert row is not None
    return int(row["sun"])


async def test_a_deposit_costs_its_account_its_energy_and_its_share_of_the_sweep(
    gathered: Gathered, postgres_settings: PostgresSettings
) -> None:
    custody, (key, other, _) = gathered.custody, gathered.keys
    for _ in range(2):
        await gathered.deposit(key, token=True)
    job = gathered.job()
    await gathered.run(job, 2 * ROUND_STEPS)
    await gathered.deposit(key, token=True)
    await gathered.deposit(other, token=False)
    await gathered.run(job, 4 * ROUND_STEPS)
    # Two top-ups and three sweeps.
    assert await record(custody) == 5
    rows = await of_deposits(custody.database, 1)
    costs: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        assert row["cost_sun"] == row["energy_sun"] + row["bandwidth_sun"] + row["other_sun"]
        costs.setdefault(row["sweep"], []).append((row["asset_id"], row["shared_by"]))
    assert sorted(costs.values()) == [[(1, 1)], [(2, 1)], [(2, 2), (2, 2)]]
    assert sum(row["cost_sun"] // row["shared_by"] for row in rows) == await gathered.costs_sun()
    first = next(row for row in rows if row["shared_by"] == 2)
    assert first["other_sun"] == NEW_ACCOUNT_SUN
    assert first["energy"] == HELD_ENERGY
    assert [row["deposit"] for row in await of_deposits(custody.database, 1, other)] == [
        row["deposit"] for row in rows if row["asset_id"] == 1
    ]
    assert {row["atoms"] for row in rows} == {str(DEPOSITED)}
    assert await shown(postgres_settings, "deposits") == rows
    assert await shown(postgres_settings, "withdrawals") == []


async def shown(settings: PostgresSettings, what: str) -> list[dict[str, Any]]:
    """What the operator's command prints."""
    environment = {
        **os.environ,
        "CAMBIST_WALLETS_POSTGRES_DSN": settings.dsn.get_secret_value(),
        "CAMBIST_WALLETS_CHAIN": "tron",
        "CAMBIST_WALLETS_NETWORK": "simulated",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wallets.tron.costs", what),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    lines = [line for line in told.decode().splitlines() if line.startswith('{"')]
    return [found for line in lines if "cost_sun" in (found := json.loads(line))]


async def test_a_withdrawal_costs_what_its_failed_attempts_did_as_well(
    custody: Custody, engine: MemoryEngine
) -> None:
    await engine.request(request(custody, 1, 2))
    await engine.request(request(custody, 2, 1))
    await run(custody, engine, 18)
    assert await record(custody) == 2
    by_asset = {row["asset_id"]: row for row in await of_withdrawals(custody.database, 1)}
    assert by_asset[2]["energy"] == EMPTY_ENERGY
    assert by_asset[1]["other_sun"] == NEW_ACCOUNT_SUN
    await engine.request(request(custody, 3, 2))
    for _ in range(10):
        await run(custody, engine, 1)
        if (await attempts(custody.database))[-1] == "signed":
            break
    # The factor rises between estimate and block.
    custody.chain.head.state.energy_factor = 3_000
    await run(custody, engine, 16)
    assert sorted(await attempts(custody.database)) == ["failed", "final", "final", "final"]
    assert await record(custody) == 2
    rows = await of_withdrawals(custody.database, 1)
    assert [row["transactions"] for row in rows] == [2, 1, 1]
    assert sum(row["cost_sun"] for row in rows) == await booked_sun(custody)


async def test_a_receipt_that_says_another_fee_than_the_book_is_left_out(
    custody: Custody, engine: MemoryEngine
) -> None:
    await engine.request(request(custody, 1, 1))
    await run(custody, engine, 14)
    assert await attempts(custody.database) == ["final"]
    await custody.database.write("update custody.attempt set fee_atoms = fee_atoms + 1")
    async with node_set_of([custody.node], 1, custody.chain) as nodes:
        assert await Ledger(1, nodes, custody.database).step() == 0
    assert await of_withdrawals(custody.database, 1) == []
