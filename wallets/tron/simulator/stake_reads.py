"""Answers of a simulated node about stake, loans and resources. Pure; used by the server."""

from collections.abc import Iterable
from typing import Any

from wallets.tron.contracts import Resource
from wallets.tron.simulator.lending import LENDING_BYTES, lendable
from wallets.tron.simulator.messages import Json
from wallets.tron.simulator.parameters import SLOT_MILLISECONDS
from wallets.tron.simulator.staking import unstaking_left, withdrawable
from wallets.tron.simulator.state import Account, Loan, LoanKey, State
from wallets.tron.simulator.usage import recovered, recovered_free


def account_of(state: State, body: Json, name: str = "owner_address") -> Account | None:
    """The account that a request names."""
    return state.accounts.get(bytes.fromhex(body.get(name, "")))


def resources(state: State, body: Json, time_ms: int) -> Json:
    """`getaccountresource`: nothing of an account that does not exist."""
    account = account_of(state, body, "address")
    if account is None:
        return {}
    slot = time_ms // SLOT_MILLISECONDS
    told = {
        "freeNetUsed": recovered_free(account, slot),
        "freeNetLimit": state.parameters.free_bandwidth_bytes,
        "NetUsed": recovered(account.bandwidth, slot),
        "NetLimit": state.share(Resource.BANDWIDTH, account.bandwidth.counted),
        "TotalNetLimit": state.total(Resource.BANDWIDTH),
        "TotalNetWeight": state.weight_trx(Resource.BANDWIDTH),
        "EnergyUsed": recovered(account.energy, slot),
        "EnergyLimit": state.share(Resource.ENERGY, account.energy.counted),
        "TotalEnergyLimit": state.total(Resource.ENERGY),
        "TotalEnergyWeight": state.weight_trx(Resource.ENERGY),
    }
    return without_zeros(told)


def lendable_most(state: State, body: Json, time_ms: int) -> Json:
    """`getcandelegatedmaxsize`: room for the transaction that lends is kept."""
    account = account_of(state, body)
    if account is None:
        return {}
    resource = Resource(int(body.get("type", 0)))
    size = lendable(state, account, resource, time_ms, LENDING_BYTES)
    return without_zeros({"max_size": size})


def withdrawable_amount(state: State, body: Json, time_ms: int) -> Json:
    """`getcanwithdrawunfreezeamount`, at a time that may be named."""
    account = account_of(state, body)
    if account is None:
        return {}
    at_ms = int(body.get("timestamp") or time_ms)
    return without_zeros({"amount": withdrawable(account, at_ms)})


def unstaking_count(state: State, body: Json, time_ms: int) -> Json:
    """`getavailableunfreezecount`."""
    account = account_of(state, body)
    return without_zeros({"count": unstaking_left(account, time_ms)}) if account else {}


def loans_between(state: State, body: Json) -> Json:
    """`getdelegatedresourcev2`: the free loans first, then the locked ones."""
    lender, receiver = (bytes.fromhex(body.get(name, "")) for name in ("fromAddress", "toAddress"))
    told = []
    for is_locked in (False, True):
        loans = {
            resource: state.loans[key]
            for resource in Resource
            if (key := LoanKey(lender, receiver, resource, is_locked)) in state.loans
        }
        if loans:
            told.append({"from": lender.hex(), "to": receiver.hex()} | loans_json(loans))
    return {"delegatedResource": told} if told else {}


def loans_json(loans: dict[Resource, Loan]) -> Json:
    """Amounts and locks by resource."""
    told = {}
    for resource, loan in loans.items():
        name = resource.name.lower()
        told[f"frozen_balance_for_{name}"] = loan.amount
        told[f"expire_time_for_{name}"] = loan.expires_ms
    return without_zeros(told)


def counterparties(state: State, body: Json) -> Json:
    """`getdelegatedresourceaccountindexv2`: who lends to an account, and to whom it lends."""
    key = bytes.fromhex(body.get("value", ""))
    told: Json = {"account": key.hex()}
    lenders = each_once(loan.lender for loan in state.loans if loan.receiver == key)
    receivers = each_once(loan.receiver for loan in state.loans if loan.lender == key)
    if lenders:
        told["fromAccounts"] = lenders
    if receivers:
        told["toAccounts"] = receivers
    return told


def each_once(keys: Iterable[bytes]) -> list[str]:
    """Accounts in the order in which they came."""
    return list(dict.fromkeys(key.hex() for key in keys))


def without_zeros(told: dict[str, Any]) -> Json:
    """As a real node shows it."""
    return {name: value for name, value in told.items() if value}
