"""What tapes must make happen: whole closed lists of the contract, less what is named here.

Used by the tests of coverage. A name is left out only with its reason; a name that is left out and
happens all the same is a fault too.
"""

from collections.abc import Iterable
from typing import Any, Final

from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.internal.matching.v1 import matching_pb2 as matching
from cambist.market_data.v1 import events_pb2 as market_data
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.differential.census import Census
from tests.differential.flow.later_orders import FULL_RULES

# Names of later issues, each with what it waits for.
RESERVED: Final = {
    "CANCEL_REASON_LIST": "lists of orders: NewList is UNSUPPORTED",
    "CANCEL_REASON_PROTECTION": "market-maker protection: MassQuote is UNSUPPORTED",
}
# Names that occur under rules version 2 only.
OF_SECOND_RULES: Final = (
    "EXEC_TYPE_TRIGGERED",
    "CANCEL_REASON_DISCONNECT",
    "CANCEL_REASON_TIMER",
    "CANCEL_REASON_MARKET_PROTECTION",
    "system fee_tier_set",
    "system set_trading_limits",
    "system trading_limits_set",
    "REJECT_REASON_ORDER_QUANTITY_LIMIT",
    "REJECT_REASON_ORDER_NOTIONAL_LIMIT",
    "REJECT_REASON_OPEN_QUANTITY_LIMIT",
    "REJECT_REASON_OPEN_NOTIONAL_LIMIT",
    "REJECT_REASON_POSITION_LIMIT",
    "system reference_price_set",
    "REJECT_REASON_OUTSIDE_PRICE_BAND",
)
BATCH_REFUSALS: Final = (
    "MALFORMED",
    "MALFORMED_BATCH",
    "WRONG_SHARD",
    "WRONG_SEQ",
    "TIME_BACKWARDS",
    "NO_ENVELOPE",
    "TOO_LARGE",
)


def _names(enum: Any) -> list[str]:
    """The names of an enum but the one that means that nothing is set."""
    names: list[str] = enum.keys()
    return [name for name in names if not name.endswith("_UNSPECIFIED")]


def _members(message: Any, prefix: str = "") -> list[str]:
    """The members of a message's only oneof."""
    return [prefix + field.name for field in message.DESCRIPTOR.oneofs[0].fields]


def expected() -> dict[str, list[str]]:
    """Every name that must occur, by the counter of the census that counts it."""
    return {
        "rejects": _names(enums.RejectReason),
        "malformed": _names(matching.MalformedReason),
        "refusals": list(BATCH_REFUSALS),
        "kinds": [
            *_members(commands.Command),
            *_members(system.SystemCommand, "system "),
            *_names(enums.CommandClass),
        ],
        "events": [
            *_names(enums.ExecType),
            *_names(enums.CancelReason),
            *_names(enums.ResolveState),
            *_names(events.MoneyKind),
            *_names(market_data.L3Action),
            *(f"prevented {name}" for name in _names(enums.SelfTradePrevention)[:4]),
            *_members(events.PrivateEvent),
            *_members(events.SessionEvent, "session "),
            *_members(frames.SystemEvent, "system "),
            "gap in numbers",
            "repeated execution_report",
            "repeated cancel_reject",
            "repeated money_report",
            "repeated mass_cancel_report",
            "restored",
        ],
    }


def reserved(rules_version: int) -> tuple[str, ...]:
    """Names that must not occur under rules of a version."""
    return (*RESERVED, *(OF_SECOND_RULES if rules_version < FULL_RULES else ()))


def missing(census: Census, besides: Iterable[str] = (), rules_version: int = 1) -> list[str]:
    """Names that did not occur, but for those that are reserved or given."""
    left_out = {*reserved(rules_version), *besides}
    return [
        name
        for counter, names in expected().items()
        for name in names
        if name not in left_out and not getattr(census, counter)[name]
    ]


def premature(census: Census, rules_version: int = 1) -> list[str]:
    """Names that are reserved for later and occurred."""
    names = reserved(rules_version)
    return [name for name in names if census.events[name] or census.rejects[name]]
