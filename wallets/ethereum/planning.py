"""Which lane pays, and the intent that the signer is given. Pure.

Called by the adapter with what the chain and the tables said. A plan owns one nonce, which every
other attempt for the same payout shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cambist.internal.signer.v1 import intent_pb2
from wallets.contract import Payout, Plan
from wallets.errors import Condition, Stuck
from wallets.ethereum.addresses import text_of
from wallets.ethereum.fees import Fees
from wallets.ethereum.lanes import Lane, UnderWay
from wallets.ethereum.transactions import anchor_of, transfer_call


@dataclass(frozen=True, slots=True)
class Stock:
    """A lane at the tip: mined transactions, ether, and the token that is to be paid (or ether)."""

    lane: Lane
    mined_count: int
    native_atoms: int
    token_atoms: int
    # The next nonce; None while it is full.
    nonce: int | None

    def free(self, under_way: Sequence[UnderWay], contract: bytes) -> tuple[int, int]:
        """Ether and tokens that no open attempt is going to take."""
        native, token = self.native_atoms, self.token_atoms
        for one in under_way:
            if one.lane != self.lane.account or one.nonce < self.mined_count:
                continue
            native -= one.fee_atoms_max + (0 if one.contract else one.amount_atoms)
            token -= one.amount_atoms if one.contract == contract else 0
        return native, token


@dataclass(frozen=True, slots=True)
class Move:
    """From one place of ours to another; nothing, unless it says what."""

    to: Lane
    contract: bytes = b""
    amount_atoms: int = 0


def choose_lane(
    stocks: Sequence[Stock], under_way: Sequence[UnderWay], payout: Payout, fee_atoms_max: int
) -> Stock:
    """The lane with enough of all and the fewest open nonces. Raises Stuck."""
    contract = payout.token.contract
    fitting = []
    for stock in stocks:
        native, token = stock.free(under_way, contract)
        needed = fee_atoms_max + (0 if contract else payout.amount_atoms)
        if native >= needed and (not contract or token >= payout.amount_atoms):
            fitting.append(stock)
    if not fitting:
        raise Stuck(Condition.HOT_WALLET_UNFUNDED, f"no lane of {len(stocks)} holds enough")
    open_ones = [stock for stock in fitting if stock.nonce is not None]
    if not open_ones:
        raise Stuck(Condition.PINNED, f"all {len(fitting)} lanes wait for nonces to be mined")
    return min(open_ones, key=lambda stock: (stock.nonce or 0) - stock.mined_count)


def plan_payout(
    intent_id: bytes,
    network_id: int,
    payout: Payout,
    lane: Lane,
    nonce: int,
    gas_limit: int,
    fees: Fees,
) -> Plan:
    """One payment of ether or of a token from a nonce."""
    contract = payout.token.contract
    message = transaction_of(lane, nonce, gas_limit, fees)
    message.withdrawal_id = payout.withdrawal_id
    if contract:
        message.to = text_of(contract)
        message.value_atoms = "0"
        message.data = transfer_call(payout.destination.key, payout.amount_atoms)
    else:
        message.to = text_of(payout.destination.key)
        message.value_atoms = str(payout.amount_atoms)
    kind = intent_pb2.INTENT_KIND_PAYOUT
    return plan_of(intent_id, network_id, kind, message, lane)


def plan_internal(
    intent_id: bytes,
    network_id: int,
    lane: Lane,
    nonce: int,
    gas_limit: int,
    fees: Fees,
    move: Move,
) -> Plan:
    """Moves what is ours to another place of ours; the signer derives that place itself.

    Nothing to the lane itself cancels whatever has the nonce, or fills a gap.
    """
    message = transaction_of(lane, nonce, gas_limit, fees)
    message.key.branch = move.to.branch
    message.key.index = move.to.path_index
    if move.contract:
        message.to = text_of(move.contract)
        message.value_atoms = "0"
        message.data = transfer_call(move.to.account, move.amount_atoms)
    else:
        message.to = move.to.text
        message.value_atoms = str(move.amount_atoms)
    kind = intent_pb2.INTENT_KIND_INTERNAL
    return plan_of(intent_id, network_id, kind, message, lane)


def transaction_of(
    lane: Lane, nonce: int, gas_limit: int, fees: Fees
) -> intent_pb2.EthereumTransaction:
    """What every transaction of a lane says."""
    return intent_pb2.EthereumTransaction(
        lane=intent_pb2.KeyPlace(branch=lane.branch, index=lane.path_index),
        nonce=nonce,
        gas_limit=gas_limit,
        max_fee_per_gas_atoms=str(fees.max_fee_per_gas_atoms),
        max_priority_fee_per_gas_atoms=str(fees.priority_fee_per_gas_atoms),
    )


def plan_of(
    intent_id: bytes,
    network_id: int,
    kind: "intent_pb2.IntentKind.ValueType",
    message: intent_pb2.EthereumTransaction,
    lane: Lane,
) -> Plan:
    """The plan around a transaction."""
    intent = intent_pb2.Intent(
        intent_id=intent_id, kind=kind, network_id=network_id, ethereum=message
    )
    return Plan(
        intent_id,
        intent.SerializeToString(deterministic=True),
        (anchor_of(lane.account, message.nonce),),
        message.gas_limit * int(message.max_fee_per_gas_atoms),
    )
