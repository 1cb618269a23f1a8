"""A payout leaves a batch that a real node has: the replacement pays the others, or the old all."""

import pytest

from tests.chains.bitcoin.custody import Custody, payout_of
from tests.chains.bitcoin.under_way import CHARGED_ATOMS, UnderWay, begin
from wallets.bitcoin.scripts import ScriptKind
from wallets.bitcoin.wire import parse_transaction

pytestmark = pytest.mark.chains

COUNT = 3
AMOUNT_ATOMS = 5_000_000


@pytest.fixture
async def venue(custody: Custody) -> UnderWay:
    numbers = range(1, COUNT + 1)
    payouts = [payout_of(custody, ScriptKind.P2WPKH, AMOUNT_ATOMS, number) for number in numbers]
    return await begin(custody, payouts)


async def dropped(venue: UnderWay) -> tuple[bytes, bytes]:
    """All were sent together, and the last one wants his money back."""
    await venue.send_together()
    assert len(venue.custody.regtest.call("getrawmempool")) == 1
    await venue.custody.database.write(
        "update custody.payout set cancel_requested = true where withdrawal_id = $1",
        venue.payouts[-1].withdrawal_id,
    )
    await venue.run(3 * COUNT)
    older, newer = await venue.raws()
    return older, newer


async def check_paid(venue: UnderWay, count: int) -> None:
    """The first ones, once each, and the book to the last atom."""
    found, book = await venue.paid(), await venue.book()
    paid, back = venue.payouts[:count], venue.payouts[count:]
    assert [found[one.destination.key] for one in paid] == [[AMOUNT_ATOMS]] * count
    assert not [one for one in back if one.destination.key in found]
    assert venue.engine.states == {
        **{one.withdrawal_id: "settled" for one in paid},
        **{one.withdrawal_id: "released" for one in back},
    }
    assert book["hot"] == -count * AMOUNT_ATOMS - book["network_cost"]
    assert book["customers"] == count * (AMOUNT_ATOMS + CHARGED_ATOMS)


async def test_a_replacement_pays_the_others_and_the_money_of_one_goes_back(
    venue: UnderWay,
) -> None:
    older, newer = await dropped(venue)
    old, new = parse_transaction(older), parse_transaction(newer)
    assert {one.outpoint for one in old.inputs} <= {one.outpoint for one in new.inputs}
    assert venue.payouts[-1].destination.key not in newer
    assert venue.custody.regtest.call("getrawmempool") == [new.txid()]
    await venue.run(2 * COUNT)
    assert venue.engine.states[venue.payouts[-1].withdrawal_id] == "in flight"
    await venue.run(4 * COUNT, mines=True)
    await check_paid(venue, COUNT - 1)


async def test_the_older_one_mined_instead_pays_all(venue: UnderWay) -> None:
    older, _ = await dropped(venue)
    venue.custody.regtest.mine_with(older.hex())
    await venue.custody.scan()
    await venue.run(4 * COUNT, mines=True)
    await check_paid(venue, COUNT)
