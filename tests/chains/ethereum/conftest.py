"""A node per test, and custody around it."""

import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from runtime.migrations import migrate
from runtime.postgres import connect
from runtime.settings import PostgresSettings
from tests.chains.ethereum.anvil import Anvil
from tests.chains.ethereum.custody import ETHER, Custody, network_of, policy_of, settings_of
from tests.chains.ethereum.development_node import CHAIN_ID, DevelopmentNode
from tests.chains.ethereum.nodes import one_node_each
from tests.chains.real_signer import NETWORK_ID, SEEDS, RealSigner
from wallets.ethereum.adapter import Ethereum
from wallets.ethereum.addresses import account_at, parse_branch, text_of
from wallets.ethereum.node_set import NodeSet
from wallets.schema import MIGRATIONS
from wallets.signer import log
from wallets.signer.service import Signer

CONTRACTS = Path(__file__).parents[2] / "contracts" / "ethereum"
TRANSFER = "a9059cbb"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With CAMBIST_TEST_NODES=one each test runs on one node instead of on all that can do it."""
    if os.environ.get("CAMBIST_TEST_NODES") == "one":
        left_out = one_node_each(items)
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def code_of(name: str) -> str:
    return str(json.loads((CONTRACTS / f"{name}.json").read_text())["bytecode"])


@pytest.fixture
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DevelopmentNode]:
    """The kind that a test's mark says, with options; anvil where it says nothing."""
    kind, options = getattr(request, "param", (Anvil, ()))
    program = kind.find()
    if program is None:
        pytest.skip(kind.how_to_get)
    folder = tmp_path / kind.name
    folder.mkdir()
    started = kind(program, folder, *options)
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def anvil(node: DevelopmentNode) -> Anvil:
    assert isinstance(node, Anvil)
    return node


@pytest.fixture
async def custody(
    node: DevelopmentNode, postgres_settings: PostgresSettings
) -> AsyncIterator[Custody]:
    """One lane with ten ether and a million tokens."""
    await migrate(postgres_settings, MIGRATIONS)
    await migrate(postgres_settings, log.MIGRATIONS)
    token = bytes.fromhex(node.deploy(code_of("OddToken"))[2:])
    policy = policy_of(token)
    branch = parse_branch(SEEDS.branch_key(policy.network(NETWORK_ID), "hot"))
    lane = account_at(branch, 0)
    node.give(text_of(lane), 10 * ETHER)
    network = network_of(node)
    async with AsyncExitStack() as stack:
        database = await connect(postgres_settings, application_name="chains")
        stack.push_async_callback(database.close)
        await database.write(
            "insert into custody.chain values ('ethereum', 'dev', 1, $1)", network.genesis_hash
        )
        await database.write(
            "insert into custody.asset values (1, 1, '', 'ETH', 18, 8, 0, 0), "
            "(1, 2, $1, 'ODD', 6, 6, 0, 0)",
            token,
        )
        await database.write(
            "insert into custody.ethereum_lane values (1, $1, 'hot', 0, false)", lane
        )
        asked = await stack.enter_async_context(node.node())
        nodes = NodeSet(CHAIN_ID, network.genesis_hash, [asked], 1, time.monotonic)
        await nodes.check()
        adapter = Ethereum(network, nodes, database, settings_of(token))
        signer = Signer(database, policy, SEEDS, await log.take_epoch(database), ManualClock())
        found = Custody(node, adapter, database, RealSigner(signer), token, lane)
        found.call_token(TRANSFER, int.from_bytes(lane), 10**12)
        node.mine()
        yield found
