"""Accounts and tokens at one block, and what a transaction changes. Pure.

Used by `wallets.tron.simulator.chain`. A refusal carries the real node's code and words.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from tronpy.proto import tron_pb2

from wallets.tron.simulator.parameters import (
    FEE_LIMIT_SUN_MAX,
    PRECISION,
    SLOT_MILLISECONDS,
    WINDOW_SLOTS,
    Parameters,
)

TRANSFER: Final = bytes.fromhex("a9059cbb")
TRANSFER_TOPIC: Final = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
TOO_LOW: Final = (
    bytes.fromhex("08c379a0")
    + (32).to_bytes(32)
    + (15).to_bytes(32)
    + b"balance too low".ljust(32, b"\0")
)
ENERGY_HELD: Final = 13_664
ENERGY_EMPTY: Final = 28_664
ENERGY_REVERT: Final = 1_005
ENERGY_NO_FUNCTION: Final = 234


class Refused(Exception):
    """A node's refusal: code and text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Invalid(Refused):
    """The contract cannot be executed."""

    def __init__(self, text: str) -> None:
        super().__init__("CONTRACT_VALIDATE_ERROR", text)


@dataclass(frozen=True, slots=True)
class Account:
    """One activated account."""

    balance: int
    created_ms: int
    free_used: int = 0
    free_used_slot: int = 0


