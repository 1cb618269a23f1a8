"""Staking TRX for bandwidth or energy, and the waiting time until it is free again. Pure.

Refusals come in the real node's order and words. Stake that is lent cannot be unstaked.
"""

from dataclasses import replace
from typing import Any

from wallets.tron.contracts import Resource
from wallets.tron.simulator.parameters import DAY_MILLISECONDS, SUN_PER_TRX, UNSTAKING_MAX
from wallets.tron.simulator.refusals import Invalid
from wallets.tron.simulator.state import Account, Receipt, State, Unstaking
from wallets.tron.simulator.transfers import is_address

WORDS = {Resource.BANDWIDTH: "BANDWIDTH", Resource.ENERGY: "Energy"}


def account_of(state: State, owner: bytes, missing: str) -> Account:
    """The account that asks. Raises Invalid; `missing` are the words about no account."""
    if not is_address(owner):
        raise Invalid("Invalid address")
    if owner not in state.accounts:
        raise Invalid(f"Account[{owner.hex()}] {missing}")
    return state.accounts[owner]


def resource_of(body: Any, refusal: str) -> Resource:
    """The resource that is named. Raises Invalid."""
    try:
        return Resource(body.resource)
    except ValueError as error:
        raise Invalid(refusal) from error


def stake(state: State, body: Any, _time_ms: int) -> Receipt:
    """`FreezeBalanceV2Contract`. Raises Invalid."""
    account, amount = account_of(state, body.owner_address, "not exists"), body.frozen_balance
    if amount <= 0:
        raise Invalid("frozenBalance must be positive")
    if amount < SUN_PER_TRX:
        raise Invalid("frozenBalance must be greater than or equal to 1 TRX")
    if amount > account.balance:
        raise Invalid("frozenBalance must be less than or equal to accountBalance")
    resource = resource_of(body, "ResourceCode error, valid ResourceCode[BANDWIDTH、ENERGY]")
    state.charge(body.owner_address, amount)
    holding = account.holding(resource)
    staked = replace(holding, staked=holding.staked + amount)
    state.change(body.owner_address, resource, staked)
    return Receipt()


def unstake(state: State, body: Any, time_ms: int) -> Receipt:
    """`UnfreezeBalanceV2Contract`: what waited long enough is paid out with it. Raises Invalid."""
    owner, amount = body.owner_address, body.unfreeze_balance
    account = account_of(state, owner, "does not exist")
    resource = resource_of(body, "ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]")
    holding = account.holding(resource)
    if not holding.staked:
        raise Invalid(f"no frozenBalance({WORDS[resource]})")
    if not 0 < amount <= holding.staked:
        raise Invalid(f"Invalid unfreeze_balance, [{amount}] is error")
    if not unstaking_left(account, time_ms):
        raise Invalid("Invalid unfreeze operation, unfreezing times is over limit")
    withdrawn = pay_expired(state, owner, time_ms)
    expires_ms = time_ms + state.parameters.unstaking_days * DAY_MILLISECONDS
    state.change(owner, resource, replace(holding, staked=holding.staked - amount))
    account = state.accounts[owner]
    waiting = (*account.unstaking, Unstaking(resource, amount, expires_ms))
    state.accounts[owner] = replace(account, unstaking=waiting)
    return Receipt(withdrawn=withdrawn)


def withdraw(state: State, body: Any, time_ms: int) -> Receipt:
    """`WithdrawExpireUnfreezeContract`. Raises Invalid."""
    account = account_of(state, body.owner_address, "not exists")
    if not withdrawable(account, time_ms):
        raise Invalid("no unFreeze balance to withdraw ")
    return Receipt(withdrawn=pay_expired(state, body.owner_address, time_ms))


def cancel(state: State, body: Any, time_ms: int) -> Receipt:
    """`CancelAllUnfreezeV2Contract`: all that waits is stake again. Raises Invalid."""
    owner = body.owner_address
    if not account_of(state, owner, "not exists").unstaking:
        raise Invalid("No unfreezeV2 list to cancel")
    withdrawn = pay_expired(state, owner, time_ms)
    restaked = dict.fromkeys(Resource, 0)
    for waiting in state.accounts[owner].unstaking:
        restaked[waiting.resource] += waiting.amount
    for resource, amount in restaked.items():
        holding = state.accounts[owner].holding(resource)
        state.change(owner, resource, replace(holding, staked=holding.staked + amount))
    state.accounts[owner] = replace(state.accounts[owner], unstaking=())
    return Receipt(withdrawn=withdrawn, restaked=restaked)


def unstaking_left(account: Account, time_ms: int) -> int:
    """How often stake may still be taken back before some of it is free."""
    waiting = sum(one.expires_ms > time_ms for one in account.unstaking)
    return max(0, UNSTAKING_MAX - waiting)


def withdrawable(account: Account, time_ms: int) -> int:
    """Sun of stake whose waiting time is over."""
    return sum(one.amount for one in account.unstaking if one.expires_ms <= time_ms)


def pay_expired(state: State, owner: bytes, time_ms: int) -> int:
    """Pays out what waited long enough; how much that was."""
    account = state.accounts[owner]
    amount = withdrawable(account, time_ms)
    waiting = tuple(one for one in account.unstaking if one.expires_ms > time_ms)
    state.accounts[owner] = replace(account, unstaking=waiting, balance=account.balance + amount)
    return amount
