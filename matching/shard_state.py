"""What this process is for its shard at the moment. Written by the role, read by every RPC."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cambist.internal.matching.v1 import matching_pb2
from matching.errors import NotPrimary

if TYPE_CHECKING:
    from matching.primary import Primary
    from matching.recovery.replay import Replay


class Role(enum.IntEnum):
    """Roles, with the numbers of the contract."""

    RECOVERING = matching_pb2.ROLE_RECOVERING
    PRIMARY = matching_pb2.ROLE_PRIMARY
    STANDBY = matching_pb2.ROLE_STANDBY
    TAKEOVER_BLOCKED = matching_pb2.ROLE_TAKEOVER_BLOCKED
    STOPPED = matching_pb2.ROLE_STOPPED


@dataclass(slots=True)
class ShardState:
    """The role and what goes with it."""

    shard: int
    engine_name: str
    role: Role = Role.RECOVERING
    # The journal as this process has read it, until it is primary.
    replay: Replay | None = None
    # Set while the role is PRIMARY.
    primary: Primary | None = None
    # Endpoint in the lease, as far as known; empty when it is this process.
    primary_endpoint: str = ""
    # Newest stored snapshot, at the last look.
    snapshot_seq: int = 0
    # Our time less the database's, at the last look.
    clock_offset_ns: int = field(default=0)

    def require_primary(self) -> Primary:
        """The primary's parts. Raises NotPrimary."""
        if self.primary is None or self.role is not Role.PRIMARY:
            raise NotPrimary(self.primary_endpoint)
        return self.primary
