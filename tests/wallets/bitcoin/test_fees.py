"""Fees: B11, the source is absent or absurd, and nothing is ever paid above the ceiling."""

from decimal import Decimal
from typing import Any

import pytest

from wallets.bitcoin.fees import FeePolicy, rate_of

POLICY = FeePolicy(
    floor_rate=1_000,
    fallback_rate=5_000,
    ceiling_rate=100_000,
    long_term_rate=5_000,
    target_blocks=6,
)


@pytest.mark.parametrize(
    ("answer", "rate"),
    [
        (None, 5_000),
        ({"errors": ["Insufficient data or no feerate found"], "blocks": 0}, 5_000),
        ({"feerate": Decimal(-1)}, 5_000),
        ({"feerate": Decimal("NaN")}, 5_000),
        ({"feerate": "0.1"}, 5_000),
        ({"feerate": 0}, 5_000),
        ({"feerate": Decimal("0.00000001")}, 1_000),
        ({"feerate": Decimal("0.00012345")}, 12_345),
        ({"feerate": Decimal("0.000123451")}, 12_346),
        # 10,000 satoshi per byte.
        ({"feerate": Decimal("0.1")}, 100_000),
        ({"feerate": Decimal("1e400")}, 100_000),
        ({"feerate": 10**30}, 100_000),
    ],
)
def test_a_rate_lies_between_floor_and_ceiling(answer: Any, rate: int) -> None:
    assert rate_of(answer, POLICY) == rate


@pytest.mark.parametrize(("floor", "fallback", "ceiling"), [(0, 1, 1), (2, 1, 3), (1, 3, 2)])
def test_a_policy_that_cannot_hold_is_refused(floor: int, fallback: int, ceiling: int) -> None:
    with pytest.raises(ValueError, match="floor"):
        FeePolicy(floor, fallback, ceiling, 1, 6)
