"""A chain, an approver, a signer and an engine in memory, which can be told to misbehave."""

import hashlib
import json
from collections.abc import Callable, Sequence

from runtime.errors import Unavailable
from runtime.postgres import Database
from wallets.contract import (
    Approval,
    Attempt,
    Batching,
    BlockRef,
    Broadcast,
    BroadcastOutcome,
    BumpSchedule,
    Confirmation,
    ConfirmationState,
    Death,
    Destination,
    Network,
    Payout,
    Plan,
    TransactionId,
    WithdrawalId,
)
from wallets.core import inbox, outbox
from wallets.core.inbox import Answered, JournalRow, Requested
from wallets.errors import Condition, InvalidAddress, Stuck

FEE_ATOMS = 7
# What each bump adds; the approval allows three of them.
RAISE_ATOMS = 2
FINAL_DEPTH = 2
S = ConfirmationState
SHARD = 1
SOURCE_ID = 1


class MemoryChain:
    """Transactions are JSON of inputs, payments and fee; an input can be spent once."""

    network = Network("memory", "test", 1, "genesis")
    bump_schedule = BumpSchedule(after_seconds=600, bumps_max=2)
    batching = Batching(1)

    def __init__(self, coins: int = 20) -> None:
        self.coins = [f"coin:{number}" for number in range(coins)]
        self.pool: dict[str, bytes] = {}
        self.blocks: list[dict[str, bytes]] = []
        self.offers: dict[str, int] = {}
        self.refuses_builds = False
        self.loses_replies = False
        # Payouts for which there are not enough coins.
        self.too_large: set[bytes] = set()
        # Above so many payouts in one transaction there are not enough coins.
        self.payouts_max = 1_000
        # Miners leave cheaper transactions in the pool.
        self.least_fee_atoms = 0
        # Answers of a chain that names the sibling that was mined, as Ethereum's does.
        self.tells_siblings = False

    def parse_address(self, text: str) -> Destination:
        if not text.startswith("to-"):
            raise InvalidAddress(text)
        return Destination(text, text.encode())

    async def highest_fee(self, payout: Payout) -> int:
        assert payout.amount_atoms > 0
        return FEE_ATOMS * 2

    async def build(
        self,
        intent_id: bytes,
        payouts: Sequence[Payout],
        *,
        fee_atoms_max: int,
        must_use: Sequence[str],
        owned: frozenset[str],
    ) -> Plan:
        free = [coin for coin in self.coins if coin not in owned and coin not in self.spent()]
        inputs = list(must_use) or free[:1]
        if self.too_large & {payout.withdrawal_id for payout in payouts}:
            raise Stuck(Condition.HOT_WALLET_UNFUNDED, "too large")
        if self.refuses_builds or not inputs or len(payouts) > self.payouts_max:
            raise Stuck(Condition.HOT_WALLET_UNFUNDED, "no coin")
        if self.spent() & set(inputs):
            raise Stuck(Condition.PINNED, "spent")
        fee = self.offers.get(inputs[0], FEE_ATOMS - RAISE_ATOMS) + RAISE_ATOMS
        if fee > fee_atoms_max:
            raise Stuck(Condition.AT_CEILING, f"{fee} needed")
        body = {
            "inputs": inputs,
            "pays": [[p.withdrawal_id.hex(), p.destination.text, p.amount_atoms] for p in payouts],
            "fee": fee,
        }
        return Plan(intent_id, json.dumps(body).encode(), tuple(inputs), fee)

    def identify(self, raw: bytes) -> TransactionId:
        return TransactionId(hashlib.sha256(raw).hexdigest())

    async def broadcast(self, attempt: Attempt) -> Broadcast:
        inputs, fee = set(inputs_of(attempt.raw)), fee_of(attempt.raw)
        rivals = {txid for txid, raw in self.pool.items() if inputs & set(inputs_of(raw))}
        is_dearest = all(fee > fee_of(self.pool[txid]) for txid in rivals)
        if is_dearest and not inputs & self.spent():
            self.pool = {txid: raw for txid, raw in self.pool.items() if txid not in rivals}
            self.pool[attempt.txid] = attempt.raw
            self.offers |= dict.fromkeys(inputs, fee)
        if self.loses_replies:
            return Broadcast(BroadcastOutcome.UNKNOWN, "LOST", "memory")
        return Broadcast(BroadcastOutcome.ACCEPTED, "", "memory")

    async def confirm(self, attempt: Attempt) -> Confirmation:
        if self.loses_replies:
            raise Unavailable("lost")
        found = self._in_block(attempt.txid)
        if found is not None:
            return found
        state = S.IN_POOL if attempt.txid in self.pool else S.NOT_SEEN
        inputs = set(inputs_of(attempt.raw))
        rivals = [
            self.identify(raw)
            for block in self.blocks
            for raw in block.values()
            if inputs & set(inputs_of(raw))
        ]
        for txid in rivals:
            rival = self._in_block(txid)
            assert rival is not None
            if self.tells_siblings and txid in self._payments():
                return rival
            if txid not in self._payments() or rival.state is S.FINAL:
                proof = b"its input is spent by another"
                return Confirmation(S.DEAD, txid, None, rival.confirmations, 0, proof)
        return Confirmation(state, attempt.txid, None, 0, 0, b"")

    def _in_block(self, txid: TransactionId) -> Confirmation | None:
        for height, block in enumerate(self.blocks):
            if txid in block:
                depth = len(self.blocks) - height
                state = S.FINAL if depth >= FINAL_DEPTH else S.MINED
                where, fee = BlockRef(height, str(height)), fee_of(block[txid])
                return Confirmation(state, txid, where, depth, fee, b"in a block")
        return None

    def _payments(self) -> set[str]:
        """Ids in blocks that pay somebody."""
        return {
            txid for block in self.blocks for txid, raw in block.items() if json.loads(raw)["pays"]
        }

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            cheap = {t: raw for t, raw in self.pool.items() if fee_of(raw) < self.least_fee_atoms}
            self.blocks.append({t: raw for t, raw in self.pool.items() if t not in cheap})
            self.pool = cheap

    def mine_only(self, raw: bytes) -> None:
        """A block with a transaction that some miner still had; what conflicts with it goes."""
        inputs = set(inputs_of(raw))
        self.pool = {t: one for t, one in self.pool.items() if not inputs & set(inputs_of(one))}
        self.blocks.append({self.identify(raw): raw})

    def reorganise(self, depth: int) -> None:
        """The last blocks and their transactions are gone, from the pool too."""
        del self.blocks[-depth:]

    def steal(self, coin: str) -> None:
        """Somebody else's transaction spends a coin of ours, in a block."""
        raw = json.dumps({"inputs": [coin], "pays": [], "fee": 0}).encode()
        self.pool = {txid: seen for txid, seen in self.pool.items() if coin not in inputs_of(seen)}
        self.blocks.append({self.identify(raw): raw})

    def spent(self) -> set[str]:
        return {coin for block in self.blocks for raw in block.values() for coin in inputs_of(raw)}

    def paid(self) -> dict[bytes, list[int]]:
        """Amounts of all payments in blocks, by withdrawal."""
        found: dict[bytes, list[int]] = {}
        for block in self.blocks:
            for raw in block.values():
                for withdrawal, _, amount in json.loads(raw)["pays"]:
                    found.setdefault(bytes.fromhex(withdrawal), []).append(amount)
        return found


