"""Deposits gathered on a real node: gas first, then the token, then what ether is left."""

import pytest

from tests.chains.ethereum.conftest import TRANSFER
from tests.chains.ethereum.custody import ETHER, GWEI, Custody, policy_of
from tests.chains.ethereum.nodes import on_every_node
from tests.chains.real_signer import NETWORK_ID, SEEDS
from wallets.contract import ConfirmationState
from wallets.ethereum.addresses import text_of
from wallets.ethereum.lanes import Lane
from wallets.ethereum.sweeping import Holding, Sweep, SweepPolicy, TopUp, choose

pytestmark = [pytest.mark.chains, on_every_node]

FEE_PER_GAS = 10 * GWEI


def deposit_lane(custody: Custody) -> Lane:
    policy = policy_of(custody.token).network(NETWORK_ID)
    key = custody.adapter.create_wallet(SEEDS.branch_key(policy, "deposit"), 0).key
    return Lane(key, "deposit", 0, is_draining=False)


async def test_a_token_deposit_gets_gas_and_is_swept_to_the_hot_lane(custody: Custody) -> None:
    policy = SweepPolicy(FEE_PER_GAS, {custody.token: 1_000, b"": ETHER // 10})
    hot, there = Lane(custody.lane, "hot", 0, is_draining=False), deposit_lane(custody)
    custody.call_token(TRANSFER, int.from_bytes(there.account), 5_000_000)
    custody.node.mine()
    before = custody.tokens_of(hot.account)
    seen = []
    while custody.tokens_of(there.account):
        holding = Holding(
            there,
            custody.token,
            custody.tokens_of(there.account),
            custody.node.balance(there.text),
        )
        (step,) = choose([holding], FEE_PER_GAS, policy)
        seen.append(type(step))
        gas = policy.token_gas if isinstance(step, Sweep) else policy.native_gas
        plan = await custody.adapter.build_move(
            custody.intent_id(),
            step,
            hot,
            fee_atoms_max=gas * FEE_PER_GAS,
            owned=frozenset(custody.owned),
        )
        attempt = await custody.store(plan, None)
        await custody.adapter.broadcast(attempt)
        custody.node.mine(3)
        assert (await custody.adapter.confirm(attempt)).state is ConfirmationState.FINAL
    assert seen == [TopUp, Sweep]
    assert custody.tokens_of(hot.account) - before == 5_000_000


async def test_ether_is_swept_but_for_its_own_fee(custody: Custody) -> None:
    policy = SweepPolicy(FEE_PER_GAS, {b"": ETHER // 10})
    hot, there = Lane(custody.lane, "hot", 0, is_draining=False), deposit_lane(custody)
    custody.node.give(there.text, ETHER)
    (step,) = choose([Holding(there, b"", ETHER, ETHER)], FEE_PER_GAS, policy)
    before = custody.node.balance(text_of(custody.lane))
    plan = await custody.adapter.build_move(
        custody.intent_id(),
        step,
        hot,
        fee_atoms_max=policy.native_gas * FEE_PER_GAS,
        owned=frozenset(),
    )
    await custody.adapter.broadcast(await custody.store(plan, None))
    custody.node.mine()
    gained = custody.node.balance(text_of(custody.lane)) - before
    assert gained == ETHER - policy.native_gas * FEE_PER_GAS
