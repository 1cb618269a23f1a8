"""What a TRC-20 token with USDT's habits does when it is called. Pure.

Energies are those of the recorded token. Called by `wallets.tron.simulator.vm`, on a copy of the
state that is dropped when the call fails.
"""

from dataclasses import dataclass, replace
from typing import Final

from eth_utils.crypto import keccak
from tronpy.proto import tron_pb2

from wallets.tron.simulator.state import TRANSFER, Internal, Log, State

APPROVAL_TOPIC: Final = "8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925"
REVERTED: Final = "REVERT opcode executed"
ENERGY_HELD: Final = 13_664
# Storage that leaves zero costs more.
ENERGY_FIRST: Final = 15_000
# A second receiver: the issuer's fee.
ENERGY_FEE: Final = 7_170
ENERGY_TAKEN: Final = 19_167
ENERGY_APPROVE: Final = 7_424
ENERGY_NO_FUNCTION: Final = 234
ENERGY_SETTING: Final = 6_000
ENERGY_NOT_PAYABLE: Final = 43
# Words of a refusal, and the energy until it comes.
PAUSED: Final = ("paused", 652)
BANNED: Final = ("blacklisted", 811)
TOO_LOW: Final = ("balance too low", 1_005)
NOT_ALLOWED: Final = ("allowance too low", 775)


def selector(signature: str) -> bytes:
    """The first four bytes of a call of a function."""
    return bytes(keccak(signature.encode())[:4])


TRANSFER_FROM: Final = selector("transferFrom(address,address,uint256)")
APPROVE: Final = selector("approve(address,uint256)")
BALANCE: Final = selector("balanceOf(address)")
DECIMALS: Final = selector("decimals()")
SYMBOL: Final = selector("symbol()")
SET_FEE: Final = selector("setParams(uint256,uint256)")
SET_PAUSED: Final = selector("setPaused(bool)")
SET_BANNED: Final = selector("setBlackList(address,bool)")
BURN: Final = selector("burnEnergy()")
VIEWS: Final = frozenset({BALANCE, DECIMALS, SYMBOL})
# More than any limit allows.
ENDLESS: Final = 2**62


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to; its own energy, without any penalty."""

    result: str
    energy: int
    returned: bytes = b""
    logs: tuple[Log, ...] = ()
    internals: tuple[Internal, ...] = ()
    message: str = ""


def refusal(words: str, energy: int) -> Outcome:
    """A revert with a reason, as the chain encodes it."""
    text = words.encode()
    data = bytes.fromhex("08c379a0") + (32).to_bytes(32) + len(text).to_bytes(32)
    return reverted(energy, data + text.ljust(-(-len(text) // 32) * 32, b"\0"))


def reverted(energy: int, returned: bytes = b"") -> Outcome:
    """A call that undid itself."""
    return Outcome("REVERT", energy, returned, message=REVERTED)


def answered(energy: int, number: int) -> Outcome:
    """A view that answers one word."""
    return Outcome("SUCCESS", energy, number.to_bytes(32))


def call_token(state: State, body: tron_pb2.TriggerSmartContract) -> Outcome:
    """One call; changes the state even when it fails later."""
    token, data, owner = body.contract_address, body.data, body.owner_address
    function, words = data[:4], [data[4 + at : 36 + at] for at in range(0, len(data) - 4, 32)]
    if body.call_value:
        return reverted(ENERGY_NOT_PAYABLE)
    match function, words:
        case (f, [to, amount]) if f == TRANSFER:
            return move(state, token, owner, account(to), int.from_bytes(amount), ENERGY_HELD)
        case (f, [holder, to, amount]) if f == TRANSFER_FROM:
            return take(state, token, owner, (account(holder), account(to)), int.from_bytes(amount))
        case (f, [taker, amount]) if f == APPROVE:
            return approve(state, token, owner, account(taker), int.from_bytes(amount))
        case (f, [holder]) if f == BALANCE:
            return answered(502, state.tokens[token].get(account(holder), 0))
        case (f, []) if f == DECIMALS:
            return answered(241, 6)
        case (f, []) if f == SYMBOL:
            text = (32).to_bytes(32) + (5).to_bytes(32) + b"TUSDT".ljust(32, b"\0")
            return Outcome("SUCCESS", 546, text)
        case (f, []) if f == BURN:
            return Outcome("SUCCESS", ENDLESS)
        case _:
            return set_habit(state, token, function, words)


def account(word: bytes) -> bytes:
    """The account in a word of a call."""
    return b"\x41" + word[12:]


def set_habit(state: State, token: bytes, function: bytes, words: list[bytes]) -> Outcome:
    """What the issuer may change: fee, pause, blacklist; anything else is no function."""
    contract = state.contract(token)
    numbers = [int.from_bytes(word) for word in words]
    if function == SET_FEE and len(words) == 2:
        contract = replace(contract, fee_basis_points=numbers[0], fee_max=numbers[1] * 10**6)
    elif function == SET_PAUSED and len(words) == 1:
        contract = replace(contract, is_paused=bool(numbers[0]))
    elif function == SET_BANNED and len(words) == 2:
        one = frozenset({account(words[0])})
        banned = contract.banned | one if numbers[1] else contract.banned - one
        contract = replace(contract, banned=banned)
    else:
        return reverted(ENERGY_NO_FUNCTION)
    state.contracts[token] = contract
    return Outcome("SUCCESS", ENERGY_SETTING)


def move(state: State, token: bytes, holder: bytes, to: bytes, amount: int, energy: int) -> Outcome:
    """Moves atoms from a holder, less the issuer's fee."""
    contract, holders = state.contract(token), state.tokens[token]
    if contract.is_paused:
        return refusal(*PAUSED)
    if holder in contract.banned:
        return refusal(*BANNED)
    if holders.get(holder, 0) < amount:
        return refusal(*TOO_LOW)
    fee = min(amount * contract.fee_basis_points // 10_000, contract.fee_max)
    logs = [Log(token, holder, to, amount - fee)]
    if fee:
        logs.append(Log(token, holder, contract.creator, fee))
        energy += ENERGY_FEE
    for log in logs:
        # A transfer of nothing writes nothing new.
        if log.amount and not holders.get(log.receiver):
            energy += ENERGY_FIRST
        holders[holder] = holders.get(holder, 0) - log.amount
        holders[log.receiver] = holders.get(log.receiver, 0) + log.amount
    return Outcome("SUCCESS", energy, contract.returns, tuple(logs))


def take(
    state: State, token: bytes, taker: bytes, ways: tuple[bytes, bytes], amount: int
) -> Outcome:
    """`transferFrom`: moves what a holder allowed."""
    holder, to = ways
    key = (token, holder, taker)
    if state.allowances.get(key, 0) < amount:
        return refusal(*NOT_ALLOWED)
    state.allowances[key] = state.allowances.get(key, 0) - amount
    outcome = move(state, token, holder, to, amount, ENERGY_TAKEN)
    return replace(outcome, returned=word_of(1)) if outcome.result == "SUCCESS" else outcome


def approve(state: State, token: bytes, holder: bytes, taker: bytes, amount: int) -> Outcome:
    """Lets another account take atoms."""
    key = (token, holder, taker)
    energy = ENERGY_APPROVE + (ENERGY_FIRST if amount and not state.allowances.get(key) else 0)
    state.allowances[key] = amount
    return Outcome(
        "SUCCESS", energy, word_of(1), (Log(token, holder, taker, amount, APPROVAL_TOPIC),)
    )


def word_of(number: int) -> bytes:
    """A number as a word of a call."""
    return number.to_bytes(32)
