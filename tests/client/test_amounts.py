"""Numbers at the surface are exact, or refused by name."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.client.amounts import atoms_from_bytes, atoms_to_bytes, exact, scaled, to_atoms
from cambist.client.errors import InvalidInput
from cambist.client.instruments import Asset, Market

BTC, USDT = Asset(1, "BTC", 8), Asset(2, "USDT", 6)
MARKET = Market(65_537, "BTC-USDT", BTC, USDT, 10_000, 100_000, 10, price_step_ticks=5)


@given(st.integers(-(1 << 126), 1 << 126))
def test_amounts_survive_the_wire(atoms: int) -> None:
    assert atoms_from_bytes(atoms_to_bytes(atoms)) == atoms


@given(st.integers(-(10**30), 10**30), st.integers(0, 30))
def test_units_and_atoms_are_exact_both_ways(atoms: int, decimals: int) -> None:
    assert to_atoms(scaled(atoms, decimals), decimals) == atoms


@pytest.mark.parametrize(
    "number", [0.1, True, None, b"1", "", "1,5", "NaN", "Infinity", "1e400", "-1e-400", "9" * 400]
)
def test_what_is_not_exact_is_refused(number: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        exact(number)
    assert caught.value.reason == "INVALID_NUMBER"


def test_prices_are_ticks_of_the_markets_step() -> None:
    assert MARKET.ticks("90000.5") == MARKET.ticks(Decimal("90000.50")) == 900_005
    assert MARKET.price(900_005) == Decimal("90000.500000")
    for price in ("90000.1", "90000.05"):
        with pytest.raises(InvalidInput) as caught:
            MARKET.ticks(price)
        assert caught.value.reason == "OFF_TICK"


def test_quantities_are_lots() -> None:
    assert MARKET.lots("0.0001") == 1
    assert MARKET.lots(3) == 30_000
    with pytest.raises(InvalidInput) as caught:
        MARKET.lots("0.00001")
    assert caught.value.reason == "OFF_LOT"


def test_more_decimals_than_an_asset_has_are_refused() -> None:
    assert USDT.atoms("0.000001") == 1
    with pytest.raises(InvalidInput) as caught:
        USDT.atoms("0.0000001")
    assert caught.value.reason == "TOO_PRECISE"
