"""The SDK's enums are the contract's: same names, same numbers, none missing."""

import re

import pytest
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from cambist.client import enums
from cambist.client.enums import ContractEnum
from cambist.market_data.v1 import service_pb2 as market_data_pb2
from cambist.orders.v1 import enums_pb2, events_pb2
from cambist.orders.v1 import service_pb2 as orders_pb2

OURS = sorted(
    (
        value
        for value in vars(enums).values()
        if isinstance(value, type) and issubclass(value, ContractEnum) and value is not ContractEnum
    ),
    key=lambda ours: ours.__name__,
)


def theirs(name: str) -> EnumTypeWrapper:
    for module in (enums_pb2, events_pb2, orders_pb2, market_data_pb2):
        found = getattr(module, name, None)
        if isinstance(found, EnumTypeWrapper):
            return found
    raise AssertionError(f"the contract has no {name}")


@pytest.mark.parametrize("ours", OURS, ids=lambda ours: str(ours.__name__))
def test_an_enum_is_the_contracts(ours: type[ContractEnum]) -> None:
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", ours.__name__).upper() + "_"
    contract = {name.removeprefix(prefix): number for name, number in theirs(ours.__name__).items()}
    assert {member.name: member.value for member in ours} == contract


@pytest.mark.parametrize("ours", OURS, ids=lambda ours: str(ours.__name__))
def test_a_number_of_a_newer_venue_is_unspecified(ours: type[ContractEnum]) -> None:
    assert ours(987_654) is ours(0)
