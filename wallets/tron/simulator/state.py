"""Accounts, loans and tokens at one block. Pure.

Changed by the modules that execute a transaction, copied at each block by
`wallets.tron.simulator.chain`. All amounts of TRX are sun.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from wallets.tron.contracts import Resource
from wallets.tron.simulator.parameters import (
    SUN_PER_TRX,
    WINDOW_PRECISION,
    WINDOW_SLOTS,
    Parameters,
)
from wallets.tron.simulator.permissions import Permissions
from wallets.tron.simulator.refusals import Refused

TRANSFER: Final = bytes.fromhex("a9059cbb")
TRANSFER_TOPIC: Final = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


@dataclass(frozen=True, slots=True)
class Holding:
    """What an account has of one resource. Stake in sun, usage in bytes or energy."""

    staked: int = 0
    # Of its own stake, lent to others; of others' stake, lent to it.
    lent: int = 0
    borrowed: int = 0
    used: int = 0
    used_slot: int = 0
    # Thousandths of slots over which usage comes back.
    window: int = WINDOW_SLOTS * WINDOW_PRECISION

    @property
    def counted(self) -> int:
        """Stake whose resource this account may use."""
        return self.staked + self.borrowed

    @property
    def weight_trx(self) -> int:
        """TRX that count in the chain's total."""
        return (self.staked + self.lent) // SUN_PER_TRX


@dataclass(frozen=True, slots=True)
class Unstaking:
    """Stake that waits until it may be withdrawn."""

    resource: Resource
    amount: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Account:
    """One activated account."""

    balance: int
    created_ms: int
    free_used: int = 0
    free_used_slot: int = 0
    bandwidth: Holding = Holding()
    energy: Holding = Holding()
    unstaking: tuple[Unstaking, ...] = ()
    # Time of the block on which its last transaction was executed.
    operated_ms: int = 0
    # None of an account of genesis that never set any: its own key signs.
    permissions: Permissions | None = None

    def holding(self, resource: Resource) -> Holding:
        """What it has of a resource."""
        return self.energy if resource is Resource.ENERGY else self.bandwidth

    def holds(self, resource: Resource, holding: Holding) -> "Account":
        """The same account with another holding."""
        if resource is Resource.ENERGY:
            return replace(self, energy=holding)
        return replace(self, bandwidth=holding)


@dataclass(frozen=True, slots=True)
class Loan:
    """Stake of one account whose resource another uses, and until when it is locked."""

    amount: int
    expires_ms: int = 0


@dataclass(frozen=True, slots=True)
class LoanKey:
    """From whom, to whom, of what; locked and free loans are kept apart."""

    lender: bytes
    receiver: bytes
    resource: Resource
    is_locked: bool


@dataclass(frozen=True, slots=True)
class Contract:
    """What a contract does apart from the plain token: habits, who pays, and how busy it is."""

    creator: bytes = b""
    # Part of a call's energy that the caller pays, and the most that the creator pays of one.
    user_percent: int = 100
    origin_energy_limit: int = 0
    # Pays the TRX of a call on to the account that is named, and is no token.
    pays_out: bool = False
    # Of a transfer's amount, in ten-thousandths; kept from what the receiver gets.
    fee_basis_points: int = 0
    fee_max: int = 0
    is_paused: bool = False
    banned: frozenset[bytes] = frozenset()
    # USDT's habit: the word returned is false although the transfer succeeded.
    returns: bytes = bytes(32)
    # Round of maintenance, energy in it, and what calls cost beyond, in ten-thousandths.
    cycle: int = 0
    cycle_energy: int = 0
    factor: int = 0


@dataclass(frozen=True, slots=True)
class Log:
    """One event of a token: by default a transfer."""

    token: bytes
    sender: bytes
    receiver: bytes
    amount: int
    topic: str = TRANSFER_TOPIC


