"""TRON as custody sees it: reading solid blocks, planning payouts, broadcasting.

Made by the worker; implements the contract's `Builds` and the reading half of `Adapter`. It signs
nothing; of its own it stores only that a timestamp was given out. A transaction uses nothing up
that a second one could not use as well, so a second one waits for the proof that the first is dead.
Where a transaction stands is `standing`'s to say.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from cambist.internal.signer.v1 import intent_pb2
from runtime.postgres import Database
from wallets.contract import (
    Attempt,
    Block,
    BlockRef,
    Broadcast,
    BroadcastOutcome,
    Confirmation,
    Destination,
    Network,
    Payout,
    Plan,
    TransactionId,
)
from wallets.core.sharing import Sharing
from wallets.errors import Broken, Condition, RefusedAddress, Rejected, Stuck
from wallets.tron import accounts, addresses, permissions, resources, transactions
from wallets.tron.accounts import HotAccount
from wallets.tron.addresses import AddressFault
from wallets.tron.contracts import Contract, Transfer, token_transfer
from wallets.tron.limits import EXPIRATION_MILLISECONDS, FEE_LIMIT_SUN_MAX
from wallets.tron.means import Means
from wallets.tron.node_set import NodeSet
from wallets.tron.planner import Policy, Task, plan
from wallets.tron.standing import Standing, raw_of
from wallets.tron.timestamps import Timestamps


@dataclass(frozen=True, slots=True)
class TronSettings:
    """Tokens by contract (21 bytes); others are neither seen nor paid. Fees are in sun."""

    contracts: frozenset[bytes]
    # Most that a payment of TRX may cost, a new account included, and one of a token.
    native_fee_sun_max: int = 3_000_000
    token_fee_sun_max: int = 40_000_000
    # Percent on top of an estimate of energy: the contract's penalty may rise until the block.
    margin_percent: int = 30


class Tron:
    """One network."""

    def __init__(
        self, network: Network, nodes: NodeSet, database: Database, settings: TronSettings
    ) -> None:
        if nodes.genesis_hash != network.genesis_hash:
            raise ValueError(f"nodes of another chain than {network.network}")
        self.network = network
        self._nodes = nodes
        self._database = database
        self._settings = settings
        self._means = Means(network.network_id, nodes, database)
        self._owning = Sharing(partial(accounts.are_own, database, network.network_id))
        self._standing = Standing(network.network_id, nodes, database)
        self._timestamps = Timestamps(
            partial(accounts.take_timestamps, database, network.network_id)
        )

    def create_wallet(self, extended_public_key: str, index: int) -> Destination:
        """The deposit address of a place of a branch. Raises Rejected."""
        key = addresses.account_at(extended_public_key, index)
        return Destination(addresses.address_of(key), key)

    def parse_address(self, text: str) -> Destination:
        """Checks a destination. Raises RefusedAddress."""
        found = addresses.parse_address(text)
        addresses.check_payable(found, self._settings.contracts, ())
        return found

    async def check(self) -> None:
        """Whether enough nodes are on our chain. Raises Unavailable, Stuck(CHAIN_MISMATCH)."""
        await self._nodes.check()

    async def tip(self) -> BlockRef:
        """The newest solid block that enough nodes have. Raises Unavailable, Stuck."""
        return await self._nodes.tip()

    async def read_block(self, height: int) -> Block:
        """The solid block of a height, told alike by enough nodes. Raises Unavailable, Stuck."""
        return await self._nodes.read_block(height, self._settings.contracts)

    async def final_height(self) -> int:
        """Solid blocks are never replaced."""
        return (await self._nodes.tip()).height

    async def highest_fee(self, payout: Payout) -> int:
        """The most that paying it may cost, in sun.

        Raises RefusedAddress for an address of our own.
        """
        if await self._owning.do(payout.destination.key):
            raise RefusedAddress(AddressFault.OWN, "an address of the venue itself")
        settings = self._settings
        is_token = bool(payout.token.contract)
        return settings.token_fee_sun_max if is_token else settings.native_fee_sun_max

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

        Raises Stuck, Unavailable.
        """
        if len(payouts) != 1 or must_use or owned:
            raise ValueError("one payout, and nothing that it could use up")
        payout = payouts[0]
        contract = payout.token.contract
        if contract and contract not in self._settings.contracts:
            raise Stuck(Condition.ASSET_SUSPENDED, "its contract is none that we know")
        hot, balance_sun = await self._means.take(payout, fee_atoms_max)
        pays = contract_of(hot, payout)
        if hot.permission_id:
            hot = await self._with_signers(hot, pays)
        head_height, chain_time_ms = await self._nodes.head()
        solid = await self._nodes.reference()
        network_id = self.network.network_id
        timestamp_ms = await self._timestamps.take(hot.account, chain_time_ms)
        draft = transactions.Plan(
            pays,
            transactions.reference_of(solid, max(head_height, solid.height)),
            timestamp_ms,
            chain_time_ms + EXPIRATION_MILLISECONDS,
            FEE_LIMIT_SUN_MAX if contract else 0,
            permission_id=hot.permission_id,
        )
        fee_limit_sun, fee_sun_max = await self._fees(
            hot, payout, transactions.build(draft, chain_time_ms), fee_atoms_max, balance_sun
        )
        final = replace(draft, fee_limit_sun=fee_limit_sun)
        raw = transactions.build(final, chain_time_ms)
        return plan_of(intent_id, network_id, hot, payout, raw, fee_sun_max)

    def identify(self, raw: bytes) -> TransactionId:
        """The id of signed bytes. Raises Broken when they are none."""
        try:
            unsigned = raw_of(raw)
            transactions.read(unsigned)
        except Rejected as error:
            raise Broken(f"the signer gave bytes that are no transaction: {error}") from error
        return transactions.transaction_id(unsigned)

    async def broadcast(self, attempt: Attempt) -> Broadcast:
        """Hands the stored bytes once to every healthy node; the best outcome counts."""
        sent = (node.broadcast(attempt.raw, attempt.txid) for node in self._nodes.healthy())
        answers = await asyncio.gather(*sent)
        order = list(BroadcastOutcome)
        # Accepted, known; then unknown before refused: a refusal of some says nothing of others.
        order.sort(key=lambda outcome: outcome is BroadcastOutcome.REFUSED)
        return min(answers, key=lambda answer: order.index(answer.outcome))

    async def confirm(self, attempt: Attempt) -> Confirmation:
        """Where an attempt stands. Raises Unavailable, Stuck."""
        return await self._standing.of(attempt)

    async def _with_signers(self, hot: HotAccount, pays: Contract) -> HotAccount:
        """The account with those of its keys that sign this one. Raises Stuck, Unavailable."""
        found = await resources.read_permissions(self._nodes, hot.account)
        kind = transactions.kind_of(pays)
        chosen = permissions.choose(found, hot.permission_id, kind, hot.signers)
        return replace(hot, signers=chosen)

    async def _fees(
        self, hot: HotAccount, payout: Payout, raw: bytes, fee_sun_max: int, balance_sun: int
    ) -> tuple[int, int]:
        """The fee limit of the call, and the most that it may cost. Raises Stuck."""
        contract, to = payout.token.contract, payout.destination.key
        prices = await resources.read_prices(self._nodes)
        energy = 0
        if contract:
            energy = await resources.estimate(
                self._nodes, hot.account, contract, to, payout.amount_atoms
            )
        activates = not contract and not await resources.exists(self._nodes, to)
        amount_sun = 0 if contract else payout.amount_atoms
        signatures = max(1, len(hot.signers))
        size = transactions.bandwidth_bytes(raw, signatures)
        # Bandwidth may be gone until the block: its bytes are then paid.
        fixed_sun = size * prices.byte_sun
        fixed_sun += prices.activation_sun + prices.activation_bandwidth_sun if activates else 0
        fixed_sun += prices.several_signatures_sun if signatures > 1 else 0
        left_sun = fee_sun_max - fixed_sun
        if not energy and left_sun >= 0:
            # No code runs: nothing is decided, and the balance was chosen for the highest fee.
            return 0, fixed_sun
        task = Task(amount_sun, size, energy, 0, activates, has_memo=False, signatures=signatures)
        stock = await resources.read_stock(self._nodes, hot.account, balance_sun)
        policy = Policy(self._settings.margin_percent, fee_sun_max)
        decided = plan(task, stock, prices, policy)
        limit_sun = min(decided.fee_limit_sun, left_sun)
        if limit_sun < energy * prices.energy_sun:
            raise Stuck(Condition.AT_CEILING, f"{fee_sun_max} sun do not cover the highest fee")
        return limit_sun, limit_sun + fixed_sun


def contract_of(hot: HotAccount, payout: Payout) -> Contract:
    """The payment as the chain's own contract."""
    if payout.token.contract:
        return token_transfer(
            hot.account, payout.token.contract, payout.destination.key, payout.amount_atoms
        )
    return Transfer(hot.account, payout.destination.key, payout.amount_atoms)


def plan_of(
    intent_id: bytes,
    network_id: int,
    hot: HotAccount,
    payout: Payout,
    raw: bytes,
    fee_sun_max: int,
) -> Plan:
    """The plan around a transaction, for the signer."""
    message = intent_pb2.TronTransaction(
        owner=intent_pb2.KeyPlace(branch=hot.branch, index=hot.path_index),
        raw_data=raw,
        withdrawal_id=payout.withdrawal_id,
        signers=[
            intent_pb2.KeyPlace(branch=one.branch, index=one.path_index) for one in hot.signers
        ],
    )
    intent = intent_pb2.Intent(
        intent_id=intent_id,
        kind=intent_pb2.INTENT_KIND_PAYOUT,
        network_id=network_id,
        tron=message,
    )
    return Plan(intent_id, intent.SerializeToString(deterministic=True), (), fee_sun_max)
