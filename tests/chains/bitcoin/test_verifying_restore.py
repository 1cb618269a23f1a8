"""Custody's tables are put back to an earlier moment, and what was paid since is on the chain."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cambist.client.withdrawals import Wanted
from runtime.embedded_postgres import find_binaries
from tests.chains.bitcoin.regtest import Regtest
from tests.chains.bitcoin.whole_venue import ASSET_ID, COIN, World, until, whole_venue
from venue.custody.stack import SERVICE, worker_of
from venue.processes import ProcessFailed

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]

BY = ("--resume", "anna", "--resume", "boris")
IN_ATOMS = COIN // 2
UNANSWERED = "select exists (select from custody.outbox where answer_reason is null)"


@pytest.fixture
async def world(regtest: Regtest, tmp_path: Path) -> AsyncIterator[World]:
    async with whole_venue(regtest, tmp_path) as found:
        yield found


async def program(world: World, name: str, *arguments: str) -> None:
    """One of Postgres' own, on the venue's database."""
    command = [str(find_binaries() / name), f"--dbname={world.stack.dsn}", *arguments]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=120)


async def dump(world: World, file: Path) -> None:
    """Custody as it is now, once the engine has answered all it was told."""

    async def is_answered() -> bool:
        return not await world.rows.fetchval(UNANSWERED)

    await until(is_answered)
    await program(world, "pg_dump", "--schema=custody", f"--file={file}")


async def put_back(world: World, file: Path) -> None:
    """Custody as it was then, found by its workers in another database than before."""
    names = (SERVICE, worker_of(world.custody.plans[0]))
    for name in names:
        world.stack.processes.kill(name)
    await world.rows.execute("drop schema custody cascade")
    await program(world, "psql", "--set=ON_ERROR_STOP=1", f"--file={file}")
    await world.rows.execute("update custody.database_identity set identity = '1/00000001'")
    for name in names:
        world.custody.start_process(name)
    await world.stack.wait_serving(SERVICE, world.custody.ports.service_health)
    await world.custody.wait_worker()
    height = int(await asyncio.to_thread(world.regtest.call, "getblockcount"))

    async def is_scanned() -> bool:
        return bool(await world.rows.fetchval("select max(height) from custody.block") == height)

    await until(is_scanned)


async def withdraw(world: World, amount: str) -> None:
    target = str(await asyncio.to_thread(world.regtest.call, "getnewaddress"))
    wanted = Wanted(world.account_id, ASSET_ID, "bitcoin", amount, target)
    quote = await world.client.withdrawals.quote(wanted)
    await world.client.withdrawals.request(wanted, quote)


async def states(world: World) -> list[str]:
    return [one.state async for one in world.client.withdrawals.list(world.account_id)]


async def stopped(world: World) -> str:
    return str(await world.rows.fetchval("select stopped_reason from custody.chain"))


async def test_nothing_is_paid_until_signer_journal_chain_and_books_agree(
    world: World, tmp_path: Path
) -> None:
    before, after = tmp_path / "before.sql", tmp_path / "after.sql"
    address = await world.client.withdrawals.deposit_address(world.account_id, ASSET_ID, "bitcoin")
    await asyncio.to_thread(world.regtest.call, "sendtoaddress", address, f"{IN_ATOMS / COIN:.8f}")
    await world.mine_until(world.deposit_state, "withdrawable")
    await world.custody.command("verify-restore")
    await dump(world, before)
    await withdraw(world, "0.1")
    await world.mine_until(world.withdrawal_state, "settled")
    await dump(world, after)
    coins = await world.coins_atoms()

    await put_back(world, before)
    assert (await stopped(world)).startswith("Restored: the database is ")
    with pytest.raises(ProcessFailed) as differing:
        await world.custody.command("verify-restore", *BY)
    told = str(differing.value)
    assert "status 3" in told
    assert "SIGNED_AND_UNKNOWN: entry 1, transaction " in told
    assert "BOOKS_DIFFER: deficit of " in told
    assert "payouts of this network are stopped" in told
    assert (await stopped(world)).startswith("Restored: ")
    # What it hides: the engine knows commands of the time that was lost.
    hidden = await world.rows.fetchval("select stopped_before from custody.chain")
    assert hidden.startswith("EngineAhead")
    # The journal told custody of the withdrawal again, and nobody pays it again.
    assert await states(world) == ["requested"]
    await world.mine(2)
    assert await world.coins_atoms() == coins

    await put_back(world, after)
    assert (await stopped(world)).startswith("Restored: the database is ")
    await world.custody.command("verify-restore", *BY)
    assert await stopped(world) == ""
    await withdraw(world, "0.05")

    async def both() -> str:
        return " ".join(await states(world))

    await world.mine_until(both, "settled settled")
