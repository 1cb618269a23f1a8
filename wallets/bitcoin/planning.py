"""Which transaction pays: coins, outputs, change and fee, as an intent for the signer. Pure.

Called by the adapter's `build`. Inputs signal replacement. All inputs are P2WPKH outputs of ours.
The fee never exceeds what the payouts' approvals allow; what cannot be paid within it waits as
`AtCeiling`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from cambist.internal.signer.v1 import intent_pb2
from wallets.bitcoin.addresses import check_amount
from wallets.bitcoin.coin_selection import Coin, Selection, Terms, fee_of, select
from wallets.bitcoin.coins import OwnCoin
from wallets.contract import PAYOUTS_MAX, Payout, Plan
from wallets.errors import Condition, Rejected, Stuck

# BIP125: replaceable, and lock times are not looked at.
SEQUENCE: Final = 0xFFFFFFFD
# Outpoint, empty script, sequence; then count, signature of 72 bytes at most, key.
INPUT_WEIGHT: Final = 4 * 41 + 1 + 1 + 72 + 1 + 33
CHANGE_WEIGHT: Final = 4 * 31
CHANGE_DUST_ATOMS: Final = 294
# Version, lock time, counts of up to three bytes each, marker and flag.
FRAME_WEIGHT: Final = 4 * 14 + 2
INPUTS_MAX: Final = 500
# Of a virtual byte.
WEIGHT_PER_BYTE: Final = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where change goes."""

    branch: str
    index: int


@dataclass(frozen=True, slots=True)
class Spending:
    """Rates in satoshi per 1,000 virtual bytes, and the most that the transaction may cost."""

    fee_rate: int
    long_term_fee_rate: int
    fee_atoms_max: int
    change: Place


def weight_without_inputs(payouts: Sequence[Payout]) -> int:
    """Weight of everything but inputs and change."""
    outputs = sum(8 + 1 + len(payout.destination.key) for payout in payouts)
    return FRAME_WEIGHT + 4 * outputs


def highest_fee(payout: Payout, ceiling_rate: int, inputs: int) -> int:
    """The most that one payout of so many inputs costs, in satoshi, with change."""
    weight = weight_without_inputs([payout]) + CHANGE_WEIGHT + inputs * INPUT_WEIGHT
    return fee_of(weight, ceiling_rate)


def plan(
    intent_id: bytes,
    network_id: int,
    payouts: Sequence[Payout],
    coins: Sequence[OwnCoin],
    must_use: Sequence[OwnCoin],
    spending: Spending,
    random: Random,
) -> Plan:
    """The transaction that pays all of these.

    Raises Rejected for payouts that the network would refuse, Stuck(HOT_WALLET_UNFUNDED) and
    Stuck(AT_CEILING).
    """
    if not 0 < len(payouts) <= PAYOUTS_MAX:
        raise Rejected("BATCH_SIZE", f"{len(payouts)} payouts")
    for payout in payouts:
        if payout.token.contract:
            raise Rejected("UNKNOWN_ASSET", "Bitcoin has no token contracts")
        check_amount(payout.destination, payout.amount_atoms)
    terms = Terms(
        target_atoms=sum(payout.amount_atoms for payout in payouts),
        base_weight=weight_without_inputs(payouts),
        fee_rate=spending.fee_rate,
        long_term_fee_rate=spending.long_term_fee_rate,
        change_weight=CHANGE_WEIGHT,
        change_input_weight=INPUT_WEIGHT,
        dust_atoms=CHANGE_DUST_ATOMS,
        inputs_max=INPUTS_MAX,
    )
    found = select(
        [as_coin(coin) for coin in coins], terms, random, [as_coin(coin) for coin in must_use]
    )
    allowed = spending.fee_atoms_max
    if found.fee_atoms > allowed:
        raise Stuck(Condition.AT_CEILING, f"{found.fee_atoms} satoshi, {allowed} allowed")
    places = {coin.outpoint: coin for coin in (*coins, *must_use)}
    used = [places[coin.outpoint] for coin in found.coins]
    intent = intent_of(intent_id, network_id, payouts, used, found, spending.change)
    inputs = tuple(coin.outpoint for coin in used)
    return Plan(intent_id, intent.SerializeToString(deterministic=True), inputs, found.fee_atoms)


def as_coin(coin: OwnCoin) -> Coin:
    """For the selection."""
    return Coin(coin.outpoint, coin.amount_atoms, INPUT_WEIGHT)


def intent_of(
    intent_id: bytes,
    network_id: int,
    payouts: Sequence[Payout],
    used: Sequence[OwnCoin],
    found: Selection,
    change: Place,
) -> intent_pb2.Intent:
    """The structure that the signer rebuilds and checks."""
    intent = intent_pb2.Intent(
        intent_id=intent_id, kind=intent_pb2.INTENT_KIND_PAYOUT, network_id=network_id
    )
    transaction = intent.bitcoin
    transaction.version = 2
    add_inputs(transaction, used)
    for payout in payouts:
        transaction.outputs.add(
            amount_atoms=payout.amount_atoms, withdrawal_id=payout.withdrawal_id
        )
    if found.change_atoms:
        transaction.outputs.add(
            amount_atoms=found.change_atoms,
            key=intent_pb2.KeyPlace(branch=change.branch, index=change.index),
        )
    return intent


def add_inputs(transaction: intent_pb2.BitcoinTransaction, used: Sequence[OwnCoin]) -> None:
    """Coins as an intent has them."""
    for coin in used:
        txid, _, index = coin.outpoint.rpartition(":")
        transaction.inputs.add(
            txid=txid,
            index=int(index),
            amount_atoms=coin.amount_atoms,
            key=intent_pb2.KeyPlace(branch=coin.branch, index=coin.path_index),
            sequence=SEQUENCE,
        )
