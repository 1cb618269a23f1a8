"""E8 with the real scanner: a credited deposit three blocks deep leaves the chain and returns."""

import time

import pytest

from tests.chains.ethereum.conftest import TRANSFER
from tests.chains.ethereum.custody import Custody
from tests.chains.ethereum.test_gathering import deposit_keys
from tests.chains.real_signer import NETWORK_ID
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID
from wallets.contract import Held
from wallets.deposits.scanner import Hooks, Moved, Scanner
from wallets.link.lease import hold
from wallets.worker.chains import no_block, no_undo

pytestmark = pytest.mark.chains

DEPTH = 3
STALLED_SECONDS = 10**9


@pytest.fixture
async def key(custody: Custody) -> bytes:
    """An address of a customer, whose tokens count after two blocks."""
    database = custody.database
    await database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    await database.write("insert into custody.confirmation_tier values (1, 2, 1, 0, 2, 10)")
    (found, *_) = await deposit_keys(custody)
    return found


async def follow(custody: Custody) -> None:
    """As the worker scans, up to the head."""
    token = await hold(custody.database, "scan", "test", 600.0)
    assert token is not None
    hooks = Hooks(no_block, no_undo)
    scanner = Scanner(custody.database, custody.adapter, hooks, NETWORK_ID, 0, STALLED_SECONDS)
    while await scanner.step(Held("scan", token), now_ns=time.time_ns()) is not Moved.NOT:
        pass


async def deposits(custody: Custody) -> list[tuple[bytes, str, str | None, int]]:
    rows = await custody.database.read(
        "select deposit_id, state, block_hash, credit_count from custody.deposit"
    )
    return [tuple(row) for row in rows]


async def test_e8_a_deposit_three_blocks_deep_is_undone_and_applied_again_once(
    custody: Custody, key: bytes
) -> None:
    custody.node.mine(DEPTH)
    txid = custody.call_token(TRANSFER, int.from_bytes(key), 5_000_000)
    raw = bytes.fromhex(str(custody.node.call("eth_getRawTransactionByHash", txid))[2:])
    custody.node.mine(DEPTH)
    await follow(custody)
    ((deposit_id, state, block_hash, count),) = await deposits(custody)
    assert (state, count) == ("credited", 1)
    custody.node.reorganise(DEPTH)
    custody.node.mine()
    await follow(custody)
    ((same_id, state, gone_hash, _),) = await deposits(custody)
    assert (same_id, state, gone_hash) == (deposit_id, "orphaned", None)
    # Nothing of it may be gathered, nor paid on the word of it, while no block has it.
    assert custody.tokens_of(key) == 0
    if custody.node.call("eth_getTransactionByHash", txid) is None:
        custody.node.call("eth_sendRawTransaction", "0x" + raw.hex())
    custody.node.mine(DEPTH)
    await follow(custody)
    ((same_id, state, again_hash, count),) = await deposits(custody)
    assert (same_id, state, count) == (deposit_id, "credited", 1)
    assert again_hash not in (None, block_hash)
    assert custody.tokens_of(key) == 5_000_000
    commands = await custody.database.read("select kind from custody.outbox order by source_seq")
    assert [row["kind"] for row in commands] == ["credit"]
