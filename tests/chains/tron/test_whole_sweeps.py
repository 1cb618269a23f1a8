"""Deposits on TRON are gathered by a worker process that is killed again and again."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from runtime.postgres import connect
from runtime.settings import PostgresSettings
from tests.chains.killing import killing
from tests.chains.tron.test_whole_way import FUNDED, IN_ATOMS, UNIT
from tests.chains.tron.whole_venue import CUSTOMER, World, whole_venue
from venue.custody.files import registration_file
from venue.custody.listing import TRON_TOKEN_KEY, TRX
from wallets.tron.addresses import parse_address
from wallets.worker.registration import apply, read_registration

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]

STATION = {"branch": "hot", "path_index": 1}
SWEEPS = {
    "station": STATION,
    "minimum_atoms": {"": 10 * UNIT, TRON_TOKEN_KEY.hex(): 10 * UNIT},
}
KILLS = 5


async def register_station(world: World) -> bytes:
    """By the registration that the venue began with, and one account more; the account."""
    path = registration_file(world.custody.folder, world.custody.plans[0])
    content = json.loads(path.read_text(encoding="utf-8"))
    content["hot_accounts"].append({**STATION, "is_station": True})
    path.write_text(json.dumps(content), encoding="utf-8")
    settings = PostgresSettings(dsn=world.stack.dsn)
    database = await connect(settings, application_name="test")
    try:
        for _ in range(2):
            await apply(database, read_registration(path))
    finally:
        await database.close()
    account = await world.rows.fetchval(
        "select account from custody.tron_account where is_draining"
    )
    assert isinstance(account, bytes)
    return account


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with whole_venue(tmp_path, {"sweeps": SWEEPS}) as found:
        hot = await found.rows.fetchval("select account from custody.tron_account")
        for account in (hot, CUSTOMER, await register_station(found)):
            found.give(account, FUNDED, FUNDED)
        for _ in range(5):
            found.chain.make_block()
        yield found


async def test_t13_deposits_are_gathered_once_by_workers_that_die(world: World) -> None:
    token_text, both_text = [
        await world.client.withdrawals.deposit_address(
            world.account_id, TRX.asset_id, "tron", request_id=request_id
        )
        for request_id in (b"one", b"two")
    ]
    token_key, both_key = parse_address(token_text).key, parse_address(both_text).key
    await world.send(token_key, IN_ATOMS, token=True)
    await world.send(both_key, IN_ATOMS, token=False)
    await world.send(both_key, IN_ATOMS, token=True)
    (hot, station) = [
        row["account"]
        for row in await world.rows.fetch(
            "select account from custody.tron_account order by path_index"
        )
    ]

    async def are_gathered() -> bool:
        held = [world.held(key) for key in (token_key, both_key)]
        # Without an end, or without its cost.
        left = await world.rows.fetch(
            "select from custody.attempt a where state <> 'dead' and not exists "
            "(select from custody.tron_cost c where c.attempt_id = a.attempt_id)"
        )
        return world.held(hot)[1] == FUNDED + 2 * IN_ATOMS and held[1][0] == 0 and not left

    await world.mine_until(killing(world, are_gathered, KILLS, Random(13)))
    kinds = await world.rows.fetch(
        "select kind, count(*) as times from custody.attempt where state = 'final' "
        "group by kind order by kind"
    )
    # One account was made, and each of three holdings was swept once.
    assert [tuple(row) for row in kinds] == [("sweep", 3), ("top_up", 1)]
    book = await world.book(TRX.asset_id)
    ours = sum(world.held(key)[0] for key in (hot, station, token_key, both_key))
    # Reconciliation finds what hot accounts began with.
    assert ours == 2 * FUNDED + book["hot"] + book.get("unclaimed", 0)
    costs = await world.rows.fetchval(
        "select sum(energy_sun + bandwidth_sun + other_sun) from custody.tron_cost"
    )
    assert int(costs) == book["network_cost"]
    assert len(await world.deposit_states()) == 3
    assert await world.rows.fetchval("select stopped_reason from custody.chain") == ""
