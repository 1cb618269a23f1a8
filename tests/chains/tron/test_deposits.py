"""Deposits on TRON: the real scanner over solid blocks of a simulated node."""

from contextlib import AsyncExitStack

import pytest

from runtime.errors import Unavailable
from tests.chains.real_signer import NETWORK_ID
from tests.chains.tron.custody import TOKEN, TRX, TWIN, Custody
from tests.wallets.tron.served import listen, open_node
from wallets.contract import Attempt, Payout, Token
from wallets.tron.adapter import Tron, TronSettings
from wallets.tron.node_set import NodeSet
from wallets.tron.simulator.server import Node as SimulatedNode
from wallets.tron.simulator.state import TRANSFER

pytestmark = pytest.mark.chains

AMOUNT = 7 * TRX
SOLID_AFTER = 2


@pytest.fixture
async def ours(custody: Custody) -> bytes:
    """An address of a customer."""
    key = custody.payout(9, 1).destination.key
    await custody.database.write(
        "insert into custody.key_branch values ($1, 'deposit', 1, 'x', 'x', 0)", NETWORK_ID
    )
    await custody.database.write(
        "insert into custody.address values ($1, $2, '', 'deposit', 1, 0, 4096)", NETWORK_ID, key
    )
    return key


def paid(custody: Custody, number: int, *, token: bool) -> Payout:
    """A payment to the customer's address, from anybody."""
    payout = custody.payout(number, AMOUNT, token=token)
    destination = custody.payout(9, 1).destination
    return Payout(payout.withdrawal_id, destination, payout.token, AMOUNT)


async def send(custody: Custody, payout: Payout) -> Attempt:
    attempt = await custody.store(payout, await custody.planned(payout, 40 * TRX))
    await custody.adapter.broadcast(attempt)
    return attempt


async def deposits(custody: Custody) -> list[tuple[str, int, int, int]]:
    rows = await custody.database.read(
        "select txid, index, asset_id, amount_atoms from custody.deposit order by asset_id"
    )
    return [(row[0], row[1], row[2], int(row[3])) for row in rows]


async def test_trx_and_our_token_are_seen_once_and_only_in_solid_blocks(
    custody: Custody, ours: bytes
) -> None:
    native = await send(custody, paid(custody, 1, token=False))
    token = await send(custody, paid(custody, 2, token=True))
    custody.mine()
    await custody.follow()
    assert custody.received(ours) == (AMOUNT, AMOUNT)
    assert await deposits(custody) == []
    custody.mine(SOLID_AFTER)
    for _ in range(2):
        await custody.follow()
        assert await deposits(custody) == [
            (native.txid, -1, 1, AMOUNT),
            (token.txid, 0, 2, AMOUNT),
        ]


async def test_t8_a_call_that_failed_is_no_deposit(custody: Custody, ours: bytes) -> None:
    attempt = await send(custody, paid(custody, 1, token=True))
    assert TRANSFER in attempt.raw
    custody.chain.head.state.energy_factor = 3_000
    custody.mine(1 + SOLID_AFTER)
    await custody.follow()
    assert custody.chain.heights[attempt.txid] <= custody.chain.solid_height
    assert custody.received(ours) == (0, 0)
    assert await deposits(custody) == []


async def test_t9_what_a_fork_drops_was_never_a_deposit(custody: Custody, ours: bytes) -> None:
    await send(custody, paid(custody, 1, token=False))
    custody.mine()
    await custody.follow()
    assert custody.received(ours) == (AMOUNT, 0)
    custody.chain.switch_fork(1, keep=False)
    custody.mine(5)
    await custody.follow()
    assert await deposits(custody) == []


async def cursor(custody: Custody) -> int:
    rows = await custody.database.read("select max(height) as height from custody.tron_scan")
    return int(rows[0]["height"])


async def test_t10_a_replica_that_is_behind_or_has_no_receipts_holds_the_scan(
    custody: Custody, ours: bytes
) -> None:
    behind = SimulatedNode(custody.chain, lag_blocks=30)
    async with AsyncExitStack() as stack:
        clients = [
            await open_node("a", custody.url, stack),
            await open_node("b", await listen(behind, stack), stack),
        ]
        network = custody.adapter.network
        nodes = NodeSet(network.genesis_hash, clients, 2, lambda: 0.0)
        custody.adapter = Tron(network, nodes, custody.database, TronSettings(frozenset({TOKEN})))
        attempt = await send(custody, paid(custody, 1, token=False))
        custody.mine(10)
        await custody.follow()
        assert await deposits(custody) == []
        # Up to date, and without what its blocks did.
        behind.lag_blocks, behind.empty_receipts = 0, True
        with pytest.raises(Unavailable):
            await custody.follow()
        assert await cursor(custody) == custody.chain.heights[attempt.txid] - 1
        assert await deposits(custody) == []
        behind.empty_receipts = False
        await custody.follow()
        assert await cursor(custody) == custody.chain.solid_height
        assert await deposits(custody) == [(attempt.txid, -1, 1, AMOUNT)]


async def test_t12_another_token_of_the_same_name_is_no_deposit(
    custody: Custody, ours: bytes
) -> None:
    for state in (custody.chain.head.state, custody.chain.pool_state):
        state.tokens[TWIN] = {custody.hot: 10**12}
    payout = paid(custody, 1, token=True)
    fake = Token(2, TWIN, 6)
    nodes = custody.adapter._nodes
    payer = Tron(
        custody.adapter.network,
        nodes,
        custody.database,
        TronSettings(frozenset({TOKEN, TWIN})),
    )
    custody.mine(3)
    real, custody.adapter = custody.adapter, payer
    attempt = await send(custody, Payout(payout.withdrawal_id, payout.destination, fake, AMOUNT))
    custody.adapter = real
    custody.mine(1 + SOLID_AFTER)
    await custody.follow()
    assert custody.chain.head.state.tokens[TWIN][ours] == AMOUNT
    assert custody.chain.heights[attempt.txid] <= await cursor(custody)
    assert await deposits(custody) == []


async def test_t11_a_scan_under_a_limit_of_calls_skips_no_block(
    custody: Custody, ours: bytes
) -> None:
    attempt = await send(custody, paid(custody, 1, token=False))
    custody.mine(10)
    for _ in range(60):
        custody.node.calls_left = 7
        try:
            await custody.follow()
        except Unavailable:
            continue
    custody.node.calls_left = None
    await custody.follow()
    assert await deposits(custody) == [(attempt.txid, -1, 1, AMOUNT)]
    heights = await custody.database.read("select height from custody.tron_scan order by height")
    assert [row["height"] for row in heights] == list(range(custody.chain.solid_height + 1))
