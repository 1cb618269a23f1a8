"""Permissions and several signatures of the simulated node, as a real one was recorded."""

import hashlib
from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey

from tests.wallets.tron.simulated_net import HOLDER, KEY, OTHER, OTHER_KEY, OWNER, TRX, Net
from wallets.tron.simulator.permissions import OPERATIONS

THIRD_KEY = PrivateKey(hashlib.sha256(b"third").digest())
THIRD = b"\x41" + THIRD_KEY.public_key.to_canonical_address()
UPDATE = "AccountPermissionUpdateContract"
PAYMENT = {"owner_address": OWNER.hex(), "to_address": HOLDER.hex(), "amount": 5}


def two_of_three(**changes: Any) -> dict[str, Any]:
    keys = [{"address": key.hex(), "weight": 1} for key in (OWNER, OTHER, THIRD)]
    common: dict[str, Any] = {"threshold": 2, "keys": keys} | changes
    active = {"type": 2, "permission_name": "active", "operations": OPERATIONS.hex()}
    return {
        "owner_address": OWNER.hex(),
        "owner": {"type": 0, "permission_name": "owner"} | common,
        "actives": [active | common],
    }


@pytest.fixture
async def shared(net: Net) -> Net:
    """A net whose owner's account needs two of three keys."""
    info = await net.mined(net.asking(UPDATE, two_of_three()))
    receipt = info["receipt"]
    assert info["fee"] == 100 * TRX + receipt.get("net_fee", 0)
    return net


async def sent(net: Net, *keys: PrivateKey, permission_id: int = 2) -> Any:
    return await net.send(net.asking("TransferContract", PAYMENT, keys, permission_id))


async def test_two_keys_of_three_sign_for_a_fee_of_one_trx(shared: Net) -> None:
    whole = shared.asking("TransferContract", PAYMENT, (KEY, THIRD_KEY), 2)
    info = await shared.mined(whole)
    assert info["fee"] - info["receipt"].get("net_fee", 0) == TRX
    shown = await shared.call("/wallet/getaccount", address=OWNER.hex())
    assert shown["owner_permission"]["threshold"] == 2
    assert [one["id"] for one in shown["active_permission"]] == [2]


@pytest.mark.parametrize(
    ("keys", "permission_id", "words"),
    [
        ((KEY,), 2, "sig error"),
        ((KEY,), 0, "sig error"),
        ((KEY, OTHER_KEY), 7, "permission isn't exit"),
        ((KEY, KEY), 2, "has signed twice!"),
        ((KEY, PrivateKey(b"\x01" * 32)), 2, "but it is not contained of permission."),
        ((KEY, OTHER_KEY, THIRD_KEY, KEY), 2, "more than key counts of permission : 3"),
    ],
)
async def test_too_few_or_wrong_keys_are_refused_in_a_real_nodes_words(
    shared: Net, keys: tuple[PrivateKey, ...], permission_id: int, words: str
) -> None:
    answer = await sent(shared, *keys, permission_id=permission_id)
    assert answer["code"] == "SIGERROR"
    assert answer["message"].endswith(words)


async def test_an_active_key_does_not_change_permissions(shared: Net) -> None:
    whole = shared.asking(UPDATE, two_of_three(), (KEY, OTHER_KEY), 2)
    assert (await shared.send(whole))["message"].endswith("Permission denied")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"threshold": 4}, "sum of all key's weight should not be less than threshold"),
        ({"threshold": 0}, "permission's threshold should be greater than 0"),
        ({"keys": []}, "key's count should be greater than 0"),
        (
            {"keys": [{"address": OWNER.hex(), "weight": 1}] * 2},
            "address should be distinct",
        ),
    ],
)
async def test_permissions_that_nobody_could_meet_are_refused(
    net: Net, changes: dict[str, Any], words: str
) -> None:
    answer = await net.send(net.asking(UPDATE, two_of_three(**changes)))
    assert answer["code"] == "CONTRACT_VALIDATE_ERROR"
    assert words in answer["message"]
