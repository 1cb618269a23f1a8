"""The Ethereum adapter keeps the contract on every node."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.chains.conformance import AdapterConformance
from tests.chains.ethereum.custody import ETHER, Custody, network_of, policy_of, settings_of
from tests.chains.ethereum.development_node import CHAIN_ID
from tests.chains.ethereum.nodes import on_every_node
from tests.chains.real_signer import NETWORK_ID, SEEDS
from wallets.contract import Attempt, Payout, Replaces
from wallets.ethereum.adapter import Ethereum
from wallets.ethereum.addresses import text_of
from wallets.ethereum.node_set import NodeSet
from wallets.ethereum.transactions import parse_signed

pytestmark = [pytest.mark.chains, on_every_node]


@dataclass
class EthereumWorld:
    """One lane with ether."""

    custody: Custody
    chain: Ethereum
    extended_public_key: str
    refused: Mapping[str, str]
    first_height: int

    def payout(self, number: int) -> Payout:
        destination = self.custody.payout(1, ETHER).destination
        return replace(self.custody.payout(number, ETHER), destination=destination)

    async def attempt(
        self, payout: Payout, must_use: Sequence[str] = (), owned: Sequence[str] = ()
    ) -> Attempt:
        assert set(owned) <= self.custody.owned
        return await self.custody.attempt(payout, tuple(must_use))

    def anchors(self, attempt: Attempt) -> tuple[str, ...]:
        return (parse_signed(attempt.raw).anchor,)

    async def mine(self, count: int) -> None:
        self.custody.node.mine(count)

    def call(self, method: str, *params: Any) -> Any:
        return self.custody.node.call(method, *params)

    @asynccontextmanager
    async def chain_at(self, url: str) -> AsyncIterator[Ethereum]:
        network = network_of(self.custody.node)
        async with self.custody.node.node("elsewhere", url) as node:
            nodes = NodeSet(CHAIN_ID, network.genesis_hash, [node], 1, time.monotonic)
            settings = settings_of(self.custody.token)
            yield Ethereum(network, nodes, self.custody.database, settings)


@pytest.fixture
async def world(custody: Custody) -> EthereumWorld:
    account = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    key = SEEDS.branch_key(policy_of(custody.token).network(NETWORK_ID), "deposit")
    refused = {
        "empty": "",
        "short": account[:-1],
        "without prefix": account[2:],
        "checksum": account.swapcase().replace("0X", "0x"),
        "all lower": account.lower(),
        "nobody": text_of(bytes(20)),
        "token": text_of(custody.token),
        "bitcoin": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    }
    first_height = custody.node.height() + 1
    return EthereumWorld(custody, custody.adapter, key, refused, first_height)


class TestEthereum(AdapterConformance):
    """All of it, and that the pipeline is told when to raise a fee."""

    async def test_unmined_attempts_are_bumped_by_schedule(self, world: EthereumWorld) -> None:
        assert isinstance(world.chain, Replaces)
        assert world.chain.bump_schedule.bumps_max > 0
