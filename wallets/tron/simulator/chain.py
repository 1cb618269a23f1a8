"""The simulated chain: blocks, solid height, pool, cache of ids, forks and faults.

Driven by the server and by tests. Pure: time goes on by blocks of three seconds of the chain's own
clock, whatever the host's clock says.
"""

import hashlib
from dataclasses import dataclass, field

from tronpy.proto import tron_pb2

from wallets.tron.simulator.execution import apply, execute
from wallets.tron.simulator.funding import Funding, fund
from wallets.tron.simulator.messages import owner_of
from wallets.tron.simulator.parameters import (
    EXPIRATION_MILLISECONDS_MAX,
    MISSED_MILLISECONDS_MAX,
    PENDING_MAX,
    REFERENCE_BLOCKS,
    SLOT_MILLISECONDS,
    Parameters,
)
from wallets.tron.simulator.refusals import Invalid, Refused
from wallets.tron.simulator.signatures import check_signatures
from wallets.tron.simulator.state import Receipt, State


@dataclass(frozen=True, slots=True)
class Executed:
    """A transaction and what it did."""

    txid: str
    whole: tron_pb2.Transaction
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class SimulatedBlock:
    """A block and the state after it."""

    height: int
    block_hash: str
    parent_hash: str
    time_ms: int
    transactions: tuple[Executed, ...]
    state: State


@dataclass(slots=True)
class Faults:
    """What a real node cannot be made to show, as counts of broadcasts still to be hit."""

    accept_then_drop: int = 0
    accept_then_time_out: int = 0
    server_busy: int = 0
    # Answers that name another transaction than the one taken.
    lie_about_id: int = 0
    # An id that was refused stays in the cache: older nodes answer DUP to it.
    cache_refused: bool = False


