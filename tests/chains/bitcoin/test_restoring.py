"""Custody's database is lost, and made anew from the extended public keys alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cambist.client.errors import Rejected
from cambist.client.withdrawals import Wanted
from runtime import postgres
from runtime.settings import PostgresSettings
from tests.chains.bitcoin.regtest import Regtest
from tests.chains.bitcoin.whole_venue import ASSET_ID, COIN, World, until, whole_venue
from venue.custody import files
from venue.custody.stack import SERVICE, worker_of
from venue.processes import ProcessFailed
from wallets.deposits.addresses_command import line_of
from wallets.deposits.restoring import read_given

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]

IN_ATOMS = COIN // 2
# Far above what is derived ahead.
PLACES = 5_000
BY = ("--by", "anna", "--by", "boris")
FOUND = "select account_id, state, reason from custody.deposit"


@pytest.fixture
async def world(regtest: Regtest, tmp_path: Path) -> AsyncIterator[World]:
    async with whole_venue(regtest, tmp_path, accounts=2) as found:
        yield found


async def address_of(world: World, account_id: int) -> str:
    return await world.client.withdrawals.deposit_address(account_id, ASSET_ID, "bitcoin")


async def place_of(world: World, address: str) -> int:
    place = "select path_index from custody.address where text = $1"
    return int(await world.rows.fetchval(place, address))


async def write_list(world: World, file: Path) -> None:
    """What `python -m wallets addresses list` tells, as an operator keeps it."""
    settings = PostgresSettings.model_validate({"dsn": world.stack.dsn})
    database = await postgres.connect(settings, application_name="test")
    network_id = world.custody.plans[0].network_id
    lines = [line_of(one) async for one in read_given(database, network_id)]
    await database.close()
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


async def lose_database(world: World) -> None:
    """Custody's own tables are gone; it is registered again as it was, and started."""
    plan = world.custody.plans[0]
    names = (SERVICE, worker_of(plan))
    for name in names:
        world.stack.processes.kill(name)
    await world.rows.execute("drop schema custody cascade")
    await world.custody.command("migrate")
    registration = files.registration_file(world.custody.folder, plan)
    await world.custody.command("apply", str(registration))
    for name in names:
        world.custody.start_process(name)
    await world.stack.wait_serving(SERVICE, world.custody.ports.service_health)
    await world.custody.wait_worker()


async def wait_scanned(world: World) -> int:
    """The height up to which the new database has read all blocks."""
    height = int(await asyncio.to_thread(world.regtest.call, "getblockcount"))

    async def is_scanned() -> bool:
        return bool(await world.rows.fetchval("select max(height) from custody.block") == height)

    await until(is_scanned)
    return height


async def test_b14_a_deposit_far_above_what_is_derived_is_found_and_credited_in_a_new_database(
    world: World, tmp_path: Path
) -> None:
    other, kept = world.account_id + 1, tmp_path / "addresses.jsonl"
    await world.custody.command("addresses", "restore", "--places", str(PLACES - 1), *BY)
    address = await address_of(world, world.account_id)
    assert await place_of(world, address) == PLACES - 1
    await write_list(world, kept)
    await asyncio.to_thread(world.regtest.call, "sendtoaddress", address, f"{IN_ATOMS / COIN:.8f}")
    await lose_database(world)
    await world.mine()
    height = await wait_scanned(world)
    # Only a few places are derived by itself: nobody would ever have seen it.
    assert await world.rows.fetch(FOUND) == []
    again = ("rescan", "--from-height", str(height))
    await world.custody.command("addresses", "restore", "--places", str(PLACES), *BY)
    await world.custody.command(*again)
    found = [tuple(row) for row in await world.rows.fetch(FOUND)]
    assert found == [(0, "unclaimed", "ADDRESS_NOT_GIVEN_OUT")]
    # No new customer gets an address that somebody else was given.
    assert await place_of(world, await address_of(world, other)) == PLACES
    restore = ("addresses", "restore", "--places", str(PLACES), "--given", str(kept))
    await world.custody.command(*restore, *BY)
    await world.custody.command(*again)
    await world.mine_until(world.deposit_state, "withdrawable")

    async def is_credited() -> bool:
        return await world.balance() == (IN_ATOMS, 0, 0)

    await until(is_credited)
    assert await address_of(world, world.account_id) == address
    commands = await world.rows.fetch(
        "select kind, answer_reason from custody.outbox where kind <> 'finalize_credit'"
    )
    assert [tuple(row) for row in commands] == [("credit", 0)]
    assert await world.book() == {"hot": IN_ATOMS, "customers": -IN_ATOMS}
    assert await world.coins_atoms() == IN_ATOMS


async def test_b14_what_a_lost_database_had_credited_is_not_credited_again_by_a_new_one(
    world: World, tmp_path: Path
) -> None:
    kept = tmp_path / "addresses.jsonl"
    await world.rows.execute("update custody.chain set deposit_final_depth = 4")
    address = await address_of(world, world.account_id)
    await asyncio.to_thread(world.regtest.call, "sendtoaddress", address, f"{IN_ATOMS / COIN:.8f}")
    finalized = "select exists (select from custody.outbox where answer_reason = 0 and kind = $1)"

    async def is_final() -> bool:
        await world.mine()
        return bool(await world.rows.fetchval(finalized, "finalize_credit"))

    # From then on the engine does not know the deposit any more, and would take it for a new one.
    await until(is_final, pause_seconds=0.5)
    await write_list(world, kept)
    await lose_database(world)

    async def is_stopped() -> bool:
        reason = str(await world.rows.fetchval("select stopped_reason from custody.chain"))
        return reason.startswith("EngineAhead")

    await until(is_stopped)
    await wait_scanned(world)
    restore = ("addresses", "restore", "--places", "1", "--given", str(kept))
    await world.custody.command(*restore, *BY)
    await world.custody.command("rescan", "--from-height", "100")
    await world.mine(4)
    await wait_scanned(world)
    assert [tuple(row) for row in await world.rows.fetch(FOUND)] == [
        (world.account_id, "held", "ASSET_SUSPENDED")
    ]
    assert await world.rows.fetch("select 1 from custody.outbox") == []
    assert await world.balance() == (IN_ATOMS, 0, 0)
    target = str(await asyncio.to_thread(world.regtest.call, "getnewaddress"))
    wanted = Wanted(world.account_id, ASSET_ID, "bitcoin", "0.01", target)
    with pytest.raises(Rejected, match="WITHDRAWALS_SUSPENDED"):
        await world.client.withdrawals.quote(wanted)
    with pytest.raises(ProcessFailed, match="NOT_SETTLED"):
        await world.custody.command("engine-ahead", "end", *BY)
    # What the engine's journal says of each command is what became of it.
    await world.rows.execute("update custody.chain set deposit_final_depth = 4")
    await world.custody.command("engine-ahead", "show")
    for done in ("adopt", "end"):
        await world.custody.command("engine-ahead", done, *BY)
    assert [tuple(row) for row in await world.rows.fetch(FOUND)] == [
        (world.account_id, "withdrawable", "")
    ]
    assert await world.book() == {"hot": IN_ATOMS, "customers": -IN_ATOMS}
    await world.custody.command("reconcile")
    quote = await world.client.withdrawals.quote(wanted)
    await world.client.withdrawals.request(wanted, quote)
    await world.mine_until(world.withdrawal_state, "settled")
    assert await world.rows.fetch("select 1 from custody.outbox where kind = 'credit'") == []
    await world.custody.command("reconcile")
