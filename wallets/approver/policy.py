"""What may be approved at most, whoever asks. Pure; read from the approver's own file.

The decision is made on what the approver read in the journal and on its own counters. A refusal
is for good (`Rejected`); what time or people can mend waits by name (`Stuck`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wallets.contract import WithdrawalId
from wallets.core.units import to_chain
from wallets.errors import Condition, Rejected, Stuck
from wallets.signer.approvals import Terms


@dataclass(frozen=True, slots=True)
class Request:
    """A withdrawal as the journal has it; amounts are the engine's atoms."""

    withdrawal_id: WithdrawalId
    shard: int
    seq: int
    time_ns: int
    account_id: int
    asset_id: int
    network_id: int
    amount_atoms: int
    destination: str


@dataclass(frozen=True, slots=True)
class AssetPolicy:
    """Bounds of one asset on one network, in the chain's atoms."""

    network_id: int
    asset_id: int
    # As the chain writes it; empty = the native asset.
    contract: str
    decimals: int
    engine_decimals: int
    single_max_atoms: int
    account_day_max_atoms: int
    hour_max_atoms: int
    # Above this amount people sign too.
    people_above_atoms: int
    # Of one transaction, in atoms of the network's native asset.
    fee_max_atoms: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What was approved before, of the same asset and network, in the chain's atoms."""

    account_day_atoms: int
    hour_atoms: int


@dataclass(frozen=True, slots=True)
class Policy:
    """All that the approver knows of the world besides the journal."""

    assets: tuple[AssetPolicy, ...]
    # Ed25519 public keys (32 bytes) by person.
    people: Mapping[str, bytes]
    people_needed: int
    denied_destinations: frozenset[str] = frozenset()
    # When not empty, nothing else is ever paid.
    allowed_destinations: frozenset[str] = frozenset()
    denied_accounts: frozenset[int] = frozenset()
    # How long after an account's first request to an address the first payout to it waits.
    address_hold_seconds: int = 0
    approval_seconds: int = 3_600
    # Methods by name of the caller's certificate; nobody else may call anything.
    callers: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def asset(self, request: Request) -> AssetPolicy:
        """Bounds of what is asked; raises Rejected."""
        for found in self.assets:
            if (found.network_id, found.asset_id) == (request.network_id, request.asset_id):
                return found
        raise Rejected("ASSET_NOT_ALLOWED", f"{request.asset_id} on {request.network_id}")

    def terms(self, request: Request) -> Terms:
        """What the chain is to pay; raises Rejected when its unit is too coarse."""
        asset = self.asset(request)
        amount_atoms = to_chain(
            request.amount_atoms, decimals=asset.decimals, engine_decimals=asset.engine_decimals
        )
        if not amount_atoms:
            raise Rejected("AMOUNT_TOO_PRECISE", "the chain cannot pay exactly this")
        return Terms(request.network_id, request.destination, asset.contract, amount_atoms)


def check_request(request: Request, policy: Policy) -> None:
    """What no time and nobody can mend; raises Rejected."""
    if request.account_id in policy.denied_accounts:
        raise Rejected("ACCOUNT_DENIED", f"account {request.account_id}")
    if request.destination in policy.denied_destinations:
        raise Rejected("DESTINATION_DENIED", "the destination is on the list of denied ones")
    if policy.allowed_destinations and request.destination not in policy.allowed_destinations:
        raise Rejected("DESTINATION_DENIED", "the destination is not on the list of allowed ones")
    if policy.terms(request).amount_atoms > policy.asset(request).single_max_atoms:
        raise Rejected("ABOVE_LIMIT", "more than one payout may be")


def check_hold(first_seen_ns: int, now_ns: int, policy: Policy) -> None:
    """A new address waits; raises Stuck."""
    held_ns = policy.address_hold_seconds * 1_000_000_000
    if now_ns - first_seen_ns < held_ns:
        raise Stuck(Condition.APPROVAL_MISSING, "a new address is held")


def check_people(request: Request, people: frozenset[str], policy: Policy) -> None:
    """Above the limit enough people signed; raises Stuck."""
    above = policy.terms(request).amount_atoms > policy.asset(request).people_above_atoms
    if above and len(people) < policy.people_needed:
        raise Stuck(Condition.APPROVAL_MISSING, f"{len(people)} of {policy.people_needed} people")


def check_velocity(request: Request, spent: Spent, policy: Policy) -> None:
    """The account's day and everybody's hour can hold this too; raises Stuck."""
    asset, amount_atoms = policy.asset(request), policy.terms(request).amount_atoms
    if spent.account_day_atoms + amount_atoms > asset.account_day_max_atoms:
        raise Stuck(Condition.AT_CEILING, "the account's day is full")
    if spent.hour_atoms + amount_atoms > asset.hour_max_atoms:
        raise Stuck(Condition.AT_CEILING, "the hour is full")


def check_fee(request: Request, fee_atoms: int, policy: Policy) -> None:
    """The fee that would be permitted; raises Stuck."""
    if fee_atoms > policy.asset(request).fee_max_atoms:
        raise Stuck(Condition.AT_CEILING, f"a fee of {fee_atoms} atoms")
