"""Decodes, checks and signs one transaction of TRON.

The planner's bytes are read by `wallets.tron.transactions`, which knows no approval and no change
of permissions and refuses bytes that it would not write itself. A call is signed only when it is
`transfer(address,uint256)` of a token. TRON has no anchors: a second attempt needs a death proof.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from eth_keys.datatypes import PublicKey

from cambist.internal.signer.v1 import intent_pb2
from wallets.contract import WithdrawalId
from wallets.errors import Rejected
from wallets.signer.approvals import Terms
from wallets.signer.keys.places import Keys
from wallets.signer.log import Signed
from wallets.signer.policy import NetworkPolicy
from wallets.signer.rules import Draft
from wallets.tron import transactions
from wallets.tron.addresses import PREFIX, address_of
from wallets.tron.contracts import (
    TRANSFER_SELECTOR,
    Delegate,
    Freeze,
    Transfer,
    Trigger,
    Undelegate,
    Unfreeze,
    WithdrawUnfrozen,
)
from wallets.tron.limits import SIGNERS_MAX

CALL_BYTES: Final = 4 + 32 + 32
ADDRESS_PAD: Final = bytes(12)
MEMO_SUN: Final = 1_000_000
SEVERAL_SIGNATURES_SUN: Final = 1_000_000
MILLISECONDS: Final = 1_000
NANOSECONDS_PER_MILLISECOND: Final = 1_000_000
# What a node adds to the recovery number.
RECOVERY_BASE: Final = 27


@dataclass(frozen=True, slots=True)
class Read:
    """Bytes to sign, and the keys, all of which sign or none."""

    raw_data: bytes
    signers: tuple[intent_pb2.KeyPlace, ...]


@dataclass(frozen=True, slots=True)
class Movement:
    """Who gets what of which token (empty = TRX); no amount is stake."""

    account: bytes
    contract: str
    amount_atoms: int


def account_of(keys: Keys, network: NetworkPolicy, place: intent_pb2.KeyPlace) -> bytes:
    """The account of a place, 21 bytes; raises Rejected."""
    public_key = PublicKey.from_compressed_bytes(keys.public_key(network, place))
    return bytes((PREFIX,)) + bytes(public_key.to_canonical_address())


def movement_of(plan: transactions.Plan) -> Movement | None:
    """What leaves the owner, None for its own stake; raises Rejected for an unknown call."""
    match plan.contract:
        case Transfer(_, to, amount):
            return Movement(to, "", amount)
        case Trigger(_, token, data, value):
            is_transfer = len(data) == CALL_BYTES and data[:4] == TRANSFER_SELECTOR
            if not is_transfer or data[4:16] != ADDRESS_PAD or value:
                raise Rejected("CALL_NOT_ALLOWED", "only transfer(address,uint256) is signed")
            account = bytes((PREFIX,)) + data[16:36]
            return Movement(account, address_of(token), int.from_bytes(data[36:], "big"))
        case Delegate() | Undelegate():
            # The receiver gets a resource, no money; but a stranger must not get that either.
            return Movement(plan.contract.receiver, "", 0)
        case Freeze() | Unfreeze() | WithdrawUnfrozen():
            return None


def check_life(plan: transactions.Plan, network: NetworkPolicy, now_ns: int) -> None:
    """A transaction dies in time, so that its death can be proven; raises Rejected."""
    latest_ms = now_ns // NANOSECONDS_PER_MILLISECOND + network.lifetime_seconds_max * MILLISECONDS
    if plan.expiration_ms > latest_ms:
        raise Rejected("LIVES_TOO_LONG", f"expires at {plan.expiration_ms}")


def read(
    message: intent_pb2.TronTransaction, network: NetworkPolicy, keys: Keys, now_ns: int
) -> tuple[Draft, Read]:
    """What a transaction does, and what to sign; raises Rejected.

    The fee is what the transaction itself permits. What the chain takes for a new account is not
    in it: nothing in the bytes says whether the recipient exists.
    """
    plan = transactions.read(message.raw_data)
    check_life(plan, network, now_ns)
    if plan.contract.owner != account_of(keys, network, message.owner):
        raise Rejected("NOT_OURS", "the owner is not the account of the named key")
    movement = movement_of(plan)
    payments: tuple[tuple[WithdrawalId, Terms], ...] = ()
    if message.withdrawal_id:
        if movement is None or not movement.amount_atoms:
            raise Rejected("NOT_APPROVED", "stake pays no withdrawal")
        terms = Terms(
            network.network_id,
            address_of(movement.account),
            movement.contract,
            movement.amount_atoms,
        )
        payments = ((WithdrawalId(message.withdrawal_id), terms),)
    elif movement is not None:
        check_ours(movement, message, network, keys)
    signers = signers_of(message, plan)
    fee_sun = plan.fee_limit_sun + (MEMO_SUN if plan.memo else 0)
    fee_sun += SEVERAL_SIGNATURES_SUN if len(signers) > 1 else 0
    size_bytes = transactions.bandwidth_bytes(message.raw_data, len(signers))
    fee_sun += size_bytes * network.byte_price_sun
    draft = Draft(network.network_id, frozenset(), payments, fee_sun)
    return draft, Read(message.raw_data, signers)


def signers_of(
    message: intent_pb2.TronTransaction, plan: transactions.Plan
) -> tuple[intent_pb2.KeyPlace, ...]:
    """Whose keys sign: several for a permission of several, else the owner's; raises Rejected.

    Whether they are enough is the account's to say: the chain takes no transaction with too few.
    """
    if bool(message.signers) != bool(plan.permission_id):
        raise Rejected("MALFORMED", "keys are named for a permission, and only for one")
    places = {(one.branch, one.index) for one in message.signers}
    if len(places) != len(message.signers) or len(places) > SIGNERS_MAX:
        raise Rejected("MALFORMED", f"up to {SIGNERS_MAX} keys sign, each once")
    return tuple(message.signers) or (message.owner,)


def check_ours(
    movement: Movement,
    message: intent_pb2.TronTransaction,
    network: NetworkPolicy,
    keys: Keys,
) -> None:
    """Internal transactions pay a key of ours or a listed address; raises Rejected."""
    network.asset(movement.contract)
    is_key = message.HasField("key")
    if is_key and movement.account == account_of(keys, network, message.key):
        return
    if address_of(movement.account) not in network.listed_destinations:
        raise Rejected("NOT_OURS", "an internal transfer to an account that is not ours")


def sign(read_: Read, network: NetworkPolicy, keys: Keys) -> Signed:
    """The whole transaction and its id; raises Rejected when a key is not here."""
    digest = hashlib.sha256(read_.raw_data).digest()
    found = [keys.sign(network, place, digest) for place in read_.signers]
    signatures = [one.r + one.s + bytes((one.recovery + RECOVERY_BASE,)) for one in found]
    whole = transactions.sign(read_.raw_data, signatures)
    return Signed(whole, transactions.transaction_id(read_.raw_data))
