"""What withdrawals and gathered deposits cost on TRON: as in the book, and what for."""

import asyncio
import json
import os
import sys
from collections import Counter
from typing import Any

import pytest

from runtime.settings import PostgresSettings
from tests.chains.tron.custody import Custody
from tests.chains.tron.gathered import DEPOSITED, ROUND_STEPS, Gathered
from tests.chains.tron.test_gathering import gathered
from tests.chains.tron.test_pipeline import attempts, engine, request, run
from tests.wallets.core.memory_chain import MemoryEngine
from tests.wallets.tron.served import node_set_of
from wallets.contract import WithdrawalId
from wallets.treasury import costs
from wallets.tron.ledger import Ledger

pytestmark = pytest.mark.chains

__all__ = ["engine", "gathered"]

NEW_ACCOUNT_SUN = 1_000_000
HELD_ENERGY, EMPTY_ENERGY = 13_664, 28_664
PARTS = ("energy_atoms", "bandwidth_atoms", "other_atoms")
ROWS_MAX = 100


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
    rows = await costs.of_deposits(custody.database, 1, None, ROWS_MAX)
    sweeps = Counter((row["asset_id"], str(row["txids"])) for row in rows)
    assert sorted((asset_id, count) for (asset_id, _), count in sweeps.items()) == [
        (1, 1),
        (2, 1),
        (2, 2),
    ]
    assert sum(int(str(row["cost_atoms"])) for row in rows) == await gathered.costs_sun()
    # Two deposits that one sweep took along share what it and the account cost.
    (first, second) = [row for row in rows if sweeps[row["asset_id"], str(row["txids"])] == 2]
    assert first["other_atoms"] == str(NEW_ACCOUNT_SUN)
    assert first["energy"] == HELD_ENERGY
    assert int(str(first["cost_atoms"])) + int(str(second["cost_atoms"])) == sum(
        int(str(first[part])) for part in PARTS
    )
    assert {row["atoms"] for row in rows} == {str(DEPOSITED)}
    assert await shown(postgres_settings, "deposits") == rows
    one = str(rows[0]["deposit"])
    assert await shown(postgres_settings, "deposits", "--of", one) == rows[:1]
    assert await shown(postgres_settings, "withdrawals") == []


async def shown(settings: PostgresSettings, *words: str) -> list[dict[str, Any]]:
    """What the operator's command prints."""
    environment = {
        **os.environ,
        "CAMBIST_WALLETS_POSTGRES_DSN": settings.dsn.get_secret_value(),
        "CAMBIST_WALLETS_CHAIN": "tron",
        "CAMBIST_WALLETS_NETWORK": "simulated",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wallets", "costs", *words),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    lines = [line for line in told.decode().splitlines() if line.startswith('{"')]
    return [found for line in lines if "cost_atoms" in (found := json.loads(line))]


async def test_a_withdrawal_costs_what_its_failed_attempts_did_as_well(
    custody: Custody, engine: MemoryEngine
) -> None:
    await engine.request(request(custody, 1, 2))
    await engine.request(request(custody, 2, 1))
    await run(custody, engine, 18)
    assert await record(custody) == 2
    found = await costs.of_withdrawals(custody.database, 1, None, ROWS_MAX)
    by_asset = {row["asset_id"]: row for row in found}
    assert by_asset[2]["energy"] == EMPTY_ENERGY
    assert by_asset[1]["other_atoms"] == str(NEW_ACCOUNT_SUN)
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
    rows = await costs.of_withdrawals(custody.database, 1, None, ROWS_MAX)
    assert [row["transactions"] for row in rows] == [2, 1, 1]
    for row in rows:
        assert int(str(row["cost_atoms"])) == sum(int(str(row[part])) for part in PARTS)
    assert sum(int(str(row["cost_atoms"])) for row in rows) == await booked_sun(custody)
    third = WithdrawalId(b"\x03" * 16)
    assert await costs.of_withdrawals(custody.database, 1, third, ROWS_MAX) == rows[:1]


async def test_a_receipt_that_says_another_fee_than_the_book_is_left_out(
    custody: Custody, engine: MemoryEngine
) -> None:
    await engine.request(request(custody, 1, 1))
    await run(custody, engine, 14)
    assert await attempts(custody.database) == ["final"]
    await custody.database.write("update custody.attempt set fee_atoms = fee_atoms + 1")
    async with node_set_of([custody.node], 1, custody.chain) as nodes:
        assert await Ledger(1, nodes, custody.database).step() == 0
    (row,) = await costs.of_withdrawals(custody.database, 1, None, ROWS_MAX)
    assert row["energy"] is None
