"""Which nonce a lane uses next. Pure.

Called by the planner. The lowest nonce that no open attempt owns is always the next one, so a gap
that an attempt left is filled by the next payout; `gaps` names those that no payout came for.
"""

from collections.abc import Set as AbstractSet

from wallets.ethereum import limits


def next_nonce(mined_count: int, owned: AbstractSet[int]) -> int | None:
    """The next nonce after `mined_count` mined ones; None while the lane is full.

    No nonce is used that is more than 16 from the mined ones, whatever is open: nodes drop those.
    """
    for nonce in range(mined_count, mined_count + limits.OUTSTANDING_MAX):
        if nonce not in owned:
            return nonce
    return None


def gaps(mined_count: int, owned: AbstractSet[int]) -> list[int]:
    """Nonces that nobody owns below one that somebody does: everything above them waits."""
    above = [nonce for nonce in owned if nonce >= mined_count]
    if not above:
        return []
    end = min(max(above), mined_count + limits.OUTSTANDING_MAX)
    return [nonce for nonce in range(mined_count, end) if nonce not in owned]
