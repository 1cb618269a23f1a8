"""Addresses that came after their blocks were scanned are found by reading those again."""

import pytest

from runtime.errors import Unavailable
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.deposits.memory_blocks import ACCOUNT, AHEAD, MemoryCredits, Scan, add_tier, pays
from wallets.bitcoin import coins
from wallets.deposits.rescan import Rescan
from wallets.deposits.scanner import Hooks, Scanner
from wallets.errors import Rejected

LATE = b"late"


def rescan(scan: Scan) -> Rescan:
    hooks = Hooks(coins.apply_block, coins.undo_block)
    return Rescan(scan.database, scan.chain, hooks, NETWORK_ID)


async def know_late(scan: Scan) -> None:
    await scan.connection.execute(
        "insert into custody.address values ($1, $2, '', 'deposit', 1, 9, $3)",
        NETWORK_ID,
        LATE,
        ACCOUNT,
    )


async def test_what_was_missed_is_found_and_credited_once_and_the_rest_stays(
    scan: Scan, engine: MemoryCredits
) -> None:
    await add_tier(scan.connection, 1, 0, 1, 1)
    scan.chain.mine(pays("known"), pays("missed", 3_000, LATE))
    await scan.catch_up()
    await engine.apply()
    await know_late(scan)
    assert await rescan(scan).run(1) == 1
    assert await rescan(scan).run(0) == 2
    scan.chain.mine()
    await scan.catch_up()
    await engine.apply()
    assert await scan.states() == {"known": "withdrawable", "missed": "credited"}
    assert engine.balance == 4_000


async def test_blocks_before_the_first_scanned_one_are_linked_to_it(scan: Scan) -> None:
    scan.chain.mine(pays("before", key=LATE))
    scan.chain.mine()
    scanner = scan.scanner
    scan.scanner = Scanner(scan.database, scan.chain, scanner.hooks, NETWORK_ID, 2, 60)
    await scan.catch_up()
    await know_late(scan)
    assert await rescan(scan).run(1) == 2
    assert await scan.states() == {"before": "confirming"}
    assert await scan.hashes() == [block.ref.block_hash for block in scan.chain.blocks[1:]]


async def test_a_block_that_the_scan_does_not_have_adds_nothing(scan: Scan) -> None:
    scan.chain.mine(pays("gone", key=LATE))
    await scan.catch_up()
    await know_late(scan)
    scan.chain.blocks.pop()
    scan.chain.mine(pays("other", key=LATE))
    with pytest.raises(Unavailable):
        await rescan(scan).run(1)
    assert await scan.states() == {}


async def test_before_the_first_scan_there_is_nothing_to_read_again(scan: Scan) -> None:
    with pytest.raises(Rejected, match="NOTHING_SCANNED"):
        await rescan(scan).run(0)


async def own(scan: Scan, key: bytes, account_id: int = ACCOUNT) -> None:
    await scan.connection.execute(
        "update custody.address set account_id = $2 where key = $1", key, account_id
    )


async def test_what_came_before_its_place_had_an_owner_is_credited_once_it_has_one(
    scan: Scan, engine: MemoryCredits
) -> None:
    await add_tier(scan.connection, 1, 0, 1, 1)
    scan.chain.mine(
        pays("early", key=AHEAD),
        pays("small", 1, key=AHEAD),
        pays("mined", key=AHEAD, is_coinbase=True),
    )
    await scan.catch_up()
    nobodys = {"early": "unclaimed", "small": "unclaimed", "mined": "unclaimed"}
    # Read again without an owner nothing changes.
    await rescan(scan).run(1)
    assert await scan.states() == nobodys
    await own(scan, AHEAD)
    await rescan(scan).run(1)
    assert await scan.states() == nobodys | {"early": "confirming"}
    reason = await scan.connection.fetchval(
        "select reason from custody.deposit where txid = 'small'"
    )
    assert reason == "BELOW_MINIMUM"
    scan.chain.mine()
    await scan.catch_up()
    await engine.apply()
    await rescan(scan).run(1)
    scan.chain.mine()
    await scan.catch_up()
    await engine.apply()
    assert (await scan.states())["early"] == "withdrawable"
    assert engine.done.count("credit") == 1
    assert engine.balance == 1_000
