"""How used bandwidth and energy come back over a day, by the chain's own rounding. Pure.

Free bandwidth comes back over a fixed window; what stake gives, over a window of the account that
moves with each use. Whole numbers stand for the chain's floating ones.
"""

from dataclasses import replace

from wallets.tron.simulator.parameters import PRECISION, WINDOW_PRECISION, WINDOW_SLOTS
from wallets.tron.simulator.state import Account, Holding


def decayed(used: int, window_slots: int, gone_slots: int) -> int:
    """The chain's moving average of what was used, after slots went by."""
    left = max(0, window_slots - gone_slots)
    average = -(-used * PRECISION // window_slots)
    return (2 * average * left + window_slots) // (2 * window_slots)


def recovered_free(account: Account, slot: int) -> int:
    """Free bytes that still count as used."""
    average = decayed(account.free_used, WINDOW_SLOTS, slot - account.free_used_slot)
    return average * WINDOW_SLOTS // PRECISION


def increased_free(account: Account, size: int, slot: int) -> int:
    """Free bytes that count as used after some more."""
    average = decayed(account.free_used, WINDOW_SLOTS, slot - account.free_used_slot)
    return (average - (-size * PRECISION // WINDOW_SLOTS)) * WINDOW_SLOTS // PRECISION


def used_more(holding: Holding, amount: int, slot: int) -> Holding:
    """Usage and window after some more is used now; 0 is what came back alone."""
    slots, gone = holding.window // WINDOW_PRECISION, slot - holding.used_slot
    average = decayed(holding.used, slots, gone)
    added = -(-amount * PRECISION // WINDOW_SLOTS)
    used = (average * slots + added * WINDOW_SLOTS) // PRECISION
    remains = average * slots // PRECISION
    window = whole = WINDOW_SLOTS * WINDOW_PRECISION
    if remains:
        area = remains * (holding.window - gone * WINDOW_PRECISION) + amount * whole
        window = min(whole, -(-area // used))
    return replace(holding, used=used, used_slot=slot, window=window)


def recovered(holding: Holding, slot: int) -> int:
    """What of a resource still counts as used."""
    slots = holding.window // WINDOW_PRECISION
    return decayed(holding.used, slots, slot - holding.used_slot) * slots // PRECISION


def taken_over(owner: Holding, receiver: Holding, amount: int, slot: int) -> Holding:
    """Usage that comes back to a lender with the loan; both are recovered up to now."""
    owner = used_more(owner, 0, slot)
    used = owner.used + amount
    window = whole = WINDOW_SLOTS * WINDOW_PRECISION
    if used:
        window = min(whole, -(-(owner.used * owner.window + amount * receiver.window) // used))
    return replace(owner, used=used, window=window)
