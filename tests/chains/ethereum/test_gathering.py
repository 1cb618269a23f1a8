"""Deposits gathered by the worker's job on a real node: gas first, then the token, once each."""

import pytest

from tests.chains.ethereum.conftest import TRANSFER
from tests.chains.ethereum.custody import ETHER, GWEI, Custody, policy_of
from tests.chains.real_signer import NETWORK_ID, SEEDS
from wallets.core.transactions import changing
from wallets.deposits import sightings
from wallets.errors import Fenced, Stuck
from wallets.ethereum.addresses import account_at, parse_branch, text_of
from wallets.ethereum.gathering import EthereumGathering, SweepSettings
from wallets.link import lease
from wallets.treasury.gathering import Gathering, lease_of

pytestmark = pytest.mark.chains

CUSTOMERS = 3
BAN = "4c68f4a2"


async def deposit_keys(custody: Custody) -> list[bytes]:
    """Addresses of three customers, and a gas station with one ether."""
    network = policy_of(custody.token).network(NETWORK_ID)
    branch = SEEDS.branch_key(network, "deposit")
    keys = [custody.adapter.create_wallet(branch, index).key for index in range(CUSTOMERS)]
    await custody.database.write(
        "insert into custody.key_branch values (1, 'deposit', 1, 'account', $1, 0)", branch
    )
    for index, key in enumerate(keys):
        await custody.database.write(
            "insert into custody.address (network_id, key, text, branch, generation, path_index, "
            "account_id) values (1, $1, $2, 'deposit', 1, $3, 4096)",
            key,
            text_of(key),
            index,
        )
    station = account_at(parse_branch(SEEDS.branch_key(network, "hot")), 1)
    custody.anvil.give(text_of(station), ETHER)
    await custody.database.write(
        "insert into custody.ethereum_lane values (1, $1, 'hot', 1, true)", station
    )
    return keys


async def scan(custody: Custody, first: int) -> None:
    """Reads blocks as the scanner does, and lets what they pay become withdrawable."""
    for height in range(first, custody.anvil.height() + 1):
        block = await custody.adapter.read_block(height)
        async with changing(custody.database, "test", "") as connection:
            await sightings.apply_block(connection, NETWORK_ID, block)
    for state in ("confirming", "credited", "withdrawable"):
        async with changing(custody.database, "test", "") as connection:
            await connection.execute(
                "update custody.deposit set state = $1 where state = any($2)",
                state,
                {
                    "confirming": ["seen"],
                    "credited": ["confirming"],
                    "withdrawable": ["credited"],
                }[state],
            )


