"""What a transaction costs before it does anything: bandwidth, signatures, memo. Pure.

Called when a transaction is executed. Bandwidth comes from stake when all bytes fit, else from the
free part, else TRX is burned for all bytes.
"""

from dataclasses import replace

from tronpy.proto import tron_pb2

from wallets.tron.contracts import Resource
from wallets.tron.simulator.parameters import RESULT_BYTES, SLOT_MILLISECONDS
from wallets.tron.simulator.state import Receipt, State
from wallets.tron.simulator.usage import increased_free, recovered, recovered_free, used_more


def take_fees(
    state: State,
    owner: bytes,
    whole: tron_pb2.Transaction,
    time_ms: int,
    *,
    activates: bool = False,
) -> Receipt:
    """Bandwidth, several signatures and memo, all in `fee`. Raises Refused."""
    take = take_activation_bandwidth if activates else take_bandwidth
    net = take(state, owner, whole, time_ms)
    signatures = state.parameters.several_signatures_fee if len(whole.signature) > 1 else 0
    memo = state.parameters.memo_fee if whole.raw_data.data else 0
    state.charge(owner, signatures + memo)
    state.accounts[owner] = replace(state.accounts[owner], operated_ms=time_ms)
    return replace(net, fee=net.net_fee + signatures + memo)


def take_bandwidth(
    state: State, owner: bytes, whole: tron_pb2.Transaction, time_ms: int
) -> Receipt:
    """Pays for the bytes of a transaction. Raises Refused."""
    size, slot = whole.ByteSize() + RESULT_BYTES, time_ms // SLOT_MILLISECONDS
    if take_staked(state, owner, size, slot):
        return Receipt(net_usage=size)
    account = state.accounts[owner]
    if size <= state.parameters.free_bandwidth_bytes - recovered_free(account, slot):
        used = increased_free(account, size, slot)
        state.accounts[owner] = replace(account, free_used=used, free_used_slot=slot)
        return Receipt(net_usage=size)
    fee = size * state.parameters.byte_price
    state.charge(owner, fee)
    return Receipt(net_fee=fee)


def take_activation_bandwidth(
    state: State, owner: bytes, whole: tron_pb2.Transaction, time_ms: int
) -> Receipt:
    """Pays for a transaction that makes an account: stake or a fixed fee. Raises Refused."""
    size, slot = whole.ByteSize() + RESULT_BYTES, time_ms // SLOT_MILLISECONDS
    if take_staked(state, owner, size, slot):
        return Receipt(net_usage=size)
    fee = state.parameters.create_account_fee
    state.charge(owner, fee)
    return Receipt(net_fee=fee)


def take_staked(state: State, owner: bytes, size: int, slot: int) -> bool:
    """Uses bandwidth of stake when all bytes fit."""
    holding = state.accounts[owner].bandwidth
    if size > state.share(Resource.BANDWIDTH, holding.counted) - recovered(holding, slot):
        return False
    state.change(owner, Resource.BANDWIDTH, used_more(holding, size, slot))
    return True
