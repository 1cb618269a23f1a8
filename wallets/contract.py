"""What every chain's adapter offers: `create_wallet`, `send`, `confirm`, and reading blocks.

Called by `wallets.core`, which knows no chain. An adapter never decides about money: it says what a
chain holds, builds what it is told to pay, and tells three answers apart: yes, no, unknown. Amounts
are the chain's atoms; a `key` is what an output pays to, as bytes (a script on Bitcoin, an account
on Ethereum and TRON), and is compared as bytes only.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NewType, Protocol, runtime_checkable

WithdrawalId = NewType("WithdrawalId", bytes)
AttemptId = NewType("AttemptId", int)
# Lower-case hex without prefix, as our own code computed it.
TransactionId = NewType("TransactionId", str)
# Well below what the signer signs for one withdrawal, and below what an adapter looks through.
BUMPS_MAX: Final = 30
# Payouts of one transaction, and seconds that the first of them waits for others.
PAYOUTS_MAX: Final = 200
WINDOW_MAX: Final = 3_600


@dataclass(frozen=True, slots=True)
class Network:
    """One network of one chain family, for example ("bitcoin", "regtest")."""

    chain: str
    network: str
    # Of commands in the engine's journal.
    network_id: int
    genesis_hash: str


@dataclass(frozen=True, slots=True)
class Token:
    """An asset on a network; `contract` is empty for the native one."""

    asset_id: int
    contract: bytes
    decimals: int


@dataclass(frozen=True, slots=True)
class Destination:
    """An address that was checked: its text as given and the bytes it stands for."""

    text: str
    key: bytes


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A place in a chain."""

    height: int
    block_hash: str


@dataclass(frozen=True, slots=True)
class Movement:
    """One output or log of a block, or of the memory pool, that moves an asset to a key."""

    txid: TransactionId
    # Output index on Bitcoin; on account chains the place of the log in its transaction, -1 for
    # the native transfer, below that for native transfers within calls.
    index: int
    # Empty for the native asset.
    contract: bytes
    key: bytes
    amount_atoms: int
    # Mined coins that may not move yet.
    is_coinbase: bool
    # What shows it offline: script or log and its place, as the node told it.
    proof: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """One block, whole or not at all: an empty answer of a node is `Unknown`, never a block."""

    ref: BlockRef
    parent_hash: str
    time_ns: int
    header: bytes
    movements: tuple[Movement, ...]
    # Outpoints spent ("txid:index"); empty on account chains.
    spent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Payout:
    """Who gets what; the network's fee is not part of it."""

    withdrawal_id: WithdrawalId
    destination: Destination
    token: Token
    amount_atoms: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A transaction that is stored but perhaps not sent. Its id is our own computation."""

    attempt_id: AttemptId
    txid: TransactionId
    raw: bytes
    payouts: tuple[Payout, ...]
    fee_atoms_max: int


class BroadcastOutcome(enum.Enum):
    """What a node made of our bytes."""

    ACCEPTED = "accepted"
    # It has them already, in its pool or in a block: look up by id.
    KNOWN = "known"
    # It will never take these bytes; nothing follows about other nodes.
    REFUSED = "refused"
    # Perhaps.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Outcome with the node's own words."""

    outcome: BroadcastOutcome
    # Classified, UPPER_SNAKE_CASE, empty when accepted.
    reason: str
    node: str


class ConfirmationState(enum.Enum):
    """Where a transaction stands."""

    # No node shows it; that proves nothing.
    NOT_SEEN = "not_seen"
    IN_POOL = "in_pool"
    MINED = "mined"
    # Deep enough for this network; paid.
    FINAL = "final"
    # Mined, final, and it paid nobody: the fee is lost.
    FAILED = "failed"
    # It can never be mined; `proof` shows why.
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the chain says of an attempt. `txid` may be that of a sibling that was mined instead."""

    state: ConfirmationState
    txid: TransactionId
    block: BlockRef | None
    confirmations: int
    # What the network really took, 0 while not mined.
    fee_atoms: int
    proof: bytes


class ReadsChain(Protocol):
    """What follows a chain block by block needs of an adapter."""

    async def check(self) -> None:
        """Whether enough nodes are on our chain. Raises Unavailable, Stuck(CHAIN_MISMATCH)."""

    async def tip(self) -> BlockRef:
        """As in `Adapter`."""

    async def read_block(self, height: int) -> Block:
        """As in `Adapter`."""

    async def final_height(self) -> int:
        """As in `Adapter`."""


class Adapter(Protocol):
    """One network of one chain."""

    network: Network

    def create_wallet(self, extended_public_key: str, index: int) -> Destination:
        """The deposit address of a place of a branch. Pure; no private key is near."""

    def parse_address(self, text: str) -> Destination:
        """Checks a destination. Raises InvalidAddress."""

    async def tip(self) -> BlockRef:
        """The best block that enough nodes agree on. Raises Unavailable."""

    async def read_block(self, height: int) -> Block:
        """The block of the best chain at a height. Raises Unavailable, Unknown."""

    async def final_height(self) -> int:
        """Up to which height blocks cannot be replaced, as the chain itself says; -1 = unknown."""

    async def send(self, payouts: Sequence[Payout]) -> Attempt:
        """Plans, has signed and stores one transaction that pays all of these, and sends it.

        The bytes are durable before a node hears of them. Sending again the same is harmless.
        Raises Stuck, Rejected, Unavailable (nothing was signed), Unknown (look at the attempt).
        """

    async def broadcast(self, attempt: Attempt) -> Broadcast:
        """Hands the stored bytes to nodes, again and again if need be."""

    async def confirm(self, attempt: Attempt) -> Confirmation:
        """Where an attempt stands. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease under which something is planned: who lost it by now stores nothing."""

    name: str
    # The fencing token that came with it.
    token: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One transaction that is decided but not signed."""

    # Of the signer's log (16 bytes): the same id gets the same bytes again.
    intent_id: bytes
    # Serialised cambist.internal.signer.v1.Intent.
    intent: bytes
    # All that the transaction uses up: outpoints "txid:index", or "address:nonce". None on TRON.
    inputs: tuple[str, ...]
    fee_atoms_max: int
    # Of what it newly takes, where one worker at a time may do that; None = the inputs' key is all.
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """The approver's word on one withdrawal: bytes and the signature over them."""

    approval: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Death:
    """An attempt that can never be mined, or was mined and paid nobody, with what proves it."""

    txid: TransactionId
    proof: bytes


