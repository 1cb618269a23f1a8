"""What the treasury needs of a chain; an adapter offers it beside `Builds`. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from wallets.contract import (
    Attempt,
    Broadcast,
    BumpSchedule,
    Confirmation,
    Destination,
    Network,
    Plan,
    TransactionId,
)


@dataclass(frozen=True, slots=True)
class ColdPlan:
    """A transaction that only people's keys can sign."""

    # As it will be, without signatures; what comes back must be of this one.
    unsigned: bytes
    # What people are given.
    text: str
    inputs: tuple[str, ...]
    fee_atoms: int


@dataclass(frozen=True, slots=True)
class ColdSigned:
    """How far the signatures are; `raw` is empty while some are missing."""

    signers: int
    needed: int
    raw: bytes


class HoldsTreasury(Protocol):
    """Plans of a chain with a cold place; none of these stores or sends."""

    async def hot_atoms(self, owned: frozenset[str]) -> int:
        """What payouts could spend now. Raises Unavailable."""

    async def cold_address(self, index: int) -> Destination:
        """A place of the cold wallet. Raises Rejected."""

    async def plan_to_cold(
        self, intent_id: bytes, amount_atoms: int, fee_atoms_max: int, owned: frozenset[str]
    ) -> Plan:
        """For the signer, which knows the cold address by its own list. Raises Stuck, Rejected."""

    async def plan_merge(self, intent_id: bytes, owned: frozenset[str]) -> tuple[Plan, int] | None:
        """Small coins into one, with the atoms that come back; None = not worth it now."""

    async def plan_from_cold(
        self, amount_atoms: int, fee_atoms_max: int, owned: frozenset[str]
    ) -> ColdPlan:
        """For people. Raises Stuck, Rejected."""

    async def add_signatures(self, unsigned: bytes, texts: Sequence[str]) -> ColdSigned:
        """Takes verified signatures and nothing else from what people gave back."""


@runtime_checkable
class ReplacesMoves(Protocol):
    """A chain on which a dearer transaction takes the place of one that nobody mines."""

    @property
    def bump_schedule(self) -> BumpSchedule:
        """As for payouts."""

    async def build_again(
        self, intent_id: bytes, plan: Plan, raw: bytes
    ) -> tuple[Plan, int] | None:
        """What takes the place of these signed bytes, and the atoms that it moves.

        None when they pay enough as they are. Under the same ceilings as payouts, or as every
        transfer. Raises Stuck, Unavailable; it stores nothing.
        """


class RunsUnderLease(Protocol):
    """A job that stores only under the token it was given."""

    async def run(self, token: int) -> None:
        """Until cancelled, or the lease is another's."""


class Follows(Protocol):
    """The part of a chain's adapter that looks after what is signed."""

    network: Network

    def identify(self, raw: bytes) -> TransactionId:
        """As in `Builds`."""

    async def broadcast(self, attempt: Attempt) -> Broadcast:
        """As in `Builds`."""

    async def confirm(self, attempt: Attempt) -> Confirmation:
        """As in `Builds`."""