@dataclass(frozen=True, slots=True)
class Log:
    """One event of a token."""

    token: bytes
    sender: bytes
    receiver: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What executing a transaction did and took."""

    fee: int = 0
    net_usage: int = 0
    net_fee: int = 0
    energy_usage: int = 0
    energy_fee: int = 0
    # Empty for what runs no code.
    result: str = ""
    returned: bytes = b""
    token: bytes = b""
    logs: tuple[Log, ...] = ()


@dataclass(slots=True)
class State:
    """All accounts, and holders per token. Copied at each block."""

    parameters: Parameters
    accounts: dict[bytes, Account] = field(default_factory=dict)
    tokens: dict[bytes, dict[bytes, int]] = field(default_factory=dict)
    # Multiplies the energy of every call, in thousandths: the dynamic factor.
    energy_factor: int = 1_000

    def copy(self) -> "State":
        """The same accounts and holders, to change apart."""
        tokens = {token: dict(holders) for token, holders in self.tokens.items()}
        return State(self.parameters, dict(self.accounts), tokens, self.energy_factor)

    def validate_transfer(self, owner: bytes, to: bytes, amount: int) -> int:
        """The fee of activating the receiver. Raises Invalid in the node's order and words."""
        if len(owner) != 21 or owner[0] != 0x41:
            raise Invalid("Invalid ownerAddress!")
        if len(to) != 21 or to[0] != 0x41:
            raise Invalid("Invalid toAddress!")
        if owner == to:
            raise Invalid("Cannot transfer TRX to yourself.")
        if owner not in self.accounts:
            raise Invalid("Validate TransferContract error, no OwnerAccount.")
        if amount <= 0:
            raise Invalid("Amount must be greater than 0.")
        if to in self.tokens:
            raise Invalid("Cannot transfer TRX to a smartContract.")
        fee = 0 if to in self.accounts else self.parameters.create_account_system_fee
        if self.accounts[owner].balance < amount + fee:
            raise Invalid("Validate TransferContract error, balance is not sufficient.")
        return fee

    def execute(self, whole: tron_pb2.Transaction, time_ms: int) -> Receipt:
        """Applies one transaction. Raises Refused, and then has changed nothing."""
        trial = self.copy()
        receipt = trial.apply(whole, time_ms)
        self.accounts, self.tokens = trial.accounts, trial.tokens
        return receipt

    def apply(self, whole: tron_pb2.Transaction, time_ms: int) -> Receipt:
        """Applies one transaction to this state; a refusal leaves it half done."""
        contract = whole.raw_data.contract[0]
        value = contract.parameter.value
        if contract.type == 1:
            return self.transfer(whole, tron_pb2.TransferContract.FromString(value), time_ms)
        if contract.type == 31:
            return self.trigger(whole, tron_pb2.TriggerSmartContract.FromString(value), time_ms)
        raise Invalid("contract type is not simulated")

    def transfer(
        self, whole: tron_pb2.Transaction, body: tron_pb2.TransferContract, time_ms: int
    ) -> Receipt:
        """TRX to an account, which is activated if need be."""
        owner, to, amount = body.owner_address, body.to_address, body.amount
        is_new = to not in self.accounts
        # A node asks this again after the fees: the whole of both must fit.
        self.validate_transfer(owner, to, amount)
        if is_new:
            self.charge(owner, self.parameters.create_account_fee)
            net = Receipt(net_fee=self.parameters.create_account_fee)
        else:
            net = self.take_bandwidth(owner, whole, time_ms)
        memo = self.take_memo_fee(owner, whole)
        fee = self.validate_transfer(owner, to, amount)
        self.charge(owner, amount + fee)
        receiver = self.accounts.get(to, Account(0, time_ms))
        self.accounts[to] = replace(receiver, balance=receiver.balance + amount)
        return replace(net, fee=net.net_fee + memo + fee)

    def take_memo_fee(self, owner: bytes, whole: tron_pb2.Transaction) -> int:
        """Any memo costs a fixed fee."""
        fee = self.parameters.memo_fee if whole.raw_data.data else 0
        self.charge(owner, fee)
        return fee

    def charge(self, owner: bytes, amount: int) -> None:
        """Burns or moves away TRX. Raises Refused."""
        account = self.accounts[owner]
        if account.balance < amount:
            raise Refused("BANDWITH_ERROR", "Account resource insufficient error.")
        self.accounts[owner] = replace(account, balance=account.balance - amount)

    def take_bandwidth(self, owner: bytes, whole: tron_pb2.Transaction, time_ms: int) -> Receipt:
        """Free bandwidth when all bytes fit into it, else TRX for all bytes."""
        size = whole.ByteSize() + 64
        account, slot = self.accounts[owner], time_ms // SLOT_MILLISECONDS
        used = recovered(account, slot)
        if size <= self.parameters.free_bandwidth_bytes - used:
            self.accounts[owner] = replace(
                account, free_used=increased(account, size, slot), free_used_slot=slot
            )
            return Receipt(net_usage=size)
        fee = size * self.parameters.byte_price
        self.charge(owner, fee)
        return Receipt(net_fee=fee)

    def trigger(
        self, whole: tron_pb2.Transaction, body: tron_pb2.TriggerSmartContract, time_ms: int
    ) -> Receipt:
        """A call of a token: burns energy whatever comes of it."""
        owner, limit = body.owner_address, whole.raw_data.fee_limit
        if not 0 <= limit <= FEE_LIMIT_SUN_MAX:
            raise Invalid(f"feeLimit must be >= 0 and <= {FEE_LIMIT_SUN_MAX}")
        if owner not in self.accounts:
            raise Invalid("no OwnerAccount")
        if body.contract_address not in self.tokens:
            raise Invalid("No contract or not a smart contract")
        net = self.take_bandwidth(owner, whole, time_ms)
        memo = self.take_memo_fee(owner, whole)
        price = self.parameters.energy_price
        # Of the fee limit and of the balance, whichever is less: the real formula without stake.
        energy_limit = min(self.accounts[owner].balance, limit) // price
        result, energy, returned, logs = self.call(body)
        if energy > energy_limit:
            result, energy, returned, logs = "OUT_OF_ENERGY", energy_limit, b"", ()
        if result == "SUCCESS":
            self.move(logs)
        self.charge(owner, energy * price)
        return replace(
            net,
            fee=net.net_fee + memo + energy * price,
            energy_usage=energy,
            energy_fee=energy * price,
            result=result,
            returned=returned,
            token=body.contract_address,
            logs=logs,
        )

    def call(self, body: tron_pb2.TriggerSmartContract) -> tuple[str, int, bytes, tuple[Log, ...]]:
        """Outcome, energy, returned bytes and events of a call; changes nothing."""
        data, holders = body.data, self.tokens[body.contract_address]
        if data[:4] != TRANSFER or len(data) != 68:
            return "REVERT", self.factored(ENERGY_NO_FUNCTION), b"", ()
        to, amount = b"\x41" + data[16:36], int.from_bytes(data[36:])
        if holders.get(body.owner_address, 0) < amount:
            return "REVERT", self.factored(ENERGY_REVERT), TOO_LOW, ()
        # Storage that leaves zero costs more; a transfer of nothing writes nothing new.
        costs_more = bool(amount) and not holders.get(to)
        energy = ENERGY_EMPTY if costs_more else ENERGY_HELD
        log = Log(body.contract_address, body.owner_address, to, amount)
        # USDT's habit: the word returned is false although the transfer succeeded.
        return "SUCCESS", self.factored(energy), bytes(32), (log,)

    def factored(self, energy: int) -> int:
        """Energy under the dynamic factor."""
        return energy * self.energy_factor // 1_000

    def move(self, logs: tuple[Log, ...]) -> None:
        """Books the events of a call."""
        for log in logs:
            holders = self.tokens[log.token]
            holders[log.sender] = holders.get(log.sender, 0) - log.amount
            holders[log.receiver] = holders.get(log.receiver, 0) + log.amount


def decayed_average(account: Account, slot: int) -> int:
    """The chain's moving average of used bytes after the slots that went by."""
    left = max(0, WINDOW_SLOTS - (slot - account.free_used_slot))
    average = -(-account.free_used * PRECISION // WINDOW_SLOTS)
    return (2 * average * left + WINDOW_SLOTS) // (2 * WINDOW_SLOTS)


def recovered(account: Account, slot: int) -> int:
    """Free bytes that still count as used."""
    return decayed_average(account, slot) * WINDOW_SLOTS // PRECISION


def increased(account: Account, size: int, slot: int) -> int:
    """Free bytes that count as used after some more."""
    average = decayed_average(account, slot) + -(-size * PRECISION // WINDOW_SLOTS)
    return average * WINDOW_SLOTS // PRECISION
