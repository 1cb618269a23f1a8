"""Plays that give good commands strange values: any field of any command, from a list of edges."""

from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import Flow
from tests.differential.flow.later_orders import any_order
from tests.differential.flow.messages import amount
from tests.differential.flow.orders import amend, cancel, mass_cancel
from tests.differential.flow.plays.money import transfer, withdrawal
from tests.differential.flow.world import BTC, USDT, market_id

EDGES: Final = (
    0, 1, -1, 2, 7, 1 << 31, (1 << 31) - 1, -(1 << 31), 1 << 32, (1 << 32) - 1,
    1 << 53, (1 << 53) + 1, (1 << 63) - 1, -(1 << 63), 1 << 63, (1 << 64) - 1,
)  # fmt: skip
AMOUNTS: Final = (
    0, 1, -1, 1 << 64, 1 << 120, (1 << 120) + 1, 1 << 126, (1 << 127) - 1, -(1 << 127), -(1 << 126),
)  # fmt: skip
RANGES: Final = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
}
EXPIRES_AFTER_MS_MAX: Final = 60_000


def _strange(flow: Flow, field: Any, present: Any) -> Any:
    """Another value of a field that the strict decoder takes."""
    random = flow.random
    if field.name == "expires_after_ms":
        return random.choice((0, 1, EXPIRES_AFTER_MS_MAX))
    if field.cpp_type in RANGES:
        low, high = RANGES[field.cpp_type]
        near = (present + 1, present - 1, present * 2)
        values = [value for value in (*EDGES, *near) if low <= value <= high]
        return random.choice(values)
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return random.choice([value.number for value in field.enum_type.values])
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return not present
    if field.type == FieldDescriptor.TYPE_BYTES:
        values = [amount(value) or present for value in AMOUNTS]
        return random.choice([*values, bytes(16), b"\xff" * 16, flow.new_id()])
    return present


def scrambled(flow: Flow, message: Message, changes: int) -> Message:
    """The message with some fields changed; lists, strings and messages inside stay."""
    fields = [
        field
        for field in message.DESCRIPTOR.fields
        if not field.is_repeated and field.cpp_type != FieldDescriptor.CPPTYPE_MESSAGE
    ]
    for field in flow.random.sample(fields, min(changes, len(fields))):
        setattr(message, field.name, _strange(flow, field, getattr(message, field.name)))
    return message


def strange_commands_of_firms(flow: Flow) -> None:
    """Commands of firms with one to three strange fields."""
    account_id = flow.account_of().account_id
    order = flow.model.orders.draw(flow.random)
    for _ in range(6):
        bodies: list[Message] = [
            any_order(flow, account_id),
            any_order(flow, account_id),
            mass_cancel(flow, account_id),
            transfer(flow, account_id, 4_096, USDT, 50),
            withdrawal(flow, account_id, BTC, 50, 1),
        ]
        if order is not None:
            bodies += [amend(flow, order), amend(flow, order), cancel(flow, order)]
        body = flow.random.choice(bodies)
        flow.firm(scrambled(flow, body, flow.random.randint(1, 3)))


def strange_commands_of_the_venue(flow: Flow) -> None:
    """Commands of the venue with one strange field, on spare things where they can do harm."""
    source = flow.random.choice((1, 2))
    spare = market_id(flow.random.randrange(100, 130))
    number = flow.random.randrange(70_000, 70_040)
    bodies: list[Message] = [
        system.CreateAsset(asset_id=flow.random.randrange(200, 260), symbol="S", decimals=3),
        system.CreateFirm(firm_id=number, name="x"),
        system.CreateAccount(account_id=number, firm_id=1, limits=system.AccountLimits()),
        system.SetPhase(market_id=spare, phase=enums.MARKET_PHASE_CONTINUOUS),
        system.UpdateMarket(market_id=spare, parameters=system.MarketParameters()),
        system.SessionLost(session_id=12, connection=1),
        system.SwitchRules(version=1),
        system.Credit(
            source_id=source,
            source_seq=flow.model.sources.get(source, 0) + 1,
            deposit_id=flow.new_id(),
            account_id=4_096,
            asset_id=BTC,
            amount_atoms=amount(5),
        ),
        system.ShardTransferIn(
            source_id=source,
            source_seq=flow.model.sources.get(source, 0),
            peer_shard=5,
            account_id=4_096,
            asset_id=BTC,
            amount_atoms=amount(3),
        ),
    ]
    body = flow.random.choice(bodies)
    if isinstance(body, system.UpdateMarket):
        scrambled(flow, body.parameters, 2)
    elif isinstance(body, system.CreateAccount):
        scrambled(flow, body.limits, 1)
    else:
        scrambled(flow, body, 1)
    flow.venue(body)


PLAYS: Final = (
    strange_commands_of_firms,
    strange_commands_of_firms,
    strange_commands_of_the_venue,
)
