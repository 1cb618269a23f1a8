"""Reads, checks and signs one transaction of an Ethereum lane.

The call data is decoded: empty, or `transfer(address,uint256)` of a token. Everything else,
`approve` included, is refused by name and never signed.
"""

from typing import Any, Final

from eth_account import Account
from eth_utils.address import is_checksum_address, to_checksum_address

from cambist.internal.signer.v1 import intent_pb2
from wallets.contract import TransactionId, WithdrawalId
from wallets.errors import Rejected
from wallets.signer.approvals import Terms, parse_atoms
from wallets.signer.keys.seeds import Seeds
from wallets.signer.log import Signed
from wallets.signer.policy import NetworkPolicy
from wallets.signer.rules import Draft

TRANSFER: Final = bytes.fromhex("a9059cbb")
TRANSFER_BYTES: Final = 4 + 32 + 32
ADDRESS_PAD: Final = bytes(12)
NUMBER_MAX: Final = 2**63 - 1


def address_of(seeds: Seeds, network: NetworkPolicy, place: intent_pb2.KeyPlace) -> str:
    """The address of a place of ours, with its checksum."""
    return str(Account.from_key(seeds.private_key(network, place)).address)


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
    message: intent_pb2.EthereumTransaction, network: NetworkPolicy, seeds: Seeds
) -> tuple[Draft, dict[str, Any]]:
    """A transaction as it will be signed, and what it does; raises Rejected."""
    if message.nonce > NUMBER_MAX or not 0 < message.gas_limit <= NUMBER_MAX:
        raise Rejected("MALFORMED", "nonce or gas limit")
    destination, contract, amount_atoms = read_payment(message)
    lane = address_of(seeds, network, message.lane)
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
        ours = address_of(seeds, network, message.key) if message.HasField("key") else ""
        if destination != ours and destination not in network.listed_destinations:
            raise Rejected("NOT_OURS", "an internal transfer to an address that is not ours")
        network.asset(contract)
    anchors = frozenset({f"{lane}:{message.nonce}"})
    return Draft(network.network_id, anchors, payments, message.gas_limit * price), fields


def sign(
    fields: dict[str, Any],
    message: intent_pb2.EthereumTransaction,
    network: NetworkPolicy,
    seeds: Seeds,
) -> Signed:
    """The signed bytes and their hash; the nonce of the signature is derived, not random."""
    signed = Account.sign_transaction(fields, seeds.private_key(network, message.lane))
    return Signed(
        bytes(signed.raw_transaction), TransactionId(signed.hash.hex().removeprefix("0x"))
    )
