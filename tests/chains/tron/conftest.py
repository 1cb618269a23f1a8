"""A simulated node per test, and custody around it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from runtime.clock import ManualClock
from runtime.migrations import migrate
from runtime.postgres import connect
from runtime.settings import PostgresSettings
from tests.chains.real_signer import NETWORK_ID, SEEDS, RealSigner
from tests.chains.tron.custody import GENESIS_MS, TOKEN, TRX, Custody, policy_of
from tests.wallets.tron.served import listen, open_node
from wallets.contract import Network
from wallets.schema import MIGRATIONS
from wallets.signer import log
from wallets.signer.service import Signer
from wallets.tron.adapter import Tron, TronSettings
from wallets.tron.addresses import account_at
from wallets.tron.node_set import NodeSet
from wallets.tron.simulator.chain import Chain
from wallets.tron.simulator.parameters import Parameters
from wallets.tron.simulator.server import Node as SimulatedNode
from wallets.tron.simulator.state import Account, State

# The third block is solid.
PARAMETERS = Parameters(solid_lag_blocks=2)


@pytest.fixture
async def custody(postgres_settings: PostgresSettings) -> AsyncIterator[Custody]:
    """A thousand TRX and a million tokens."""
    await migrate(postgres_settings, MIGRATIONS)
    await migrate(postgres_settings, log.MIGRATIONS)
    policy = policy_of()
    hot = account_at(SEEDS.branch_key(policy.network(NETWORK_ID), "hot"), 0)
    state = State(PARAMETERS)
    state.accounts[hot] = Account(1_000 * TRX, GENESIS_MS)
    state.tokens[TOKEN] = {hot: 10**12}
    chain = Chain(PARAMETERS, GENESIS_MS, state)
    node = SimulatedNode(chain)
    network = Network("tron", "simulated", NETWORK_ID, chain.blocks[0].block_hash)
    async with AsyncExitStack() as stack:
        database = await connect(postgres_settings, application_name="chains")
        stack.push_async_callback(database.close)
        await database.write(
            "insert into custody.chain values ('tron', 'simulated', 1, $1)", network.genesis_hash
        )
        await database.write(
            "insert into custody.asset values (1, 1, '', 'TRX', 6, 6, 0, 0), "
            "(1, 2, $1, 'USDT', 6, 6, 0, 0)",
            TOKEN,
        )
        await database.write("insert into custody.tron_account values (1, $1, 'hot', 0)", hot)
        await database.write(
            "insert into custody.lease (name, owner, fencing_token, expires_at) "
            "values ('scan', 'test', 1, 'infinity')"
        )
        url = await listen(node, stack)
        client = await open_node("a", url, stack)
        nodes = NodeSet(network.genesis_hash, [client], 1, lambda: 0.0)
        adapter = Tron(network, nodes, database, TronSettings(frozenset({TOKEN})))
        clock = ManualClock(GENESIS_MS * 10**6)
        signer = Signer(database, policy, SEEDS, await log.take_epoch(database), clock)
        found = Custody(chain, node, url, adapter, database, RealSigner(signer), hot, clock)
        found.mine(5)
        yield found
