"""Who may sign for an account: its permissions, their keys and thresholds. Pure.

Read when a transaction is checked, changed by `AccountPermissionUpdateContract`. An account that
never set any has its own key alone. Refusals come in the real node's words.
"""

from dataclasses import dataclass
from typing import Any, Final

from wallets.tron.simulator.refusals import Invalid

ACTIVE_ID: Final = 2
ACTIVES_MAX: Final = 8
KEYS_MAX: Final = 5
NAME_LENGTH_MAX: Final = 32
OPERATIONS_BYTES: Final = 32
# What a new account's active key may sign: all but changing permissions.
OPERATIONS: Final = bytes.fromhex("7fff1fc0033e0108").ljust(OPERATIONS_BYTES, b"\0")


@dataclass(frozen=True, slots=True)
class Permission:
    """Keys with weights, of which enough must sign."""

    permission_id: int
    name: str
    threshold: int
    keys: tuple[tuple[bytes, int], ...]
    # Bits of the kinds of contract that may be signed; empty for the owner, which may sign all.
    operations: bytes = b""

    def allows(self, kind: int) -> bool:
        """Whether a kind of contract may be signed with it."""
        return not self.operations or bool(self.operations[kind // 8] & 1 << kind % 8)

    def weight(self, key: bytes) -> int:
        """What a key counts; 0 when it is none of these."""
        return dict(self.keys).get(key, 0)


@dataclass(frozen=True, slots=True)
class Permissions:
    """All permissions of an account."""

    owner: Permission
    actives: tuple[Permission, ...]

    def find(self, permission_id: int) -> Permission | None:
        """A permission by its number; 0 is the owner's."""
        return next(
            (one for one in (self.owner, *self.actives) if one.permission_id == permission_id),
            None,
        )


def of_one_key(key: bytes) -> Permissions:
    """What a new account has."""
    keys = ((key, 1),)
    return Permissions(
        Permission(0, "owner", 1, keys),
        (Permission(ACTIVE_ID, "active", 1, keys, OPERATIONS),),
    )


def permissions_of(body: Any) -> Permissions:
    """What an update asks for. Raises Invalid."""
    if not body.HasField("owner"):
        raise Invalid("owner permission is missed")
    if not body.actives:
        raise Invalid("active permission is missed")
    if len(body.actives) > ACTIVES_MAX:
        raise Invalid("active permission is too many")
    if body.owner.type != 0:
        raise Invalid("owner permission type is error")
    if any(active.type != ACTIVE_ID for active in body.actives):
        raise Invalid("active permission type is error")
    actives = tuple(
        permission_of(active, ACTIVE_ID + number) for number, active in enumerate(body.actives)
    )
    return Permissions(permission_of(body.owner, 0), actives)


def permission_of(asked: Any, permission_id: int) -> Permission:
    """One permission. Raises Invalid in the node's order and words."""
    keys = tuple((key.address, key.weight) for key in asked.keys)
    if len(keys) > KEYS_MAX:
        raise Invalid(f"number of keys in permission should not be greater than {KEYS_MAX}")
    if not keys:
        raise Invalid("key's count should be greater than 0")
    if asked.threshold <= 0:
        raise Invalid("permission's threshold should be greater than 0")
    if len(asked.permission_name) > NAME_LENGTH_MAX:
        raise Invalid("permission's name is too long")
    if len(dict(keys)) != len(keys):
        raise Invalid("address should be distinct in permission Owner")
    if any(weight <= 0 for _, weight in keys):
        raise Invalid("key's weight should be greater than 0")
    if sum(weight for _, weight in keys) < asked.threshold:
        raise Invalid("sum of all key's weight should not be less than threshold in permission")
    if permission_id and len(asked.operations) != OPERATIONS_BYTES:
        raise Invalid("operations size must 32")
    return Permission(permission_id, asked.permission_name, asked.threshold, keys, asked.operations)


def permission_json(permission: Permission) -> dict[str, Any]:
    """As a node shows it; the owner's number and kind are zero and left out."""
    told: dict[str, Any] = {
        "permission_name": permission.name,
        "threshold": permission.threshold,
        "keys": [{"address": key.hex(), "weight": weight} for key, weight in permission.keys],
    }
    if permission.permission_id:
        told |= {"type": "Active", "id": permission.permission_id}
        told["operations"] = permission.operations.hex()
    return told