def gathering_of(custody: Custody, calm_per_gas_atoms: int = 20 * GWEI) -> Gathering:
    network = policy_of(custody.token).network(NETWORK_ID)
    station = account_at(parse_branch(SEEDS.branch_key(network, "hot")), 1)
    minimum = {"": ETHER // 10, text_of(custody.token): 1_000}
    settings = SweepSettings(text_of(station), calm_per_gas_atoms, minimum)
    gathers = EthereumGathering(custody.adapter, custody.database, settings)
    return Gathering(custody.database, custody.adapter, gathers, custody.signer)


async def hold_lease(custody: Custody) -> int:
    token = await lease.hold(custody.database, lease_of(NETWORK_ID), "one", 60)
    assert token is not None
    return token


async def deposit_token(custody: Custody) -> bytes:
    """Five of it, on the first address."""
    (key, *_) = await deposit_keys(custody)
    first = custody.anvil.height() + 1
    custody.call_token(TRANSFER, int.from_bytes(key), 5_000_000)
    custody.anvil.mine()
    await scan(custody, first)
    return key


async def test_deposits_are_gathered_once_and_top_ups_are_never_credited(custody: Custody) -> None:
    token_key, ether_key, dust_key = await deposit_keys(custody)
    first = custody.anvil.height() + 1
    custody.call_token(TRANSFER, int.from_bytes(token_key), 5_000_000)
    custody.call_token(TRANSFER, int.from_bytes(dust_key), 1)
    custody.anvil.send(to=text_of(ether_key), value=hex(ETHER))
    custody.anvil.mine()
    await scan(custody, first)
    before = custody.tokens_of(custody.lane)
    token = await hold_lease(custody)
    # Two workers, of which one thinks that it still has the lease.
    one, other = gathering_of(custody), gathering_of(custody)
    planned = []
    for _ in range(16):
        planned.append(await one.step(token))
        custody.anvil.mine()
    assert [count for count in planned if count] == [2, 1]
    deposits = await custody.database.read("select key, contract from custody.deposit")
    second = custody.anvil.height() + 1
    custody.call_token(TRANSFER, int.from_bytes(token_key), 5_000_000)
    custody.anvil.mine(3)
    await scan(custody, second)
    with pytest.raises(Fenced):
        await other.step(token - 1)
    assert custody.tokens_of(custody.lane) - before == 5_000_000
    assert (custody.tokens_of(token_key), custody.tokens_of(dust_key)) == (5_000_000, 1)
    kinds = await custody.database.read(
        "select kind, state, fee_atoms from custody.attempt where kind <> 'payout' order by kind"
    )
    assert [(row["kind"], row["state"]) for row in kinds] == [
        ("sweep", "final"),
        ("sweep", "final"),
        ("top_up", "final"),
    ]
    await scan(custody, first)
    again = await custody.database.read("select key, contract, amount_atoms from custody.deposit")
    assert len(deposits) == 3
    # The second deposit of the token, and no ether on its address.
    assert len(again) == 4
    assert not [row for row in again if row["key"] == token_key and not row["contract"]]
    costs = await custody.database.read_row(
        "select sum(amount_atoms)::text as paid from custody.posting "
        "where asset_id = 1 and account = 'network_cost'"
    )
    assert costs is not None
    assert int(costs["paid"]) == sum(int(row["fee_atoms"]) for row in kinds)


async def test_e15_a_base_fee_that_rises_after_the_top_up_lets_the_token_wait(
    custody: Custody,
) -> None:
    key = await deposit_token(custody)
    token = await hold_lease(custody)
    job = gathering_of(custody)
    for _ in range(3):
        await job.step(token)
        custody.anvil.mine(3)
    custody.anvil.call("anvil_setNextBlockBaseFeePerGas", hex(30 * GWEI))
    custody.anvil.mine()
    assert await job.step(token) == 0
    # The top-up is booked; a sweep at this price is not planned, and no second top-up either.
    for _ in range(3):
        with pytest.raises(Stuck, match="AtCeiling"):
            await job.step(token)
    row = await custody.database.read_row("select count(*) from custody.attempt")
    assert row is not None
    assert row["count"] == 1
    for _ in range(6):
        custody.anvil.call("anvil_setNextBlockBaseFeePerGas", hex(GWEI // 2))
        custody.anvil.mine(3)
        await job.step(token)
    assert custody.tokens_of(key) == 0


async def test_a_token_that_answers_oddly_stays_and_ether_is_gathered(custody: Custody) -> None:
    token_key, ether_key, _ = await deposit_keys(custody)
    first = custody.anvil.height() + 1
    custody.call_token(TRANSFER, int.from_bytes(token_key), 5_000_000)
    custody.anvil.send(to=text_of(ether_key), value=hex(ETHER))
    custody.anvil.mine()
    await scan(custody, first)
    custody.anvil.call("anvil_setCode", text_of(custody.token), "0x")
    token = await hold_lease(custody)
    assert await gathering_of(custody).step(token) == 1
    rows = await custody.database.read("select asset_id from custody.treasury_transfer")
    assert [row["asset_id"] for row in rows] == [1]


async def test_a_sweep_that_fails_costs_one_fee_and_is_tried_anew_when_the_token_would_move(
    custody: Custody,
) -> None:
    key = await deposit_token(custody)
    token = await hold_lease(custody)
    job = gathering_of(custody)
    custody.anvil.give(text_of(key), ETHER)
    assert await job.step(token) == 1
    await job.step(token)
    # Banned before the sweep is mined: it is in the block, and fails.
    custody.call_token(BAN, int.from_bytes(key), 1)
    custody.anvil.mine()
    for _ in range(5):
        assert await job.step(token) == 0
        custody.anvil.mine(3)
    (row,) = await custody.database.read("select state, fee_atoms from custody.attempt")
    assert (row["state"], row["fee_atoms"] > 0) == ("failed", True)
    assert not await custody.database.read("select from custody.owned_input")
    assert custody.tokens_of(key) == 5_000_000
    custody.call_token(BAN, int.from_bytes(key), 0)
    custody.anvil.mine()
    assert await job.step(token) == 1


async def test_while_gas_is_dear_or_the_station_pays_customers_nothing_moves(
    custody: Custody,
) -> None:
    (key, *_) = await deposit_keys(custody)
    first = custody.anvil.height() + 1
    custody.call_token(TRANSFER, int.from_bytes(key), 5_000_000)
    custody.anvil.mine()
    await scan(custody, first)
    token = await hold_lease(custody)
    with pytest.raises(Stuck, match="AtCeiling"):
        await gathering_of(custody, calm_per_gas_atoms=1).step(token)
    await custody.database.write("update custody.ethereum_lane set is_draining = false")
    with pytest.raises(Stuck, match="station"):
        await gathering_of(custody).step(token)
    assert not await custody.database.read("select from custody.attempt")
