"""Bitcoin as custody sees it: reading blocks, planning payouts, broadcasting, confirming.

Made by the worker; implements the contract's `Builds` and the reading half of `Adapter`. It signs
nothing and stores nothing but coins, which the scanner's transaction books (`coins.apply_block`).
An attempt is dead only when a final block spends one of its inputs in another transaction, or one
of those of a transaction of ours that it spends from, and the proof is that transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from runtime.errors import Unavailable
from runtime.postgres import Database
from wallets.bitcoin import addresses, coins, descent, fees, memory_pool, planning, raising
from wallets.bitcoin.derivation import wallet_at
from wallets.bitcoin.networks import BitcoinNetwork
from wallets.bitcoin.node import NOT_FOUND, Node
from wallets.bitcoin.node_set import NodeSet
from wallets.bitcoin.replacement import atoms_of, pool_entry, replaced_by
from wallets.bitcoin.wire import Malformed, Transaction, parse_transaction
from wallets.contract import (
    Attempt,
    Batching,
    Block,
    BlockRef,
    Broadcast,
    BroadcastOutcome,
    BumpSchedule,
    Confirmation,
    ConfirmationState,
    Destination,
    Network,
    Payout,
    Plan,
    TransactionId,
)
from wallets.deposits.pool import PoolView
from wallets.errors import Broken, Condition, Stuck
from wallets.json_rpc import NodeRefused

if TYPE_CHECKING:
    from wallets.bitcoin.treasury import BitcoinTreasury

# The largest coins that a plan looks at.
COINS_MAX: Final = 10_000
# Inputs that the highest fee of one payout allows for.
FEE_INPUTS: Final = 20
# Rates that a replacement tries until it pays for all that it evicts.
RATES_MAX: Final = 5


# Three blocks without it.
BUMPS: Final = BumpSchedule(1_800, 8)
# What is ready when a payout is planned; nobody waits.
BATCHING: Final = Batching(100)


@dataclass(frozen=True, slots=True)
class BitcoinSettings:
    """`change` is where change goes; depths count the block itself."""

    fees: fees.FeePolicy
    change: planning.Place
    deposit_depth: int
    final_depth: int
    bumps: BumpSchedule = BUMPS
    batching: Batching = BATCHING


class Bitcoin:
    """One network; `random` chooses among coins and decides nothing that must be secret."""

    def __init__(
        self,
        network: Network,
        chain: BitcoinNetwork,
        nodes: NodeSet,
        database: Database,
        settings: BitcoinSettings,
        random: Random,
    ) -> None:
        if network.genesis_hash != chain.genesis_hash:
            raise ValueError(f"{network.network} does not begin as {chain.chain} does")
        self.network = network
        self._chain = chain
        self._nodes = nodes
        self._database = database
        self._settings = settings
        self._random = random

    @property
    def bump_schedule(self) -> BumpSchedule:
        """When the pipeline raises a fee."""
        return self._settings.bumps

    @property
    def batching(self) -> Batching:
        """How many payouts one transaction pays."""
        return self._settings.batching

    def treasury(self, random: Random) -> "BitcoinTreasury":
        """The venue's own transfers over the same nodes and coins."""
        from wallets.bitcoin.treasury import BitcoinTreasury

        return BitcoinTreasury(
            self.network, self._chain, self._nodes, self._database, self._settings, random
        )

    def create_wallet(self, extended_public_key: str, index: int) -> Destination:
        """The deposit address of a place of a branch. Raises Rejected."""
        return wallet_at(extended_public_key, index, self._chain)

    def parse_address(self, text: str) -> Destination:
        """Checks a destination. Raises RefusedAddress."""
        return addresses.parse_address(text, self._chain)

    async def check(self) -> None:
        """Whether enough nodes are on our chain. Raises Unavailable, Stuck(CHAIN_MISMATCH)."""
        await self._nodes.check()

    async def tip(self) -> BlockRef:
        """The best block that enough nodes agree on. Raises Unavailable, Stuck."""
        return await self._nodes.tip()

    async def read_block(self, height: int) -> Block:
        """The proven block of a height. Raises Unavailable, Stuck."""
        return await self._nodes.read_block(height)

    async def read_pool(self, known: frozenset[str]) -> PoolView:
        """The memory pool of the first node that answers. Raises Unavailable, Stuck."""
        return await self._nodes.first_answer(lambda node: memory_pool.read_pool(node, known))

    async def final_height(self) -> int:
        """Bitcoin itself calls no block final."""
        return -1

    async def highest_fee(self, payout: Payout) -> int:
        """The most that paying it may cost, in satoshi."""
        return planning.highest_fee(payout, self._settings.fees.ceiling_rate, FEE_INPUTS)

    async def build(
        self,
        intent_id: bytes,
        payouts: Sequence[Payout],
        *,
        fee_atoms_max: int,
        must_use: Sequence[str],
        owned: frozenset[str],
    ) -> Plan:
        """Plans a transaction that pays all of these; see the contract.

        When pools hold transactions that spend `must_use`, it is a replacement and pays for that.

        Raises Stuck, Rejected, Unavailable. An anchor that a block has spent is Stuck(PINNED): the
        attempt that spent it decides, not a new one.
        """
        policy = self._settings.fees
        network_id = self.network.network_id
        anchors = await coins.named(self._database, network_id, list(must_use))
        if len(anchors) != len(set(must_use)):
            raise Stuck(Condition.PINNED, "an input that must be used is spent or not ours")
        tip = await self._nodes.tip()
        free = await coins.spendable(
            self._database,
            network_id,
            tip_height=tip.height,
            deposit_depth=self._settings.deposit_depth,
            owned=[*owned, *must_use],
            coins_max=COINS_MAX,
        )
        replaced = await self._nodes.first_answer(lambda node: replaced_by(node, must_use))
        rate = max(await self._nodes.fee_rate(policy), replaced.least_rate)
        for _ in range(RATES_MAX):
            if rate > policy.ceiling_rate:
                break
            spending = planning.Spending(
                rate, policy.long_term_rate, fee_atoms_max, self._settings.change
            )
            found = planning.plan(
                intent_id, network_id, payouts, free, anchors, spending, self._random
            )
            least = replaced.least_fee(found.fee_atoms_max, rate)
            if found.fee_atoms_max >= least:
                return found
            rate = rate * least // found.fee_atoms_max + 1
        raise Stuck(Condition.AT_CEILING, f"{rate} satoshi per 1,000 virtual bytes are needed")

    async def build_again(
        self, intent_id: bytes, plan: Plan, raw: bytes
    ) -> tuple[Plan, int] | None:
        """A dearer child, sweep or merge in place of one that nobody mines; see `ReplacesMoves`.

        None as well when the first node that answers does not have it. Raises Stuck, Unavailable.
        """
        txid, policy = self.identify(raw), self._settings.fees
        entry = await self._nodes.first_answer(lambda node: pool_entry(node, txid))
        if entry is None:
            return None
        waiting = raising.Waiting(
            int(entry["weight"]),
            int(entry["ancestorsize"]) * planning.WEIGHT_PER_BYTE,
            atoms_of(entry["fees"]["ancestor"]),
        )
        rate = await self._nodes.fee_rate(policy)
        return raising.raise_fee(intent_id, plan, waiting, rate, policy.ceiling_rate)

    def identify(self, raw: bytes) -> TransactionId:
        """The id of signed bytes. Raises Broken when they are none."""
        try:
            return parse_transaction(raw).txid()
        except Malformed as error:
            raise Broken(f"the signer gave bytes that are no transaction: {error}") from error

    async def broadcast(self, attempt: Attempt) -> Broadcast:
        """Hands the stored bytes to every healthy node; the best outcome counts."""
        answers = [await node.broadcast(attempt.raw) for node in self._nodes.healthy()]
        order = list(BroadcastOutcome)
        # Accepted, known; then unknown before refused: a refusal of some says nothing of others.
        order.sort(key=lambda outcome: outcome is BroadcastOutcome.REFUSED)
        return min(answers, key=lambda answer: order.index(answer.outcome))

    async def confirm(self, attempt: Attempt) -> Confirmation:
        """Where an attempt stands. Raises Unavailable."""
        last: Unavailable | None = None
        for node in self._nodes.healthy():
            try:
                return await self._confirm_by(node, attempt)
            except Unavailable as error:
                last = error
        raise last if last is not None else Unavailable("no healthy node")

    async def _confirm_by(self, node: Node, attempt: Attempt) -> Confirmation:
        """What one node and the blocks that enough nodes agree on say."""
        try:
            found = await node.call("getrawtransaction", attempt.txid, True)
        except NodeRefused as error:
            if error.code != NOT_FOUND:
                raise Unavailable(f"{node.name}: {error}") from error
            return await self._unseen(attempt)
        block_hash = found.get("blockhash")
        if block_hash is None or found.get("confirmations", 0) < 1:
            return standing(attempt, ConfirmationState.IN_POOL)
        try:
            header = await node.call("getblockheader", block_hash)
        except NodeRefused as error:
            raise Unavailable(f"{node.name}: {error}") from error
        return await self._mined(attempt, BlockRef(int(header["height"]), str(block_hash)))

    async def _mined(self, attempt: Attempt, claimed: BlockRef) -> Confirmation:
        """A node's word that a block holds it, checked against the agreed, proven block."""
        tip = await self._nodes.tip()
        block = await self._nodes.read_block(claimed.height)
        held = [move for move in block.movements if move.txid == attempt.txid]
        if block.ref != claimed or not held or tip.height < claimed.height:
            raise Unavailable(f"nodes do not agree yet that {claimed.block_hash} holds it")
        depth = tip.height - claimed.height + 1
        is_final = depth >= self._settings.final_depth and not await self._looks_free(attempt)
        state = ConfirmationState.FINAL if is_final else ConfirmationState.MINED
        return Confirmation(
            state, attempt.txid, claimed, depth, attempt.fee_atoms_max, held[0].proof
        )

    async def _looks_free(self, attempt: Attempt) -> bool:
        """Whether our own scan has not seen it mined: until then others would plan its inputs."""
        names = [one.outpoint for one in parse_transaction(attempt.raw).inputs]
        return bool(await coins.named(self._database, self.network.network_id, names))

    async def _unseen(self, attempt: Attempt) -> Confirmation:
        """Nobody shows it: dead when a final block spends an input of it, or of one that it spends
        from, else only not seen.
        """
        tip = await self._nodes.tip()
        line = await descent.read_line(self._database, self.network.network_id, attempt.raw)
        for one in line:
            found = await self._killed(one, tip)
            if found is not None:
                return found
        return standing(attempt, ConfirmationState.NOT_SEEN)

    async def _killed(self, transaction: Transaction, tip: BlockRef) -> Confirmation | None:
        """What spends an input of it in a final block, in its place."""
        spent = await coins.first_spent(
            self._database,
            self.network.network_id,
            [one.outpoint for one in transaction.inputs],
            tip.height - self._settings.final_depth + 1,
        )
        if spent is None:
            return None
        block = await self._nodes.read_block(spent.height)
        own = transaction.txid()
        proofs = {move.txid: move.proof for move in block.movements}
        for txid, proof in proofs.items():
            spends = [one.outpoint for one in parse_transaction(proof).inputs]
            if txid != own and spent.outpoint in spends:
                depth = tip.height - spent.height + 1
                return Confirmation(ConfirmationState.DEAD, txid, block.ref, depth, 0, proof)
        # It was mined itself, or another block stands there now; the scan will say so.
        return None


def standing(attempt: Attempt, state: ConfirmationState) -> Confirmation:
    """Of an attempt that is in no block."""
    return Confirmation(state, attempt.txid, None, 0, 0, b"")
