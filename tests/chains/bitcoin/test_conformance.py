"""The Bitcoin adapter keeps the contract on a regtest node."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from pydantic import SecretStr

from tests.chains.bitcoin.custody import NETWORK, SETTINGS, Custody, payout_of
from tests.chains.bitcoin.test_signer import NETWORK as BRANCHES
from tests.chains.bitcoin.test_signer import SEEDS
from tests.chains.conformance import AdapterConformance
from wallets.bitcoin.adapter import Bitcoin
from wallets.bitcoin.addresses import address_of
from wallets.bitcoin.networks import MAIN, REGTEST
from wallets.bitcoin.node import Node, NodeSettings
from wallets.bitcoin.node_set import NodeSet
from wallets.bitcoin.scripts import ScriptKind, script_of
from wallets.bitcoin.wire import parse_transaction
from wallets.contract import Attempt, Payout, Replaces, WithdrawalId

pytestmark = pytest.mark.chains

AMOUNT_ATOMS = 30_000_000


@dataclass
class RegtestWorld:
    """Three coins."""

    custody: Custody
    chain: Bitcoin
    extended_public_key: str
    refused: Mapping[str, str]
    first_height: int

    def payout(self, number: int) -> Payout:
        payout = payout_of(self.custody, ScriptKind.P2WPKH, AMOUNT_ATOMS)
        return replace(payout, withdrawal_id=WithdrawalId(bytes([number]) * 16))

    async def attempt(
        self, payout: Payout, must_use: Sequence[str] = (), owned: Sequence[str] = ()
    ) -> Attempt:
        return await self.custody.attempt([payout], must_use=tuple(must_use), owned=tuple(owned))

    def anchors(self, attempt: Attempt) -> tuple[str, ...]:
        return tuple(one.outpoint for one in parse_transaction(attempt.raw).inputs)

    async def mine(self, count: int) -> None:
        await self.custody.mine(count)

    def call(self, method: str, *params: Any) -> Any:
        return self.custody.regtest.call(method, *params)

    @asynccontextmanager
    async def chain_at(self, url: str) -> AsyncIterator[Bitcoin]:
        async with Node(NodeSettings("elsewhere", url, "test", SecretStr("test"))) as node:
            nodes = NodeSet(REGTEST, [node], 1, lambda: 0.0)
            yield Bitcoin(NETWORK, REGTEST, nodes, self.custody.database, SETTINGS, Random(1))


@pytest.fixture
async def world(custody: Custody) -> RegtestWorld:
    script = script_of(ScriptKind.P2WPKH, bytes(range(20)))
    text = address_of(script, REGTEST)
    refused = {
        "empty": "",
        "short": text[:-1],
        "checksum": text[:-1] + ("q" if text[-1] != "q" else "p"),
        "mixed case": text[:10] + text[10:].upper(),
        "main network": address_of(script, MAIN),
        "main network, old": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "ethereum": "0x52908400098527886E0F7030069857D2E4169EE7",
    }
    return RegtestWorld(
        custody, custody.adapter, SEEDS.branch_key(BRANCHES, "hot"), refused, len(custody.scanned)
    )


class TestBitcoin(AdapterConformance):
    """All of it, and that the pipeline is told when to raise a fee."""

    async def test_unmined_attempts_are_bumped_by_schedule(self, world: RegtestWorld) -> None:
        assert isinstance(world.chain, Replaces)
        assert world.chain.bump_schedule.bumps_max > 0
