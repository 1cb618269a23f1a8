"""Scans of a chain in memory that reorganises, on real Postgres."""

import random

import pytest

from runtime.errors import Unavailable
from tests.wallets.deposits.memory_blocks import AHEAD, SECOND_NS, THEIRS, Scan, pays
from wallets.deposits import limits
from wallets.deposits.scanner import Moved
from wallets.errors import Condition, Fenced, Stuck


async def test_what_pays_us_is_on_the_books_and_what_pays_others_is_not(scan: Scan) -> None:
    scan.chain.mine(pays("good"), pays("other", key=THEIRS), pays("dust", 99))
    scan.chain.mine(pays("early", key=AHEAD))
    await scan.catch_up()
    assert await scan.states() == {"good": "confirming", "dust": "unclaimed", "early": "unclaimed"}
    assert await scan.connection.fetchval("select count(*) from custody.bitcoin_coin") == 3
    assert await scan.connection.fetchval("select count(*) from custody.deposit_proof") == 3


async def test_what_we_send_for_gas_is_no_deposit_and_a_deposit_beside_it_is(scan: Scan) -> None:
    await scan.connection.execute(
        "insert into custody.attempt (network_id, kind, state, fee_atoms_max) "
        "select network_id, 'top_up', 'planned', 1 from custody.chain"
    )
    await scan.connection.execute(
        "update custody.attempt set state = 'signed', txid = 'gas', raw = 'bytes'"
    )
    scan.chain.mine(pays("gas"), pays("good"))
    await scan.catch_up()
    assert await scan.states() == {"good": "confirming"}


async def test_a_fork_takes_back_what_it_does_not_contain(scan: Scan) -> None:
    scan.chain.mine(pays("stays"))
    scan.chain.mine(pays("comes back"))
    scan.chain.mine(pays("is lost"))
    await scan.catch_up()
    del scan.chain.blocks[-2:]
    scan.chain.mine()
    await scan.catch_up()
    assert (await scan.states())["comes back"] == "orphaned"
    scan.chain.mine(pays("comes back"))
    await scan.catch_up()
    assert await scan.states() == {
        "stays": "confirming",
        "comes back": "confirming",
        "is lost": "orphaned",
    }


async def test_after_any_forks_the_books_are_those_of_the_last_chain(scan: Scan) -> None:
    source = random.Random(7)
    for number in range(25):
        kept = max(1, len(scan.chain.blocks) - source.choice((0, 0, 1, 2, 4)))
        del scan.chain.blocks[kept:]
        for _ in range(source.randint(0, 2)):
            scan.chain.mine()
        for name in source.sample(range(number + 1), min(2, number + 1)):
            mined = {move.txid for block in scan.chain.blocks for move in block.movements}
            scan.chain.mine(*([] if f"t{name}" in mined else [pays(f"t{name}")]))
        await scan.catch_up()
        blocks = scan.chain.blocks
        assert await scan.hashes() == [block.ref.block_hash for block in blocks]
        mined = {move.txid for block in blocks for move in block.movements}
        states = await scan.states()
        assert {txid for txid, state in states.items() if state == "confirming"} == mined
        assert set(states.values()) <= {"confirming", "orphaned"}
        rows = await scan.connection.fetch("select outpoint from custody.bitcoin_coin")
        assert {row["outpoint"] for row in rows} == {f"{txid}:0" for txid in mined}


async def test_who_lost_the_lease_writes_nothing(scan: Scan) -> None:
    await scan.connection.execute("update custody.lease set fencing_token = fencing_token + 1")
    with pytest.raises(Fenced):
        await scan.step()
    assert await scan.hashes() == []


async def test_a_silent_node_moves_nothing_and_an_old_head_is_named(scan: Scan) -> None:
    await scan.catch_up()
    scan.chain.is_down = True
    with pytest.raises(Unavailable):
        await scan.step()
    scan.chain.is_down = False
    assert await scan.step(60 * SECOND_NS) is Moved.NOT
    with pytest.raises(Stuck) as raised:
        await scan.step(61 * SECOND_NS)
    assert raised.value.condition is Condition.CHAIN_STALLED


async def test_a_head_that_lags_on_our_chain_moves_nothing(scan: Scan) -> None:
    scan.chain.mine(pays("good"))
    await scan.catch_up()
    scan.chain.blocks.pop()
    assert await scan.step() is Moved.NOT
    assert await scan.states() == {"good": "confirming"}


async def test_a_fork_that_is_too_deep_waits_for_a_person_and_undoes_nothing(scan: Scan) -> None:
    for _ in range(limits.REORGANISATION_DEPTH_MAX + 3):
        scan.chain.mine()
    while await scan.step() is not Moved.NOT:
        pass
    before = await scan.hashes()
    del scan.chain.blocks[2:]
    while len(scan.chain.blocks) <= len(before):
        scan.chain.mine()
    with pytest.raises(Stuck) as raised:
        await scan.step()
    assert raised.value.condition is Condition.REORG_TOO_DEEP
    assert await scan.hashes() == before


async def test_a_small_fork_is_followed_however_long_the_scan_was_away(scan: Scan) -> None:
    scan.chain.mine(pays("lost"))
    await scan.catch_up()
    scan.chain.blocks.pop()
    for _ in range(limits.REORGANISATION_DEPTH_MAX * 2):
        scan.chain.mine()
    assert await scan.step() is Moved.BACK
    assert await scan.step() is Moved.FORWARD
    assert await scan.states() == {"lost": "orphaned"}


async def test_a_chain_without_our_first_block_waits_for_a_person(scan: Scan) -> None:
    await scan.catch_up()
    scan.chain.blocks.pop()
    scan.chain.mine()
    with pytest.raises(Stuck) as raised:
        await scan.step()
    assert raised.value.condition is Condition.REORG_TOO_DEEP
