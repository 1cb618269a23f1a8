"""Ethereum as custody sees it: reading blocks, planning payouts, broadcasting.

Made by the worker; implements the contract's `Builds` and the reading half of `Adapter`. It signs
nothing and stores nothing. What a transaction came to is `standing`'s to say.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from runtime.errors import Unavailable
from runtime.postgres import Database
from wallets.contract import (
    Attempt,
    Block,
    BlockRef,
    Broadcast,
    BroadcastOutcome,
    BumpSchedule,
    Confirmation,
    Destination,
    Held,
    Network,
    Payout,
    Plan,
    Token,
    TransactionId,
)
from wallets.core.sharing import Sharing
from wallets.errors import Broken, Condition, Quarantined, RefusedAddress, Stuck
from wallets.ethereum import addresses, lanes, planning, replacing, suspending
from wallets.ethereum.addresses import AddressFault, text_of
from wallets.ethereum.at_block import AtBlock
from wallets.ethereum.cancels import Cancels
from wallets.ethereum.fees import FeePolicy, Fees, fees_for
from wallets.ethereum.lane_leases import LaneLeases
from wallets.ethereum.lanes import Lane
from wallets.ethereum.node_set import NodeSet
from wallets.ethereum.nonces import next_nonce
from wallets.ethereum.reading_ahead import ReadingAhead
from wallets.ethereum.standing import Standing
from wallets.ethereum.sweeping import Holding, Sweep, TopUp
from wallets.ethereum.tokens import is_refusal, read_balance
from wallets.ethereum.transactions import (
    Malformed,
    parse_anchor,
    parse_signed,
    payment_of,
    transfer_call,
)
from wallets.ethereum.wire import data, quantity
from wallets.json_rpc import NodeRefused
from wallets.treasury.following import SignsInternal

# Gas of a transaction that only carries ether to an account without code.
PLAIN_GAS: Final = 21_000


# Ten blocks without it.
BUMPS: Final = BumpSchedule(120, 12)


@dataclass(frozen=True, slots=True)
class EthereumSettings:
    """`final_tag` is "finalized", "safe" or "" = `final_depth` blocks, the block itself counted."""

    chain_id: int
    fees: FeePolicy
    # Tokens by contract; others are neither seen nor paid.
    contracts: frozenset[bytes]
    final_tag: str
    final_depth: int
    # Most gas of a payment of ether, to a contract perhaps, and of a token.
    native_gas_max: int = 100_000
    token_gas_max: int = 200_000
    # Percent on top of an estimate: the state may change before the block.
    gas_margin_percent: int = 20
    # Ether that contracts pass on counts too; nodes must have `trace_block`.
    credits_internal: bool = False
    # Off only where headers are not those of Ethereum: then nodes that agree are all there is.
    checks_roots: bool = True
    bumps: BumpSchedule = BUMPS


class Ethereum:
    """One network."""

    def __init__(
        self,
        network: Network,
        nodes: NodeSet,
        database: Database,
        settings: EthereumSettings,
        leases: LaneLeases | None = None,
    ) -> None:
        """Without `leases` it plans on every lane, as the only one that does."""
        if (nodes.genesis_hash, nodes.chain_id) != (network.genesis_hash, settings.chain_id):
            raise ValueError(f"nodes of another chain than {network.network}")
        self.network = network
        self._nodes = nodes
        self._database = database
        self._settings = settings
        self._leases = leases
        # Of the last look: no block above it is there yet.
        self._tip_height = 0
        read_block = partial(
            nodes.read_block,
            contracts=settings.contracts,
            with_traces=settings.credits_internal,
        )
        self._ahead = ReadingAhead(read_block, nodes.agreed_ref)
        self._at_block = AtBlock(nodes)
        self._owning = Sharing(partial(lanes.are_own, database, network.network_id))
        self._standing = Standing(
            network.network_id,
            nodes,
            database,
            final_tag=settings.final_tag,
            final_depth=settings.final_depth,
        )

    @property
    def bump_schedule(self) -> BumpSchedule:
        """When the pipeline raises a fee."""
        return self._settings.bumps

    @property
    def can_build(self) -> bool:
        """Whether a lane is leased to this worker."""
        return self._leases is None or self._leases.has_any

    def create_wallet(self, extended_public_key: str, index: int) -> Destination:
        """The deposit address of a place of a branch. Raises Rejected."""
        key = addresses.account_at(addresses.parse_branch(extended_public_key), index)
        return Destination(text_of(key), key)

    def parse_address(self, text: str) -> Destination:
        """Checks a destination. Raises RefusedAddress."""
        return addresses.parse_address(text, self._settings.contracts)

    async def check(self) -> None:
        """Whether enough nodes are on our chain. Raises Unavailable, Stuck(CHAIN_MISMATCH)."""
        await self._nodes.check()

    async def tip(self) -> BlockRef:
        """The best block that enough nodes agree on. Raises Unavailable, Stuck."""
        tip = await self._nodes.tip()
        self._tip_height = tip.height
        return tip

    async def read_block(self, height: int) -> Block:
        """The block of a height, told alike by enough nodes. Raises Unavailable, Stuck.

        One scan may call it, and when it goes up, those that follow are read meanwhile.
        """
        return await self._ahead.read(height, self._tip_height)

    async def close(self) -> None:
        """Reads no further ahead."""
        await self._ahead.close()

    async def final_height(self) -> int:
        """What enough nodes call final; -1 where only depth counts."""
        tag = self._settings.final_tag
        return await self._nodes.final_height(tag) if tag else -1

    async def highest_fee(self, payout: Payout) -> int:
        """The most that paying it may cost, in wei.

        Raises RefusedAddress for an address of our own.
        """
        if await self._owning.do(payout.destination.key):
            raise RefusedAddress(AddressFault.OWN_ADDRESS, "an address of the venue itself")
        return self._gas_max(payout) * self._settings.fees.ceiling_per_gas_atoms

    async def build(
        self,
        intent_id: bytes,
        payouts: Sequence[Payout],
        *,
        fee_atoms_max: int,
        must_use: Sequence[str],
        owned: frozenset[str],
    ) -> Plan:
        """Plans a transaction that pays it; see the contract. One payout, one transaction.

        With `must_use` it takes the place of what was signed for that nonce before.

        Raises Stuck, Unavailable.
        """
        if len(payouts) != 1 or len(must_use) > 1:
            raise ValueError("one payout and one nonce")
        payout = payouts[0]
        if payout.token.contract and payout.token.contract not in self._settings.contracts:
            raise Stuck(Condition.ASSET_SUSPENDED, "its contract is none that we know")
        tip = await self._nodes.tip()
        # What takes the place of an earlier attempt takes no nonce that is not its payout's.
        held: Held | None = None
        if must_use:
            lane, nonce, mined_count = await self._named(must_use[0], tip)
            if nonce < mined_count:
                raise Stuck(Condition.PINNED, "the nonce is used: what used it decides")
            if await lanes.is_cancelling(self._database, self.network.network_id, must_use[0]):
                raise Stuck(Condition.PINNED, "its nonce is being cancelled")
        else:
            await self._check_paid(payout.token)
            lane, nonce = await self._choose(payout, fee_atoms_max, owned, tip)
            held = self._held(lane)
        gas_limit = await self._gas_limit(lane, payout)
        fees = await self._fees(tip, must_use, fee_atoms_max // gas_limit)
        plan = planning.plan_payout(
            intent_id, self.network.network_id, payout, lane, nonce, gas_limit, fees
        )
        return replace(plan, held=held)

    def cancels(self, signer: SignsInternal) -> Cancels:
        """The job that cancels nonces which people asked for."""
        fee_atoms_max = PLAIN_GAS * self._settings.fees.for_cancel().ceiling_per_gas_atoms
        return Cancels(self._database, self, signer, fee_atoms_max)

    async def build_empty(self, intent_id: bytes, anchor: str, fee_atoms_max: int) -> Plan:
        """Plans nothing at a nonce: a cancel of what has it, or what fills a gap.

        Raises Stuck, Unavailable.
        """
        tip = await self._nodes.tip()
        lane, nonce, mined_count = await self._named(anchor, tip)
        if nonce < mined_count:
            raise Stuck(Condition.PINNED, "the nonce is used: what used it decides")
        fees = await self._fees(tip, [anchor], fee_atoms_max // PLAIN_GAS, is_cancel=True)
        return planning.plan_internal(
            intent_id, self.network.network_id, lane, nonce, PLAIN_GAS, fees, planning.Move(lane)
        )

    async def build_again(self, intent_id: bytes, plan: Plan, raw: bytes) -> tuple[Plan, int]:
        """A dearer sweep, top-up or cancel in place of one that nobody mines; see `ReplacesMoves`.

        Raises Stuck, Unavailable.
        """
        signed = parse_signed(raw)
        tip = await self._nodes.tip()
        lane = Lane(signed.lane, "", 0, is_draining=False)
        if await self._number("eth_getTransactionCount", lane, tip) > signed.nonce:
            raise Stuck(Condition.PINNED, "the nonce is used: what used it decides")
        balance_atoms = await self._number("eth_getBalance", lane, tip)
        fees = await self._fees(
            tip,
            [signed.anchor],
            replacing.payable_per_gas(signed, balance_atoms),
            is_cancel=payment_of(signed) is None,
        )
        return replacing.dearer(intent_id, plan, signed, fees, balance_atoms)

    async def build_move(
        self,
        intent_id: bytes,
        step: Sweep | TopUp,
        hot: Lane,
        *,
        fee_atoms_max: int,
        owned: frozenset[str],
    ) -> Plan:
        """Plans a sweep to a hot lane, or a top-up from it. Raises Stuck, Unavailable."""
        is_sweep = isinstance(step, Sweep)
        there = step.holding.lane
        source, to = (there, hot) if is_sweep else (hot, there)
        gas_limit = step.gas_limit if isinstance(step, Sweep) else PLAIN_GAS
        contract = step.holding.contract if is_sweep else b""
        move = planning.Move(to, contract, step.amount_atoms)
        return await self.build_internal(
            intent_id, source, move, gas_limit, fee_atoms_max=fee_atoms_max, owned=owned
        )

    async def build_internal(
        self,
        intent_id: bytes,
        source: Lane,
        move: planning.Move,
        gas_limit: int,
        *,
        fee_atoms_max: int,
        owned: frozenset[str],
    ) -> Plan:
        """Plans a move between places of ours, at the next nonce. Raises Stuck, Unavailable.

        Of a lane that another worker plans on too, whose plan is stored first has the nonce.
        """
        tip = await self._nodes.tip()
        mined_count = await self._number("eth_getTransactionCount", source, tip)
        nonce = next_nonce(mined_count, lanes.owned_nonces(owned, source))
        if nonce is None:
            raise Stuck(Condition.PINNED, f"{source.text} waits for nonces to be mined")
        fees = await self._fees(tip, (), fee_atoms_max // gas_limit)
        return planning.plan_internal(
            intent_id, self.network.network_id, source, nonce, gas_limit, fees, move
        )

    async def stocks(self, contract: bytes, owned: frozenset[str]) -> list[planning.Stock]:
        """What each lane holds less what open attempts take of it. Raises Stuck, Unavailable."""
        tip = await self._nodes.tip()
        under_way = await lanes.read_under_way(self._database, self.network.network_id)
        found = []
        for lane in await lanes.read_lanes(self._database, self.network.network_id):
            stock = await self._stock(lane, contract, owned, tip)
            native, token = stock.free(under_way, contract)
            free = token if contract else native
            found.append(replace(stock, native_atoms=native, token_atoms=free))
        return found

    async def holding(self, lane: Lane, contract: bytes) -> Holding:
        """What lies on a deposit address. Raises Unavailable, Stuck."""
        tip = await self._nodes.tip()
        native = await self._number("eth_getBalance", lane, tip)
        amount = native
        if contract:
            amount = await read_balance(self._nodes, contract, lane.account, tip)
        return Holding(lane, contract, amount, native, tip.height)

    async def would_move(self, holding: Holding, to: Lane) -> bool:
        """Whether a token says that it would move there now. Raises Unavailable, Stuck."""
        call = {
            "from": holding.lane.text,
            "to": text_of(holding.contract),
            "data": "0x" + transfer_call(to.account, holding.amount_atoms).hex(),
        }
        try:
            return not is_refusal(data(await self._nodes.any_answer("eth_call", call, "latest")))
        except NodeRefused:
            return False
        except Quarantined as error:
            raise Stuck(Condition.NODES_DISAGREE, str(error)) from error

    async def sweep_fee(self, payable_per_gas_atoms: int) -> int:
        """What gas costs a sweep now. Raises Stuck(AT_CEILING) when that is dearer, Unavailable."""
        fees = await self._fees(await self._nodes.tip(), (), payable_per_gas_atoms)
        return fees.max_fee_per_gas_atoms

    def identify(self, raw: bytes) -> TransactionId:
        """The id of signed bytes. Raises Broken when they are none."""
        try:
            return parse_signed(raw).txid
        except Malformed as error:
            raise Broken(f"the signer gave bytes that are no transaction: {error}") from error

    async def broadcast(self, attempt: Attempt) -> Broadcast:
        """Hands the stored bytes once to every healthy node; the best outcome counts."""
        sent = (node.broadcast(attempt.raw) for node in self._nodes.healthy())
        answers = await asyncio.gather(*sent)
        order = list(BroadcastOutcome)
        # Accepted, known; then unknown before refused: a refusal of some says nothing of others.
        order.sort(key=lambda outcome: outcome is BroadcastOutcome.REFUSED)
        return min(answers, key=lambda answer: order.index(answer.outcome))

    async def confirm(self, attempt: Attempt) -> Confirmation:
        """Where an attempt stands. Raises Unavailable, Stuck."""
        return await self._standing.of(attempt)

    async def _check_paid(self, token: Token) -> None:
        """Raises Stuck(ASSET_SUSPENDED) while payouts of an asset are paused."""
        network_id = self.network.network_id
        reason = await suspending.read_reason(self._database, network_id, token.contract)
        if reason:
            raise Stuck(Condition.ASSET_SUSPENDED, reason)

    def _gas_max(self, payout: Payout) -> int:
        is_token = bool(payout.token.contract)
        return self._settings.token_gas_max if is_token else self._settings.native_gas_max

    async def _named(self, anchor: str, tip: BlockRef) -> tuple[Lane, int, int]:
        """Lane and nonce of an anchor, and how many of the lane's nonces are used. Raises Stuck."""
        account, nonce = parse_anchor(anchor)
        for lane in await lanes.read_lanes(self._database, self.network.network_id):
            if lane.account == account:
                return lane, nonce, await self._number("eth_getTransactionCount", lane, tip)
        raise Stuck(Condition.PINNED, "a nonce of no lane of ours")

    async def _choose(
        self, payout: Payout, fee_atoms_max: int, owned: frozenset[str], tip: BlockRef
    ) -> tuple[Lane, int]:
        """The lane that pays and its next nonce. Raises Stuck, Unavailable."""
        network_id = self.network.network_id
        found = await lanes.read_lanes(self._database, network_id)
        under_way = await lanes.read_under_way(self._database, network_id)
        mine: list[planning.Stock] = []
        others: list[planning.Stock] = []
        for lane in found:
            if not lane.is_draining:
                stock = await self._stock(lane, payout.token.contract, owned, tip)
                (mine if self._holds(lane) else others).append(stock)
        try:
            chosen = planning.choose_lane(mine, under_way, payout, fee_atoms_max)
        except Stuck:
            if not others:
                raise
            planning.choose_lane(others, under_way, payout, fee_atoms_max)
            raise Unavailable("a lane of another worker's can pay it") from None
        assert chosen.nonce is not None, "a full lane is not chosen"
        return chosen.lane, chosen.nonce

    def _holds(self, lane: Lane) -> bool:
        return self._leases is None or self._leases.of(lane.account) is not None

    def _held(self, lane: Lane) -> Held | None:
        """The lease that a plan on a lane names. Raises Unavailable when it was lost meanwhile."""
        held = self._leases.of(lane.account) if self._leases is not None else None
        if held is None and self._leases is not None:
            raise Unavailable(f"{lane.text} is another worker's now")
        return held

    async def _stock(
        self, lane: Lane, contract: bytes, owned: frozenset[str], tip: BlockRef
    ) -> planning.Stock:
        mined_count = await self._number("eth_getTransactionCount", lane, tip)
        native = await self._number("eth_getBalance", lane, tip)
        token = await read_balance(self._nodes, contract, lane.account, tip) if contract else native
        nonce = next_nonce(mined_count, lanes.owned_nonces(owned, lane))
        return planning.Stock(lane, mined_count, native, token, nonce)

    async def _number(self, method: str, lane: Lane, tip: BlockRef) -> int:
        try:
            return await self._at_block.number(method, lane, tip)
        except Quarantined as error:
            raise Stuck(Condition.NODES_DISAGREE, str(error)) from error

    async def _gas_limit(self, lane: Lane, payout: Payout) -> int:
        """An estimate with margin. Raises Stuck when the payment would fail."""
        call = call_of(lane, payout)
        try:
            if payout.token.contract:
                told = data(await self._nodes.any_answer("eth_call", call, "latest"))
                if is_refusal(told):
                    raise Stuck(Condition.ASSET_SUSPENDED, "the token answers that it will not pay")
            estimate = quantity(await self._nodes.any_answer("eth_estimateGas", call))
        except NodeRefused as error:
            # Paused, banned, or a recipient that takes nothing: it would cost gas and pay nobody.
            raise Stuck(Condition.ASSET_SUSPENDED, error.message) from error
        except Quarantined as error:
            raise Stuck(Condition.NODES_DISAGREE, str(error)) from error
        if estimate <= PLAIN_GAS:
            return PLAIN_GAS
        limit = estimate * (100 + self._settings.gas_margin_percent) // 100
        if limit > self._gas_max(payout):
            raise Stuck(Condition.AT_CEILING, f"{limit} gas")
        return limit

    async def _fees(
        self,
        tip: BlockRef,
        must_use: Sequence[str],
        payable_per_gas_atoms: int,
        *,
        is_cancel: bool = False,
    ) -> Fees:
        """What to offer at this tip. Raises Stuck(AT_CEILING), Unavailable."""
        policy = self._settings.fees
        before = [
            parse_signed(raw)
            for anchor in must_use
            for raw in await lanes.read_attempts(self._database, self.network.network_id, anchor)
        ]
        replaced = None
        if before:
            replaced = Fees(
                max(one.max_fee_per_gas_atoms for one in before),
                max(one.priority_fee_per_gas_atoms for one in before),
            )
        try:
            base = await self._at_block.base_fee(tip)
            tip_told = await self._at_block.priority_fee()
        except Quarantined as error:
            raise Stuck(Condition.NODES_DISAGREE, str(error)) from error
        return fees_for(
            base,
            tip_told,
            policy.for_cancel() if is_cancel else policy,
            replaced=replaced,
            payable_per_gas_atoms=payable_per_gas_atoms,
        )


def call_of(lane: Lane, payout: Payout) -> dict[str, Any]:
    """The payment as nodes are asked about it."""
    contract = payout.token.contract
    if contract:
        call = transfer_call(payout.destination.key, payout.amount_atoms)
        return {"from": lane.text, "to": text_of(contract), "data": "0x" + call.hex()}
    return {
        "from": lane.text,
        "to": text_of(payout.destination.key),
        "value": hex(payout.amount_atoms),
    }
