"""Builds transactions between accounts of ours: sweeps, what helps them, and stake.

Used by `gathering`. It stores only that a timestamp was given out, and sends nothing. The signer
takes such a transaction without an approval and looks itself whether the recipient is ours.
"""

from typing import Final

from cambist.internal.signer.v1 import intent_pb2
from runtime.postgres import Database
from wallets.contract import Plan
from wallets.errors import Condition, Rejected, Stuck
from wallets.tron import accounts, transactions
from wallets.tron.accounts import HotAccount
from wallets.tron.contracts import Contract, Trigger
from wallets.tron.limits import FEE_LIMIT_SUN_MAX, MOVE_EXPIRATION_MILLISECONDS
from wallets.tron.node_set import NodeSet

# Of the size alone: any block and any moment of our time are as long.
ANY_REFERENCE: Final = transactions.Reference(bytes(2), bytes(8))
ANY_TIME_MILLISECONDS: Final = 1_800_000_000_000


class Moves:
    """Of one network."""

    def __init__(self, network_id: int, nodes: NodeSet, database: Database) -> None:
        self._network_id = network_id
        self._nodes = nodes
        self._database = database

    async def build(
        self,
        intent_id: bytes,
        source: HotAccount,
        contract: Contract,
        to: HotAccount | None,
        *,
        fee_limit_sun: int,
        fee_sun_max: int,
        is_deposit: bool,
    ) -> Plan:
        """Plans one that `source` signs; `to` is None for its own stake. Raises Stuck, Unavailable.

        A deposit address has one transaction at a time, and the chain's clock has gone on since its
        last one ended: its timestamps differ without a row of their own.
        """
        head_height, chain_time_ms = await self._nodes.head()
        solid = await self._nodes.reference()
        timestamp_ms = chain_time_ms
        if not is_deposit:
            timestamp_ms = await accounts.take_timestamps(
                self._database, self._network_id, source.account, chain_time_ms
            )
        try:
            plan = transactions.Plan(
                contract,
                transactions.reference_of(solid, max(head_height, solid.height)),
                timestamp_ms,
                chain_time_ms + MOVE_EXPIRATION_MILLISECONDS,
                fee_limit_sun,
            )
            raw = transactions.build(plan, chain_time_ms)
        except Rejected as error:
            # Only figures of nodes can be at fault: a block that is too old, an energy for nothing.
            raise Stuck(Condition.NODES_DISAGREE, str(error)) from error
        message = intent_pb2.TronTransaction(owner=place_of(source), raw_data=raw)
        if to is not None:
            message.key.CopyFrom(place_of(to))
        intent = intent_pb2.Intent(
            intent_id=intent_id,
            kind=intent_pb2.INTENT_KIND_INTERNAL,
            network_id=self._network_id,
            tron=message,
        )
        return Plan(intent_id, intent.SerializeToString(deterministic=True), (), fee_sun_max)


def place_of(account: HotAccount) -> intent_pb2.KeyPlace:
    """Where its key is."""
    return intent_pb2.KeyPlace(branch=account.branch, index=account.path_index)


def size_bytes(contract: Contract) -> int:
    """The most bandwidth that a transaction of it takes, signed by one key."""
    limit = FEE_LIMIT_SUN_MAX if isinstance(contract, Trigger) else 0
    plan = transactions.Plan(
        contract, ANY_REFERENCE, ANY_TIME_MILLISECONDS, ANY_TIME_MILLISECONDS + 1, limit
    )
    return transactions.bandwidth_bytes(transactions.build(plan, ANY_TIME_MILLISECONDS), 1)
