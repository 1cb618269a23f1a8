"""Deposits in the memory pool of a real node: seen, replaced with all that spend them, mined."""

import pytest

from tests.chains.bitcoin.custody import NETWORK, Custody
from tests.chains.bitcoin.signing import script_at
from wallets.bitcoin.addresses import address_of
from wallets.bitcoin.networks import REGTEST
from wallets.contract import Block
from wallets.deposits import sightings
from wallets.deposits.pool import Pool

pytestmark = pytest.mark.chains
STATES = "select txid, state from custody.deposit"


async def states(custody: Custody) -> dict[str, str]:
    return {row["txid"]: row["state"] for row in await custody.database.read(STATES)}


async def follow(custody: Custody) -> None:
    """The best block is applied, with what it pays to customers."""
    await custody.scan()
    tip = await custody.adapter.tip()
    block: Block = await custody.adapter.read_block(tip.height)
    async with custody.database.transaction() as connection:
        await connection.execute("select set_config('custody.actor', 'test', true)")
        await connection.execute("delete from custody.block")
        await connection.execute(
            "insert into custody.block values (1, $1, $2, $3, 0, '')",
            tip.height,
            tip.block_hash,
            block.parent_hash,
        )
        await sightings.apply_block(connection, NETWORK.network_id, block)


async def test_a_replacement_takes_the_deposit_and_its_child_and_a_block_ends_it(
    custody: Custody,
) -> None:
    await custody.database.write("insert into custody.asset values (1, 1, '', 'BTC', 8, 8, 0, 0)")
    await follow(custody)
    pool = Pool(custody.database, NETWORK.network_id, custody.adapter)
    call = custody.regtest.call
    ours, theirs = address_of(script_at("deposit", 0), REGTEST), custody.regtest.miner
    coin = next(one for one in call("listunspent") if one["amount"] > 1)
    spends = [{"txid": coin["txid"], "vout": coin["vout"], "sequence": 0}]

    def send(inputs: list[dict[str, object]], outputs: list[dict[str, str]]) -> str:
        raw = call("createrawtransaction", inputs, outputs)
        signed = call("signrawtransactionwithwallet", raw)["hex"]
        return str(call("sendrawtransaction", signed, 0))

    change = float(coin["amount"]) - 1
    parent = send(spends, [{ours: "1"}, {theirs: f"{change - 0.00001:.8f}"}])
    child = send(
        [{"txid": parent, "vout": 1, "sequence": 0}],
        [{ours: "0.5"}, {theirs: f"{change - 0.50002:.8f}"}],
    )
    await pool.look()
    assert await states(custody) == {parent: "seen", child: "seen"}
    rival = send(spends, [{ours: "0.25"}, {theirs: f"{change + 0.749:.8f}"}])
    await pool.look()
    assert await states(custody) == {parent: "replaced", child: "replaced", rival: "seen"}
    custody.regtest.mine(1)
    # The node has mined it and nothing is applied here: it is not called gone.
    await pool.look()
    assert (await states(custody))[rival] == "seen"
    await follow(custody)
    await pool.look()
    assert await states(custody) == {parent: "replaced", child: "replaced", rival: "confirming"}
