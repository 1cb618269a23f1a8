"""Which of our keys sign for an account of several keys, and why none can."""

from typing import Any

import pytest

from wallets.errors import Condition, Quarantined, Stuck
from wallets.tron.accounts import SignerKey
from wallets.tron.permissions import Permission, choose, permissions_of
from wallets.tron.simulator.permissions import OPERATIONS
from wallets.tron.transactions import ContractType

TRANSFER = ContractType.Value("TransferContract")
UPDATE = ContractType.Value("AccountPermissionUpdateContract")
ONE, TWO, THREE = (SignerKey(b"\x41" + bytes([at]) * 20, "hot", at) for at in (1, 2, 3))


def permission(threshold: int, *weights: int, permission_id: int = 2) -> Permission:
    keys = tuple(zip((ONE.account, TWO.account, THREE.account), weights, strict=False))
    return Permission(permission_id, threshold, keys, OPERATIONS)


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        (permission(1, 1, 1, 1), (ONE,)),
        (permission(2, 1, 1, 1), (ONE, TWO)),
        (permission(3, 1, 1, 1), (ONE, TWO, THREE)),
        (permission(2, 1, 1, 2), (THREE,)),
        (permission(3, 1, 1, 2), (THREE, ONE)),
        (permission(2, 0, 1, 1), (TWO, THREE)),
    ],
)
def test_the_fewest_keys_that_are_enough_sign(
    found: Permission, chosen: tuple[SignerKey, ...]
) -> None:
    assert choose([found], 2, TRANSFER, (ONE, TWO, THREE)) == chosen


@pytest.mark.parametrize(
    ("found", "kind", "ours", "named"),
    [
        ([], TRANSFER, (ONE, TWO), "PERMISSION_MISSING"),
        ([permission(1, 1, permission_id=3)], TRANSFER, (ONE,), "PERMISSION_MISSING"),
        ([permission(2, 1, 1)], UPDATE, (ONE, TWO), "PERMISSION_DENIED"),
        ([permission(2, 1, 1)], TRANSFER, (ONE,), "THRESHOLD_NOT_REACHED"),
        ([permission(2, 1, 1)], TRANSFER, (ONE, THREE), "THRESHOLD_NOT_REACHED"),
    ],
)
def test_a_permission_that_does_not_fit_is_refused_by_name(
    found: list[Permission], kind: int, ours: tuple[SignerKey, ...], named: str
) -> None:
    with pytest.raises(Stuck, match=named) as stuck:
        choose(found, 2, kind, ours)
    assert stuck.value.condition is Condition.SIGNER_KEY_MISSING


def told(**changes: Any) -> dict[str, Any]:
    """A permission as a node shows it."""
    keys = [{"address": ONE.account.hex(), "weight": 1}]
    return {"id": 2, "threshold": 1, "keys": keys, "operations": OPERATIONS.hex()} | changes


def test_permissions_are_read_as_a_node_tells_them() -> None:
    assert permissions_of({"active_permission": [told()]}) == (permission(1, 1),)
    assert permissions_of({"balance": 7}) == ()


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"active_permission": {}},
        {"active_permission": [told(operations="00")]},
        {"active_permission": [told(keys=[{"address": "41", "weight": 1}])]},
        {"active_permission": [told(threshold=-1)]},
    ],
)
def test_an_answer_that_is_none_is_the_nodes_fault(answer: object) -> None:
    with pytest.raises(Quarantined):
        permissions_of(answer)