@dataclass(frozen=True, slots=True)
class Internal:
    """TRX that a contract paid within a call."""

    contract: bytes
    to: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What executing a transaction did and took."""

    fee: int = 0
    net_usage: int = 0
    net_fee: int = 0
    # Of staked energy; the rest of the total was burned.
    energy_usage: int = 0
    energy_total: int = 0
    energy_fee: int = 0
    # Of the total, what the dynamic factor added; and what the contract's creator gave.
    energy_penalty: int = 0
    origin_energy_usage: int = 0
    # Empty for what runs no code.
    result: str = ""
    returned: bytes = b""
    token: bytes = b""
    logs: tuple[Log, ...] = ()
    internals: tuple[Internal, ...] = ()
    # A node's words about a call that failed.
    message: str = ""
    # Sun of stake whose waiting time was over.
    withdrawn: int = 0
    # Sun by resource that went from waiting back to stake; None for all other kinds.
    restaked: dict[Resource, int] | None = None


@dataclass(slots=True)
class State:
    """All accounts, loans, and holders per token. Copied at each block."""

    parameters: Parameters
    accounts: dict[bytes, Account] = field(default_factory=dict)
    tokens: dict[bytes, dict[bytes, int]] = field(default_factory=dict)
    # Multiplies the energy of every call, in thousandths: the dynamic factor.
    energy_factor: int = 1_000
    loans: dict[LoanKey, Loan] = field(default_factory=dict)
    # Only of contracts that are more than a plain token.
    contracts: dict[bytes, Contract] = field(default_factory=dict)
    # What a holder lets another account take: token, holder, taker.
    allowances: dict[tuple[bytes, bytes, bytes], int] = field(default_factory=dict)
    # TRC-10: holders per number of a token.
    assets: dict[bytes, dict[bytes, int]] = field(default_factory=dict)
    # TRX that accounts here staked.
    weights: dict[Resource, int] = field(default_factory=lambda: dict.fromkeys(Resource, 0))

    def copy(self) -> "State":
        """The same accounts and holders, to change apart."""
        return State(
            self.parameters,
            dict(self.accounts),
            {token: dict(holders) for token, holders in self.tokens.items()},
            self.energy_factor,
            dict(self.loans),
            dict(self.contracts),
            dict(self.allowances),
            {asset: dict(holders) for asset, holders in self.assets.items()},
            dict(self.weights),
        )

    def take_over(self, other: "State") -> None:
        """Becomes the other, which is used no more."""
        self.accounts, self.tokens = other.accounts, other.tokens
        self.loans, self.weights = other.loans, other.weights
        self.contracts, self.allowances = other.contracts, other.allowances
        self.assets = other.assets

    def is_contract(self, key: bytes) -> bool:
        """Whether an address is a contract's."""
        return key in self.tokens or key in self.contracts

    def contract(self, key: bytes) -> Contract:
        """What a contract does; a plain token when nothing else is known."""
        return self.contracts.get(key, Contract())

    def charge(self, owner: bytes, amount: int) -> None:
        """Burns or moves away TRX. Raises Refused."""
        account = self.accounts[owner]
        if account.balance < amount:
            raise Refused("BANDWITH_ERROR", "Account resource insufficient error.")
        self.accounts[owner] = replace(account, balance=account.balance - amount)

    def pay(self, owner: bytes, amount: int) -> None:
        """Gives TRX to an account that exists."""
        account = self.accounts[owner]
        self.accounts[owner] = replace(account, balance=account.balance + amount)

    def change(self, owner: bytes, resource: Resource, holding: Holding) -> None:
        """Stores what an account has of a resource, and the chain's total with it."""
        account = self.accounts[owner]
        before = account.holding(resource).weight_trx
        self.weights[resource] += holding.weight_trx - before
        self.accounts[owner] = account.holds(resource, holding)

    def weight_trx(self, resource: Resource) -> int:
        """TRX that are staked for a resource on the whole chain."""
        if resource is Resource.ENERGY:
            return self.parameters.energy_staked_trx + self.weights[resource]
        return self.parameters.bandwidth_staked_trx + self.weights[resource]

    def total(self, resource: Resource) -> int:
        """What the whole chain gives of a resource in a day."""
        if resource is Resource.ENERGY:
            return self.parameters.energy_total
        return self.parameters.bandwidth_total_bytes

    def share(self, resource: Resource, sun: int) -> int:
        """What so much stake gives in a day: its part of all stake, rounded down."""
        weight_sun = self.weight_trx(resource) * SUN_PER_TRX
        return sun * self.total(resource) // weight_sun if weight_sun else 0
