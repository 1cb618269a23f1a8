"""Payouts from an account for which several keys of several seeds sign."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tronpy.proto import tron_pb2

from tests.chains.real_signer import NETWORK_ID, SEEDS
from tests.chains.tron.custody import BRANCHES, TRX, Custody
from tests.chains.tron.test_pipeline import (
    LIFE_BLOCKS,
    PAID,
    attempts,
    engine,
    request,
    run,
    states,
)
from tests.wallets.core.memory_chain import MemoryEngine
from wallets.errors import Rejected
from wallets.signer.keys.seeds import Seeds
from wallets.tron.addresses import account_at
from wallets.tron.simulator.permissions import OPERATIONS, Permission, Permissions
from wallets.tron.simulator.signatures import signer_of

pytestmark = pytest.mark.chains

__all__ = ["engine"]

SECOND = {"second": "m/44'/195'/2'/0"}
BOTH_SEEDS = Seeds({**SEEDS.by_branch, "second": b"s" * 64})
SOLID_BLOCKS = 3


def account_of(custody: Custody, branch: str, index: int) -> bytes:
    network = custody.signer.signer.policy.network(NETWORK_ID)
    return account_at(BOTH_SEEDS.branch_key(network, branch), index)


def permit(custody: Custody, threshold: int, keys: Sequence[bytes], **changes: Any) -> None:
    """The account's active permission from here on; its owner's stays."""
    account = custody.chain.head.state.accounts[custody.hot]
    owner = Permission(0, "owner", 1, ((custody.hot, 1),))
    weights = tuple((key, 1) for key in keys)
    active = replace(Permission(2, "payouts", threshold, weights, OPERATIONS), **changes)
    permitted = replace(account, permissions=Permissions(owner, (active,)))
    custody.chain.head.state.accounts[custody.hot] = permitted
    custody.chain.refill_pool()
    custody.mine(SOLID_BLOCKS)


@pytest.fixture
async def shared(custody: Custody) -> Custody:
    """Two of three keys: of the hot seed, of a second one, and of somebody else."""
    signer = custody.signer.signer
    network = signer.policy.network(NETWORK_ID)
    network = replace(network, branches={**BRANCHES, **SECOND})
    signer.policy = replace(signer.policy, networks={NETWORK_ID: network})
    signer.keys = BOTH_SEEDS
    first, second = account_of(custody, "hot", 1), account_of(custody, "second", 0)
    await custody.database.write(
        "update custody.tron_account set permission_id = 2, signer_branches = '{hot,second}', "
        "signer_path_indexes = '{1,0}', signer_accounts = array[$1, $2]::bytea[]",
        first,
        second,
    )
    permit(custody, 2, [first, second, b"\x41" + b"\x99" * 20])
    return custody


def keys_of(custody: Custody) -> list[bytes]:
    return [account_of(custody, "hot", 1), account_of(custody, "second", 0)]


async def test_two_seeds_sign_and_trx_and_a_token_are_paid(
    shared: Custody, engine: MemoryEngine
) -> None:
    before = shared.received(shared.hot)[0]
    await engine.request(request(shared, 1, 1))
    await engine.request(request(shared, 2, 2))
    await run(shared, engine, 20)
    assert await states(shared.database) == ["settled", "settled"]
    rows = await shared.database.read("select raw, fee_atoms from custody.attempt")
    for row in rows:
        whole = tron_pb2.Transaction.FromString(row["raw"])
        raw = whole.raw_data.SerializeToString()
        assert [signer_of(raw, one) for one in whole.signature] == keys_of(shared)
        assert whole.raw_data.contract[0].Permission_id == 2
        # What several signatures cost is in it.
        assert row["fee_atoms"] > TRX
    # The account alone paid, and its book knows for what.
    fees_sun = sum(int(row["fee_atoms"]) for row in rows)
    assert before - shared.received(shared.hot)[0] == PAID + fees_sun


@pytest.mark.parametrize("fault", ["PERMISSION_MISSING", "PERMISSION_DENIED", "THRESHOLD"])
async def test_a_payout_waits_by_name_until_the_accounts_permission_fits(
    shared: Custody, engine: MemoryEngine, fault: str
) -> None:
    keys = keys_of(shared)
    match fault:
        case "PERMISSION_MISSING":
            permit(shared, 2, keys, permission_id=3)
        case "PERMISSION_DENIED":
            permit(shared, 2, keys, operations=bytes(32))
        case _:
            permit(shared, 2, [keys[0], b"\x41" + b"\x99" * 20])
    await engine.request(request(shared, 1, 1))
    await run(shared, engine, 8)
    (row,) = await shared.database.read("select state, condition from custody.payout")
    assert (row["state"], row["condition"]) == ("started", "SignerKeyMissing")
    assert await attempts(shared.database) == []
    permit(shared, 2, keys)
    await run(shared, engine, 14)
    assert await states(shared.database) == ["settled"]


async def test_without_one_of_the_seeds_no_signature_leaves_the_signer(shared: Custody) -> None:
    shared.signer.signer.keys = SEEDS
    with pytest.raises(Rejected, match="KEY_UNKNOWN"):
        await shared.attempt(shared.payout(1, PAID))
    assert not await shared.signer.close(shared.payout(1, PAID).withdrawal_id)


async def test_keys_that_are_changed_under_a_signed_payout_pay_it_with_the_next_attempt(
    shared: Custody, engine: MemoryEngine
) -> None:
    await engine.request(request(shared, 1, 1))
    for _ in range(10):
        await run(shared, engine, 1)
        if await attempts(shared.database) == ["signed"]:
            break
    # The chain asks for one more key than signed.
    first, second = keys_of(shared)
    third = account_of(shared, "second", 1)
    permit(shared, 3, [first, second, third])
    await run(shared, engine, 2)
    assert shared.received(shared.payout(1, 1).destination.key) == (0, 0)
    await shared.database.write(
        "update custody.tron_account set signer_accounts = array[$1, $2, $3]::bytea[], "
        "signer_branches = '{hot,second,second}', signer_path_indexes = '{1,0,1}'",
        first,
        second,
        third,
    )
    shared.mine(LIFE_BLOCKS + SOLID_BLOCKS)
    await run(shared, engine, 16)
    assert await attempts(shared.database) == ["dead", "final"]
    assert shared.received(shared.payout(1, 1).destination.key) == (PAID, 0)
