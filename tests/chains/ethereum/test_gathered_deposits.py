"""What gathering costs is shared by the deposits it moved, which are not looked at any more."""

import pytest

from tests.chains.ethereum.conftest import TRANSFER
from tests.chains.ethereum.custody import Custody
from tests.chains.ethereum.test_gathering import (
    deposit_keys,
    deposit_token,
    gathering_of,
    hold_lease,
    scan,
)
from tests.chains.real_signer import NETWORK_ID
from wallets.ethereum import paid_in
from wallets.treasury import costs

pytestmark = pytest.mark.chains


async def test_each_deposit_has_its_share_of_what_its_gathering_cost_and_is_looked_at_no_more(
    custody: Custody,
) -> None:
    (key, *_) = await deposit_keys(custody)
    first = custody.node.height() + 1
    for atoms in (1_000_000, 2_000_000, 3):
        custody.call_token(TRANSFER, int.from_bytes(key), atoms)
    custody.node.mine()
    await scan(custody, first)
    token = await hold_lease(custody)
    job = gathering_of(custody)
    for _ in range(20):
        await job.step(token)
        custody.node.mine()
    found = await costs.of_deposits(custody.database, NETWORK_ID, None, 10)
    rows = await custody.database.read("select kind, state, fee_atoms from custody.attempt")
    assert [(row["kind"], row["state"]) for row in rows] == [
        ("top_up", "final"),
        ("sweep", "final"),
    ]
    shares = {int(str(one["atoms"])): int(str(one["cost_atoms"])) for one in found}
    assert sum(shares.values()) == sum(int(row["fee_atoms"]) for row in rows)
    assert abs(shares[2_000_000] - 2 * shares[1_000_000]) <= len(rows) * 2
    assert {one["transactions"] for one in found} == {2}
    minimum = {custody.token: 1}
    page = await paid_in.read_page(custody.database, NETWORK_ID, minimum, paid_in.START)
    assert page == paid_in.Page([], paid_in.START)
    # More is paid in: only that counts, and only that bears the next cost.
    first = custody.node.height() + 1
    custody.call_token(TRANSFER, int.from_bytes(key), 7_000_000)
    custody.node.mine()
    await scan(custody, first)
    for _ in range(20):
        await job.step(token)
        custody.node.mine()
    again = {
        int(str(one["atoms"])): int(str(one["cost_atoms"]))
        for one in await costs.of_deposits(custody.database, NETWORK_ID, None, 10)
    }
    assert again.pop(7_000_000) > 0
    assert again == shares


async def test_an_address_whose_coins_are_gone_is_looked_at_again_only_when_more_comes(
    custody: Custody,
) -> None:
    key = await deposit_token(custody)
    custody.destroy(key)
    token = await hold_lease(custody)
    job = gathering_of(custody)
    assert await job.step(token) == 0
    (row,) = await custody.database.read("select is_gathered from custody.deposit")
    assert row["is_gathered"]
    # Mined anew in another block, it may be there again.
    await custody.database.write("update custody.deposit set block_hash = 'other'")
    (row,) = await custody.database.read("select is_gathered from custody.deposit")
    assert not row["is_gathered"]