def inputs_of(raw: bytes) -> list[str]:
    return [str(name) for name in json.loads(raw)["inputs"]]


def fee_of(raw: bytes) -> int:
    return int(json.loads(raw)["fee"])


class MemoryApprover:
    """Approves all; remembers what it was told is dead."""

    def __init__(self) -> None:
        self.dead: list[Death] = []
        self.asked_count = 0
        self.retries: set[bytes] = set()

    async def approve(
        self, withdrawal_id: WithdrawalId, fee_atoms_max: int, dead: Sequence[Death]
    ) -> Approval:
        self.dead = list(dead)
        self.asked_count += 1
        if dead:
            self.retries.add(withdrawal_id)
        return Approval(withdrawal_id + bytes([fee_atoms_max, len(dead)]), b"signature")


class MemorySigner:
    """Keeps the signer's rule: an id has one transaction, and it signs none without approval."""

    def __init__(self) -> None:
        self.log: dict[bytes, bytes] = {}
        self.closed: set[bytes] = set()
        # Whether approvals still hold.
        self.believes: Callable[[], bool] = lambda: True

    async def sign(self, plan: Plan, approvals: Sequence[Approval]) -> bytes:
        paid = {bytes.fromhex(one[0]) for one in json.loads(plan.intent)["pays"]}
        assert not paid & self.closed, "a closed withdrawal is never signed"
        assert {approval.approval[:16] for approval in approvals} == paid
        if not self.believes():
            raise Stuck(Condition.APPROVAL_MISSING, "APPROVAL_EXPIRED")
        return self.log.setdefault(plan.intent_id, plan.intent)

    async def close(self, withdrawal_id: WithdrawalId) -> Sequence[bytes]:
        signed = [raw for raw in self.log.values() if withdrawal_id.hex().encode() in raw]
        if not signed:
            self.closed.add(withdrawal_id)
        return signed


class MemoryEngine:
    """Applies numbered commands once, keeps the money of withdrawals, tells the inbox."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.seq = 0
        self.last_source_seq = 0
        self.states: dict[bytes, str] = {}
        self.refuses_start = False

    async def request(self, event: Requested) -> JournalRow:
        self.states[event.withdrawal_id] = "held"
        return await self.tell(event)

    async def tell(self, *events: Requested | Answered) -> JournalRow:
        self.seq += 1
        row = JournalRow(SHARD, self.seq, self.seq, events)
        await inbox.take(self.database, row)
        return row

    async def apply(self) -> None:
        """All commands that wait, as the sender would deliver them."""
        async with self.database.connection() as connection:
            waiting = await outbox.read_unanswered(connection, SOURCE_ID)
            kinds = {
                row["source_seq"]: (row["kind"], row["subject_id"])
                for row in await connection.fetch("select * from custody.outbox")
            }
        for command in waiting:
            assert command.source_seq == self.last_source_seq + 1
            assert outbox.numbers_of(command.correlation) == (SOURCE_ID, command.source_seq)
            self.last_source_seq = command.source_seq
            reason = self._apply(*kinds[command.source_seq])
            await self.tell(Answered(SOURCE_ID, command.source_seq, reason))

    def _apply(self, kind: str, subject: bytes) -> int:
        if kind == "start" and self.refuses_start:
            return 9
        before, after = {
            "start": (("held",), "in flight"),
            "settle": (("in flight",), "settled"),
            "reopen": (("settled",), "in flight"),
            "release": (("held", "in flight"), "released"),
        }[kind]
        assert self.states[subject] in before, (kind, self.states[subject])
        self.states[subject] = after
        return 0