@dataclass(slots=True)
class Chain:
    """One node's view. `blocks[i]` has height i."""

    parameters: Parameters
    genesis_ms: int
    # Accounts and tokens of the first block.
    genesis: State
    blocks: list[SimulatedBlock] = field(default_factory=list)
    pending: dict[str, Executed] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    # Where each transaction of the chain is.
    heights: dict[str, int] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    forks: int = 0
    # Transactions that were built here, so that no two have one timestamp.
    built: int = 0
    # Slots without a block before the next one.
    missed_slots: int = 0

    def __post_init__(self) -> None:
        self.append((), self.genesis)
        self.pool_state = self.head.state.copy()

    pool_state: State = field(init=False)

    @property
    def head(self) -> SimulatedBlock:
        """The newest block."""
        return self.blocks[-1]

    @property
    def solid_height(self) -> int:
        """Up to where blocks cannot be replaced."""
        return max(0, self.head.height - self.parameters.solid_lag_blocks)

    def append(self, transactions: tuple[Executed, ...], state: State) -> None:
        """Puts a block on top."""
        height = len(self.blocks)
        parent = self.blocks[-1].block_hash if self.blocks else "00" * 32
        time_ms = self.genesis_ms
        if self.blocks:
            time_ms = self.head.time_ms + (1 + self.missed_slots) * SLOT_MILLISECONDS
        self.missed_slots = 0
        seed = f"{parent}{time_ms}{self.forks}{[done.txid for done in transactions]}"
        digest = hashlib.sha256(seed.encode()).digest()
        block_hash = (height.to_bytes(8) + digest[8:]).hex()
        self.blocks.append(SimulatedBlock(height, block_hash, parent, time_ms, transactions, state))
        self.heights |= {done.txid: height for done in transactions}

    def miss_slots(self, milliseconds: int) -> SimulatedBlock:
        """Time goes on without blocks, and then one block is made. Raises ValueError."""
        if not 0 <= milliseconds <= MISSED_MILLISECONDS_MAX:
            raise ValueError(f"{milliseconds} ms are not within a year")
        self.missed_slots = max(0, -(-milliseconds // SLOT_MILLISECONDS) - 1)
        return self.make_block()

    def fund(self, funding: Funding) -> None:
        """Gives coins out of nothing, as genesis does: at the head and in the pool."""
        fund(self.head.state, funding, self.head.time_ms)
        self.refill_pool()

    def broadcast(self, whole: tron_pb2.Transaction) -> str:
        """Takes a transaction into the pool and answers its id. Raises Refused."""
        txid = id_of(whole)
        if self.faults.server_busy:
            self.faults.server_busy -= 1
            raise Refused("SERVER_BUSY", "Server busy.")
        try:
            executed, state = self.check(txid, whole)
        except Refused as refusal:
            if self.faults.cache_refused and refusal.code != "DUP_TRANSACTION_ERROR":
                self.refused.add(txid)
            raise
        if self.faults.accept_then_drop:
            self.faults.accept_then_drop -= 1
            return txid
        self.pool_state = state
        self.pending[txid] = executed
        return txid

    def check(self, txid: str, whole: tron_pb2.Transaction) -> tuple[Executed, State]:
        """All that a node checks, in its order, and the pool after it. Raises Refused."""
        if len(whole.raw_data.contract) != 1:
            raise Refused("CONTRACT_VALIDATE_ERROR", "Contract validate error : No contract!")
        if len(self.pending) >= PENDING_MAX:
            raise Refused("SERVER_BUSY", "Server busy.")
        check_signatures(self.pool_state, whole, owner_of(whole))
        self.check_reference(whole)
        left_ms = whole.raw_data.expiration - self.head.time_ms
        if not 0 < left_ms <= EXPIRATION_MILLISECONDS_MAX:
            raise Refused("TRANSACTION_EXPIRATION_ERROR", "Transaction expired")
        if txid in self.pending or txid in self.heights or txid in self.refused:
            raise Refused("DUP_TRANSACTION_ERROR", "Dup transaction.")
        try:
            state = self.pool_state.copy()
            receipt = apply(state, whole, self.head.time_ms)
        except Invalid as invalid:
            raise Refused(invalid.code, f"Contract validate error : {invalid.text}") from invalid
        return Executed(txid, whole, receipt), state

    def check_reference(self, whole: tron_pb2.Transaction) -> None:
        """The block named must be on this chain. Raises Refused."""
        low = int.from_bytes(whole.raw_data.ref_block_bytes)
        height = self.head.height - (self.head.height - low) % REFERENCE_BLOCKS
        known = height >= 0 and bytes.fromhex(self.blocks[height].block_hash)[8:16]
        if known != whole.raw_data.ref_block_hash:
            raise Refused("TAPOS_ERROR", "Tapos check error.")

    def make_block(self) -> SimulatedBlock:
        """The next block: what is pending and can still be executed, in the order it came."""
        state, time_ms = self.head.state.copy(), self.head.time_ms
        taken: list[Executed] = []
        for txid, waiting in list(self.pending.items()):
            if len(taken) == self.parameters.transactions_per_block:
                break
            del self.pending[txid]
            try:
                self.check_reference(waiting.whole)
                if waiting.whole.raw_data.expiration <= time_ms:
                    continue
                receipt = execute(state, waiting.whole, time_ms)
            except Refused:
                continue
            taken.append(Executed(txid, waiting.whole, receipt))
        self.append(tuple(taken), state)
        self.refill_pool()
        return self.head

    def refill_pool(self) -> None:
        """Plays what still waits on the new head; what no longer fits is forgotten."""
        self.pool_state = self.head.state.copy()
        for txid, waiting in list(self.pending.items()):
            try:
                execute(self.pool_state, waiting.whole, self.head.time_ms)
            except Refused:
                del self.pending[txid]

    def switch_fork(self, depth: int, keep: bool) -> None:
        """Another branch wins: the last blocks vanish; their transactions wait again, or do not."""
        if not 0 < depth <= self.head.height - self.solid_height:
            raise ValueError("solid blocks do not leave the chain")
        lost, self.blocks = self.blocks[-depth:], self.blocks[:-depth]
        self.forks += 1
        for block in lost:
            for done in block.transactions:
                del self.heights[done.txid]
                if keep:
                    self.pending[done.txid] = done
        for _ in range(depth):
            self.append((), self.head.state.copy())
        self.refill_pool()


def id_of(whole: tron_pb2.Transaction) -> str:
    """sha256 of the raw data, hexadecimal."""
    return hashlib.sha256(whole.raw_data.SerializeToString()).hexdigest()
