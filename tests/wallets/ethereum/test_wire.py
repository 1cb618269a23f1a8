"""What nodes write, read strictly."""

from typing import Any

import pytest

from wallets.errors import Quarantined
from wallets.ethereum.wire import data, quantity


def test_quantities_of_256_bits_are_read() -> None:
    assert [quantity(text) for text in ("0x0", "0x10", "0x" + "f" * 64)] == [0, 16, 2**256 - 1]


@pytest.mark.parametrize(
    "value", [None, 5, "", "0x", "10", "0x-1", "0x 1", "0x_1", "0xg", "0x" + "f" * 65, True]
)
def test_what_is_no_quantity_is_the_nodes_fault(value: Any) -> None:
    with pytest.raises(Quarantined):
        quantity(value)


@pytest.mark.parametrize("value", [None, "", "0x1", "ab", "0xgg", "0xab cd", "0xabab", 7])
def test_what_are_not_so_many_bytes_is_the_nodes_fault(value: Any) -> None:
    with pytest.raises(Quarantined):
        data(value, 1)
