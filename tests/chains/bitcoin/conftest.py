"""A node per test, with spendable coins."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from random import Random

import pytest

from runtime.migrations import migrate
from runtime.postgres import connect
from runtime.settings import PostgresSettings
from tests.chains.bitcoin.custody import NETWORK, SETTINGS, Custody
from tests.chains.bitcoin.regtest import HOW_TO_GET, Regtest, find_bitcoind
from tests.chains.bitcoin.signing import script_at
from wallets.bitcoin.adapter import Bitcoin
from wallets.bitcoin.addresses import address_of
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.node_set import NodeSet
from wallets.schema import MIGRATIONS


@pytest.fixture
def regtest() -> Iterator[Regtest]:
    """A fresh chain of 101 blocks: one coin of the miner's wallet is mature."""
    program = find_bitcoind()
    if program is None:
        pytest.skip(HOW_TO_GET)
    chain = Regtest(program)
    try:
        chain.mine(101)
        yield chain
    finally:
        chain.close()


@pytest.fixture
async def custody(regtest: Regtest, postgres_settings: PostgresSettings) -> AsyncIterator[Custody]:
    """Three coins of a bitcoin each at the hot wallet, mined and scanned."""
    await migrate(postgres_settings, MIGRATIONS)
    async with AsyncExitStack() as stack:
        database = await connect(postgres_settings, application_name="chains")
        stack.push_async_callback(database.close)
        await database.write(
            "insert into custody.chain values ('bitcoin', 'regtest', 1, $1)", REGTEST.genesis_hash
        )
        for branch in ("hot", "change", "deposit"):
            await database.write(
                "insert into custody.key_branch values (1, $1, 1, 'p2wpkh', 'x', 0)", branch
            )
            await database.write(
                "insert into custody.address (network_id, key, text, branch, generation,"
                " path_index, account_id) values (1, $1, '', $2, 1, 0, $3)",
                script_at(branch, 0),
                branch,
                5 if branch == "deposit" else 0,
            )
        node = await stack.enter_async_context(regtest.node())
        nodes = NodeSet(REGTEST, [node], 1, lambda: 0.0)
        adapter = Bitcoin(NETWORK, REGTEST, nodes, database, SETTINGS, Random(1))
        for _ in range(3):
            regtest.call("sendtoaddress", address_of(script_at("hot", 0), REGTEST), 1)
        regtest.mine(1)
        # The chain before holds nothing of ours.
        scanned = [str(regtest.call("getblockhash", height)) for height in range(102)]
        found = Custody(regtest, adapter, database, scanned)
        await found.scan()
        yield found
