"""Values of the contract are plain: they cannot change under an adapter's hands."""

import dataclasses
import inspect

import pytest

from wallets import contract

VALUES = [
    found
    for _, found in inspect.getmembers(contract, inspect.isclass)
    if dataclasses.is_dataclass(found) and found.__module__ == contract.__name__
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_values_of_the_contract_are_frozen_and_slotted(value: type) -> None:
    assert value.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(value)


def test_the_contract_keeps_its_three_words() -> None:
    methods = {name for name, _ in inspect.getmembers(contract.Adapter, inspect.isfunction)}
    assert {"create_wallet", "send", "confirm"} <= methods
