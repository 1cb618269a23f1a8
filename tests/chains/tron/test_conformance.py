"""The TRON adapter keeps the contract on the simulated node."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from tests.chains.conformance import FINAL_DEPTH, AdapterConformance, S, World, received
from tests.chains.real_signer import NETWORK_ID, SEEDS
from tests.chains.tron.custody import TOKEN, TRX, Custody, policy_of
from tests.wallets.tron.served import open_node
from wallets.contract import Attempt, BroadcastOutcome, Payout, Replaces
from wallets.tron.adapter import Tron, TronSettings
from wallets.tron.addresses import address_of
from wallets.tron.limits import EXPIRATION_MILLISECONDS
from wallets.tron.node_set import NodeSet
from wallets.tron.simulator.parameters import SLOT_MILLISECONDS

pytestmark = pytest.mark.chains

LIFE_BLOCKS = EXPIRATION_MILLISECONDS // SLOT_MILLISECONDS


@dataclass
class TronWorld:
    """One account with TRX."""

    custody: Custody
    chain: Tron
    extended_public_key: str
    refused: Mapping[str, str]
    first_height: int

    def payout(self, number: int) -> Payout:
        destination = self.custody.payout(1, TRX).destination
        return replace(self.custody.payout(number, TRX), destination=destination)

    async def attempt(
        self, payout: Payout, must_use: Sequence[str] = (), owned: Sequence[str] = ()
    ) -> Attempt:
        assert not must_use
        assert not owned
        return await self.custody.attempt(payout)

    def anchors(self, attempt: Attempt) -> tuple[str, ...]:
        """A transaction uses nothing up."""
        assert attempt.payouts
        return ()

    async def mine(self, count: int) -> None:
        self.custody.mine(count)

    def call(self, method: str, *params: Any) -> Any:
        raise NotImplementedError("no JSON-RPC")

    @asynccontextmanager
    async def chain_at(self, url: str) -> AsyncIterator[Tron]:
        async with AsyncExitStack() as stack:
            node = await open_node("elsewhere", url, stack)
            network = self.chain.network
            nodes = NodeSet(network.genesis_hash, [node], 1, lambda: 0.0)
            yield Tron(network, nodes, self.custody.database, TronSettings(frozenset({TOKEN})))


@pytest.fixture
async def world(custody: Custody) -> TronWorld:
    text = custody.payout(1, 1).destination.text
    refused = {
        "empty": "",
        "short": text[:-1],
        "hexadecimal": "41" + "01" * 20,
        "checksum": text[:-1] + ("a" if text[-1] != "a" else "b"),
        "nobody": address_of(b"\x41" + bytes(20)),
        "token": address_of(TOKEN),
        "ethereum": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "bitcoin": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    }
    key = SEEDS.branch_key(policy_of().network(NETWORK_ID), "deposit")
    return TronWorld(custody, custody.adapter, key, refused, custody.chain.head.height + 1)


def custody_of(world: World) -> Custody:
    """What is behind the world."""
    return cast(TronWorld, cast(Any, world)).custody


class TestTron(AdapterConformance):
    """All of it; without nonces and inputs a rival is ruled out by time alone."""

    async def test_a_lost_reply_is_unknown_and_the_same_bytes_pay_once(self, world: World) -> None:
        custody = custody_of(world)
        attempt = await world.attempt(world.payout(1))
        custody.chain.faults.accept_then_time_out = 1
        assert (await world.chain.broadcast(attempt)).outcome is BroadcastOutcome.UNKNOWN
        assert (await world.chain.confirm(attempt)).state is S.IN_POOL
        assert (await world.chain.broadcast(attempt)).outcome is BroadcastOutcome.KNOWN
        await world.mine(FINAL_DEPTH)
        assert (await world.chain.confirm(attempt)).state is S.FINAL
        assert await received(world, attempt.payouts[0]) == [attempt.payouts[0].amount_atoms]

    async def test_dead_is_only_what_a_final_block_rules_out(self, world: World) -> None:
        custody = custody_of(world)
        attempt = await world.attempt(world.payout(1))
        await world.mine(LIFE_BLOCKS - 1)
        await custody.follow()
        assert (await world.chain.confirm(attempt)).state is S.NOT_SEEN
        await world.mine(FINAL_DEPTH)
        # Every node shows an empty answer, and the time is over: that proves nothing.
        assert (await world.chain.confirm(attempt)).state is S.NOT_SEEN
        await custody.follow()
        dead = await world.chain.confirm(attempt)
        assert dead.state is S.DEAD
        assert dead.proof
        assert (await world.chain.broadcast(attempt)).outcome is BroadcastOutcome.REFUSED

    async def test_of_attempts_that_conflict_one_is_mined_and_the_answers_agree(
        self, world: World
    ) -> None:
        assert not isinstance(world.chain, Replaces)
        with pytest.raises(ValueError, match="use up"):
            await world.chain.build(
                b"n" * 16,
                [world.payout(1)],
                fee_atoms_max=TRX,
                must_use=("anything",),
                owned=frozenset(),
            )