class Builds(Protocol):
    """What the pipeline of withdrawals needs of a chain; it stores between any two of these.

    The pipeline owns `inputs` in the transaction that stores the plan, has it signed, commits the
    bytes, and only then calls `broadcast`. None of these methods stores or sends by itself, but
    `broadcast`.
    """

    network: Network

    def parse_address(self, text: str) -> Destination:
        """Checks a destination; as in `Adapter`."""

    async def highest_fee(self, payout: Payout) -> int:
        """The most that paying it may cost, in atoms of the native asset; the approval says it."""

    async def build(
        self,
        intent_id: bytes,
        payouts: Sequence[Payout],
        *,
        fee_atoms_max: int,
        must_use: Sequence[str],
        owned: frozenset[str],
    ) -> Plan:
        """Plans a transaction that pays all of these and uses every input of `must_use`.

        `owned` inputs belong to other attempts. Raises Stuck, Unavailable; owns nothing itself.
        """

    def identify(self, raw: bytes) -> TransactionId:
        """The id of signed bytes, by our own computation. Raises Broken when they are none."""

    async def broadcast(self, attempt: Attempt) -> Broadcast:
        """Hands the stored bytes to nodes; as in `Adapter`."""

    async def confirm(self, attempt: Attempt) -> Confirmation:
        """Where an attempt stands; DEAD only with a proof. As in `Adapter`."""


class Approves(Protocol):
    """The approver, as the pipeline sees it."""

    async def approve(
        self, withdrawal_id: WithdrawalId, fee_atoms_max: int, dead: Sequence[Death]
    ) -> Approval:
        """`dead` are all earlier attempts: with any, it is a retry.

        Raises Rejected (the payout is refused), Stuck (it waits), Unavailable.
        """


class Signs(Protocol):
    """The signer, as the pipeline sees it."""

    async def sign(self, plan: Plan, approvals: Sequence[Approval]) -> bytes:
        """The signed transaction; a repeated intent id gets the stored bytes. Raises Stuck."""

    async def close(self, withdrawal_id: WithdrawalId) -> Sequence[bytes]:
        """What was ever signed for it; nothing = never, and from now on never."""


@dataclass(frozen=True, slots=True)
class Batching:
    """How many payouts one transaction pays, and how long the first one waits for others."""

    payouts_max: int
    window_seconds: int = 0

    def __post_init__(self) -> None:
        """Refuses what would pay nobody, or let somebody wait without end."""
        if not 1 <= self.payouts_max <= PAYOUTS_MAX or not 0 <= self.window_seconds <= WINDOW_MAX:
            raise ValueError(f"payouts_max to {PAYOUTS_MAX}, window_seconds to {WINDOW_MAX}")


@runtime_checkable
class Batches(Protocol):
    """A chain whose `build` pays several payouts in one transaction."""

    @property
    def batching(self) -> Batching:
        """How many, and when."""


@dataclass(frozen=True, slots=True)
class BumpSchedule:
    """How long an attempt may be unmined until its fee is raised, and how often that is done."""

    after_seconds: int
    bumps_max: int

    def __post_init__(self) -> None:
        """Refuses what would bump at once, or for ever."""
        if self.after_seconds < 1 or not 0 <= self.bumps_max <= BUMPS_MAX:
            raise ValueError(f"after_seconds from 1, bumps_max from 0 to {BUMPS_MAX}")


@runtime_checkable
class Replaces(Protocol):
    """A chain whose `build` makes, with `must_use`, a dearer attempt in place of earlier ones."""

    @property
    def bump_schedule(self) -> BumpSchedule:
        """When the pipeline raises a fee."""


@runtime_checkable
class Leases(Protocol):
    """A chain whose `build` takes only what a lease of this worker is for, and names it."""

    @property
    def can_build(self) -> bool:
        """Whether this worker holds any; payouts that wait for a plan are left to who does."""


class Bumps(Protocol):
    """An adapter that can raise the fee of an attempt, or void it."""

    async def bump(self, attempt: Attempt, fee_atoms_max: int) -> Attempt:
        """A further attempt that conflicts with every one before it. Raises Stuck(AT_CEILING)."""

    async def cancel(self, attempt: Attempt) -> Attempt:
        """A further attempt that pays nobody and conflicts with every one before it."""


class Sweeps(Protocol):
    """An adapter whose deposits lie on many addresses and must be gathered."""

    async def sweep(self) -> Sequence[Attempt]:
        """Gathers what is worth it; none when nothing is. Raises Stuck."""
