"""Many payouts in one transaction on a real node: each is paid once, and the books agree."""

import pytest

from tests.chains.bitcoin.custody import Custody, payout_of
from tests.chains.bitcoin.under_way import CHARGED_ATOMS, begin
from wallets.bitcoin.scripts import ScriptKind

pytestmark = pytest.mark.chains

COUNT = 12
AMOUNT_ATOMS = 5_000_000


async def test_payouts_to_all_kinds_of_scripts_leave_together_and_settle_together(
    custody: Custody,
) -> None:
    kinds = list(ScriptKind)
    venue = await begin(
        custody,
        [
            payout_of(custody, kinds[number % len(kinds)], AMOUNT_ATOMS + number, number + 1)
            for number in range(COUNT)
        ],
    )
    await venue.send_together()
    (txid,) = custody.regtest.call("getrawmempool")
    assert venue.signer.approved == [COUNT]
    await venue.run(6, mines=True)
    await venue.run(1)
    await venue.check_settled_once()
    book = await venue.book()
    total = sum(payout.amount_atoms for payout in venue.payouts)
    assert book["customers"] == total + COUNT * CHARGED_ATOMS
    assert book["hot"] == -total - book["network_cost"]
    # All in this one transaction.
    told = custody.regtest.call("getrawtransaction", txid, 2)
    scripts = {one["scriptPubKey"]["hex"] for one in told["vout"]}
    assert {payout.destination.key.hex() for payout in venue.payouts} <= scripts
    assert book["network_cost"] == round(told["fee"] * 100_000_000)
