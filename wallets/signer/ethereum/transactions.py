"""Reads, checks and signs one transaction of an Ethereum lane.

The call data is decoded: empty, or `transfer(address,uint256)` of a token. Everything else,
`approve` included, is refused by name and never signed.
"""

from typing import Any, Final

from eth_keys.datatypes import PublicKey
from eth_utils.address import is_checksum_address, to_checksum_address
from eth_utils.crypto import keccak

from cambist.internal.signer.v1 import intent_pb2
from wallets.contract import TransactionId, WithdrawalId
from wallets.errors import Rejected
from wallets.signer.approvals import Terms, parse_atoms
from wallets.signer.ethereum.rlp import encode
from wallets.signer.keys.places import Keys
from wallets.signer.log import Signed
from wallets.signer.policy import NetworkPolicy
from wallets.signer.rules import Draft

TRANSFER: Final = bytes.fromhex("a9059cbb")
TRANSFER_BYTES: Final = 4 + 32 + 32
EIP155_BASE: Final = 35
TYPE_EIP1559: Final = b"\x02"
ADDRESS_PAD: Final = bytes(12)
NUMBER_MAX: Final = 2**63 - 1


def address_of(keys: Keys, network: NetworkPolicy, place: intent_pb2.KeyPlace) -> str:
    """The address of a place of ours, with its checksum."""
    public_key = PublicKey.from_compressed_bytes(keys.public_key(network, place))
    return str(public_key.to_checksum_address())


def read_payment(message: intent_pb2.EthereumTransaction) -> tuple[str, str, int]:
    """Who gets what of which contract (empty = ether); raises Rejected."""
    if not is_checksum_address(message.to):
        raise Rejected("MALFORMED", "the recipient has no right checksum")
    value = parse_atoms(message.value_atoms, "value")
    if not message.data:
        return message.to, "", value
    data = message.data
    if len(data) != TRANSFER_BYTES or data[:4] != TRANSFER or data[4:16] != ADDRESS_PAD or value:
        raise Rejected("CALL_NOT_ALLOWED", "only transfer(address,uint256) without ether is signed")
    return (
        str(to_checksum_address(data[16:36])),
        message.to,
        int.from_bytes(data[36:], "big"),
    )


def read(
    message: intent_pb2.EthereumTransaction, network: NetworkPolicy, keys: Keys
) -> tuple[Draft, dict[str, Any]]:
    """A transaction as it will be signed, and what it does; raises Rejected."""
    if message.nonce > NUMBER_MAX or not 0 < message.gas_limit <= NUMBER_MAX:
        raise Rejected("MALFORMED", "nonce or gas limit")
    destination, contract, amount_atoms = read_payment(message)
    lane = address_of(keys, network, message.lane)
    fields: dict[str, Any] = {
        "chainId": network.chain_id,
        "nonce": message.nonce,
        "gas": message.gas_limit,
        "to": message.to,
        "value": parse_atoms(message.value_atoms, "value"),
        "data": message.data,
    }
    if message.gas_price_atoms:
        price = fields["gasPrice"] = parse_atoms(message.gas_price_atoms, "gas price")
    else:
        price = fields["maxFeePerGas"] = parse_atoms(message.max_fee_per_gas_atoms, "fee")
        tip = parse_atoms(message.max_priority_fee_per_gas_atoms, "priority fee")
        fields["maxPriorityFeePerGas"] = tip
        if tip > price:
            raise Rejected("MALFORMED", "a priority fee above the fee")
    payments: tuple[tuple[WithdrawalId, Terms], ...] = ()
    if message.withdrawal_id:
        terms = Terms(network.network_id, destination, contract, amount_atoms)
        payments = ((WithdrawalId(message.withdrawal_id), terms),)
    else:
        ours = address_of(keys, network, message.key) if message.HasField("key") else ""
        if destination != ours and destination not in network.listed_destinations:
            raise Rejected("NOT_OURS", "an internal transfer to an address that is not ours")
        network.asset(contract)
    anchors = frozenset({f"{lane}:{message.nonce}"})
    return Draft(network.network_id, anchors, payments, message.gas_limit * price), fields


def sign(
    fields: dict[str, Any],
    message: intent_pb2.EthereumTransaction,
    network: NetworkPolicy,
    keys: Keys,
) -> Signed:
    """The signed bytes and their hash."""
    to = bytes.fromhex(fields["to"][2:])
    paid = [fields["gas"], to, fields["value"], fields["data"]]
    if "gasPrice" in fields:
        # Legacy: the chain id takes part in the hash and in v (EIP-155).
        body = [fields["nonce"], fields["gasPrice"], *paid]
        found = keys.sign(network, message.lane, keccak(encode([*body, network.chain_id, 0, 0])))
        recovery, prefix = EIP155_BASE + 2 * network.chain_id + found.recovery, b""
    else:
        fees = [fields["maxPriorityFeePerGas"], fields["maxFeePerGas"]]
        body = [network.chain_id, fields["nonce"], *fees, *paid, []]
        prefix = TYPE_EIP1559
        found = keys.sign(network, message.lane, keccak(prefix + encode(body)))
        recovery = found.recovery
    r, s = (int.from_bytes(one, "big") for one in (found.r, found.s))
    raw = prefix + encode([*body, recovery, r, s])
    return Signed(raw, TransactionId(keccak(raw).hex()))
