"""A payout that nobody mines is replaced on a real node, and paid once by whichever was mined."""

import pytest

from tests.chains.bitcoin.custody import Custody, payout_of
from tests.chains.bitcoin.under_way import UnderWay, begin
from wallets.bitcoin.scripts import ScriptKind
from wallets.bitcoin.wire import parse_transaction

pytestmark = pytest.mark.chains

AMOUNT_ATOMS = 30_000_000


@pytest.fixture
async def venue(custody: Custody) -> UnderWay:
    return await begin(custody, [payout_of(custody, ScriptKind.P2WPKH, AMOUNT_ATOMS)])


async def bumped(venue: UnderWay) -> tuple[bytes, bytes]:
    """Nobody mined the first attempt, and the second is sent."""
    await venue.run(7)
    await venue.wait_an_hour()
    await venue.run(3)
    assert await venue.attempts() == [("payout", "broadcast")] * 2
    older, newer = await venue.raws()
    return older, newer


async def test_an_unmined_payout_is_replaced_and_settles_once(venue: UnderWay) -> None:
    old, new = (parse_transaction(raw) for raw in await bumped(venue))
    assert {one.outpoint for one in old.inputs} <= {one.outpoint for one in new.inputs}
    assert venue.custody.regtest.call("getrawmempool") == [new.txid()]
    await venue.run(8, mines=True)
    await venue.check_settled_once()
    assert await venue.attempts() == [("payout", "dead"), ("payout", "final")]


async def test_the_older_one_mined_instead_settles_once(venue: UnderWay) -> None:
    older, newer = await bumped(venue)
    assert older != newer
    venue.custody.regtest.mine_with(older.hex())
    await venue.custody.scan()
    await venue.run(8, mines=True)
    await venue.check_settled_once()
    assert await venue.attempts() == [("payout", "final"), ("payout", "dead")]
