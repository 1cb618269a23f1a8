"""Which of our keys sign for an account that several keys sign for. Pure.

Called by the adapter before a payout leaves such an account. What nodes tell of the account must
fit: a permission of that number, which allows the kind of transaction, and whose threshold our keys
reach. Nothing is asked of the signer before it does.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wallets.errors import Condition, Stuck
from wallets.tron.accounts import SignerKey
from wallets.tron.addresses import KEY_BYTES
from wallets.tron.wire import data, fields, items, number

OPERATIONS_BYTES: Final = 32


class PermissionFault(enum.StrEnum):
    """Why our keys cannot sign for an account."""

    MISSING = "PERMISSION_MISSING"
    DENIED = "PERMISSION_DENIED"
    THRESHOLD = "THRESHOLD_NOT_REACHED"


@dataclass(frozen=True, slots=True)
class Permission:
    """Keys with weights, of which enough must sign."""

    permission_id: int
    threshold: int
    keys: tuple[tuple[bytes, int], ...]
    # A bit for each kind of transaction that may be signed with it.
    operations: bytes

    def allows(self, kind: int) -> bool:
        """Whether a kind of transaction may be signed with it."""
        return bool(self.operations[kind // 8] & 1 << kind % 8)


def permissions_of(answer: object) -> tuple[Permission, ...]:
    """The active ones of an account as a node shows it. Raises Quarantined."""
    found = map(fields, items(fields(answer).get("active_permission")))
    return tuple(
        Permission(
            number(told.get("id")),
            number(told.get("threshold")),
            tuple(
                (data(key.get("address"), KEY_BYTES), number(key.get("weight")))
                for key in map(fields, items(told.get("keys")))
            ),
            data(told.get("operations"), OPERATIONS_BYTES),
        )
        for told in found
    )


def choose(
    found: Sequence[Permission], permission_id: int, kind: int, ours: Sequence[SignerKey]
) -> tuple[SignerKey, ...]:
    """The fewest of our keys that are enough, heaviest first. Raises Stuck that names the fault."""
    permission = next((one for one in found if one.permission_id == permission_id), None)
    if permission is None:
        raise fault(PermissionFault.MISSING, f"the account has no permission {permission_id}")
    if not permission.allows(kind):
        raise fault(PermissionFault.DENIED, f"permission {permission_id} allows no kind {kind}")
    weights = dict(permission.keys)
    chosen: list[SignerKey] = []
    weight = 0
    for key in sorted(ours, key=lambda one: -weights.get(one.account, 0)):
        if weight >= permission.threshold:
            break
        weight += weights.get(key.account, 0)
        chosen.append(key)
    if weight < permission.threshold:
        words = f"our keys weigh {weight} of {permission.threshold} in permission {permission_id}"
        raise fault(PermissionFault.THRESHOLD, words)
    return tuple(chosen)


def fault(named: PermissionFault, words: str) -> Stuck:
    """The payout waits: people change the account, or the registration."""
    return Stuck(Condition.SIGNER_KEY_MISSING, f"{named}: {words}")
