"""Lending the resource of stake to another account, and taking it back. Pure.

Refusals come in the real node's order and words. What the receiver used of a loan comes back to the
lender as used.
"""

from dataclasses import replace
from typing import Any, Final

from wallets.tron.contracts import Resource
from wallets.tron.simulator.parameters import LOCK_SLOTS, SLOT_MILLISECONDS, SUN_PER_TRX
from wallets.tron.simulator.refusals import Invalid
from wallets.tron.simulator.staking import account_of, resource_of
from wallets.tron.simulator.state import Account, Loan, LoanKey, Receipt, State
from wallets.tron.simulator.transfers import is_address
from wallets.tron.simulator.usage import recovered, taken_over, used_more

UNKNOWN: Final = "Unknown ResourceCode, valid ResourceCode[BANDWIDTH、ENERGY]"
# Bytes that lending bandwidth keeps free for the transaction that lends it.
LENDING_BYTES: Final = 275


def lend(state: State, body: Any, time_ms: int) -> Receipt:
    """`DelegateResourceContract`. Raises Invalid."""
    owner, receiver, amount = body.owner_address, body.receiver_address, body.balance
    lender = account_of(state, owner, "not exists")
    if amount < SUN_PER_TRX:
        raise Invalid("delegateBalance must be greater than or equal to 1 TRX")
    resource = resource_of(body, UNKNOWN)
    if lendable(state, lender, resource, time_ms) < amount:
        name = "FreezeEnergyV2" if resource is Resource.ENERGY else "FreezeBandwidthV2"
        raise Invalid(f"delegateBalance must be less than or equal to available {name} balance")
    check_receiver(owner, receiver)
    if receiver not in state.accounts and not state.is_contract(receiver):
        raise Invalid(f"Account[{receiver.hex()}] not exists")
    key = LoanKey(owner, receiver, resource, is_locked=body.lock)
    expires_ms = lock_until(state, body, key, time_ms) if body.lock else 0
    if state.is_contract(receiver):
        raise Invalid("Do not allow delegate resources to contract addresses")
    unlock(state, owner, receiver, time_ms)
    lent = state.loans.get(key, Loan(0)).amount + amount
    state.loans[key] = Loan(lent, expires_ms)
    holding = lender.holding(resource)
    holding = replace(holding, staked=holding.staked - amount, lent=holding.lent + amount)
    state.change(owner, resource, holding)
    borrower = state.accounts[receiver].holding(resource)
    state.change(receiver, resource, replace(borrower, borrowed=borrower.borrowed + amount))
    return Receipt()


def lock_until(state: State, body: Any, key: LoanKey, time_ms: int) -> int:
    """When a locked loan may be taken back. Raises Invalid."""
    most = state.parameters.lock_slots_max
    if not 0 <= body.lock_period <= most:
        raise Invalid(
            f"The lock period of delegate resource cannot be less than 0 and cannot exceed {most}!"
        )
    lasts_ms = (body.lock_period or LOCK_SLOTS) * SLOT_MILLISECONDS
    running = state.loans.get(key)
    if running and running.expires_ms - time_ms > lasts_ms:
        name = key.resource.name
        raise Invalid(
            f"The lock period for {name} this time cannot be less than the remaining"
            f" time[{running.expires_ms - time_ms}ms] of the last lock period for {name}!"
        )
    return time_ms + lasts_ms


def check_receiver(owner: bytes, receiver: bytes) -> None:
    """Raises Invalid for what can be no receiver of a loan."""
    if not is_address(receiver):
        raise Invalid("Invalid receiverAddress")
    if owner == receiver:
        raise Invalid("receiverAddress must not be the same as ownerAddress")


def lendable(
    state: State, account: Account, resource: Resource, time_ms: int, kept_bytes: int = 0
) -> int:
    """Sun of an account's stake that it could lend: what was used of it stays."""
    holding = account.holding(resource)
    used = recovered(holding, time_ms // SLOT_MILLISECONDS)
    if resource is Resource.BANDWIDTH:
        used += kept_bytes
    used_sun = used * SUN_PER_TRX * state.weight_trx(resource) // state.total(resource)
    return max(0, holding.staked - max(0, used_sun - holding.borrowed))


def take_back(state: State, body: Any, time_ms: int) -> Receipt:
    """`UnDelegateResourceContract`. Raises Invalid."""
    owner, receiver, amount = body.owner_address, body.receiver_address, body.balance
    account_of(state, owner, "does not exist")
    check_receiver(owner, receiver)
    if not any((one.lender, one.receiver) == (owner, receiver) for one in state.loans):
        raise Invalid("delegated Resource does not exist")
    if amount <= 0:
        raise Invalid("unDelegateBalance must be more than 0 TRX")
    resource = resource_of(body, "ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]")
    free = unlocked(state, owner, receiver, resource, time_ms)
    if free < amount:
        is_energy = resource is Resource.ENERGY
        name = "delegateFrozenBalance(Energy)" if is_energy else "delegatedFrozenBalance(BANDWIDTH)"
        raise Invalid(f"insufficient {name}, request={amount}, unlock_balance={free}")
    unlock(state, owner, receiver, time_ms)
    key = LoanKey(owner, receiver, resource, is_locked=False)
    state.loans[key] = Loan(state.loans[key].amount - amount)
    if not state.loans[key].amount:
        del state.loans[key]
    return_usage(state, key, amount, time_ms // SLOT_MILLISECONDS)
    return Receipt()


def return_usage(state: State, key: LoanKey, amount: int, slot: int) -> None:
    """Stake goes back to its lender, and with it what the receiver used of it."""
    resource = key.resource
    borrower = used_more(state.accounts[key.receiver].holding(resource), 0, slot)
    most = state.share(resource, amount)
    moved = min(most, borrower.used * amount // borrower.counted)
    lender = state.accounts[key.lender].holding(resource)
    lender = replace(lender, staked=lender.staked + amount, lent=lender.lent - amount)
    if moved:
        lender = taken_over(lender, borrower, moved, slot)
    borrower = replace(borrower, borrowed=borrower.borrowed - amount, used=borrower.used - moved)
    state.change(key.receiver, resource, borrower)
    state.change(key.lender, resource, lender)


def unlocked(state: State, owner: bytes, receiver: bytes, resource: Resource, time_ms: int) -> int:
    """Sun of loans that may be taken back now."""
    loans = (state.loans.get(LoanKey(owner, receiver, resource, lock)) for lock in (False, True))
    return sum(loan.amount for loan in loans if loan and loan.expires_ms < time_ms)


def unlock(state: State, owner: bytes, receiver: bytes, time_ms: int) -> None:
    """Moves loans whose lock is over to the free ones."""
    for resource in Resource:
        key = LoanKey(owner, receiver, resource, is_locked=True)
        loan = state.loans.get(key)
        if loan is None or loan.expires_ms >= time_ms:
            continue
        del state.loans[key]
        free = replace(key, is_locked=False)
        state.loans[free] = Loan(state.loans.get(free, Loan(0)).amount + loan.amount)
