"""Which commands a Market's generation needs: what changed against what was acknowledged. Pure.

Never because phases differ: a halt of the engine's own is not lifted by a reconcile. A resume is
planned only when `halted` went from true to false by a person's hand, or after our own creation.
"""

import enum
from typing import Any, Final

from cambist.admin.v1 import admin_pb2
from cambist.orders.v1 import enums_pb2

Spec = dict[str, Any]
HALTED: Final = enums_pb2.MARKET_PHASE_HALTED
# Out of a halt in steps, so that people look before orders trade.
LADDER: Final = (
    enums_pb2.MARKET_PHASE_CANCEL_ONLY,
    enums_pb2.MARKET_PHASE_POST_ONLY,
    enums_pb2.MARKET_PHASE_CONTINUOUS,
)
PHASE_PREFIX: Final = "MARKET_PHASE_"
# Limits that a later release brought: what was acknowledged before it says nothing of them.
LATER_LIMITS: Final = {"marketProtectionPpm": 0, "staticBandPpm": 0}


class Command(enum.StrEnum):
    """Kinds of commands; one of each at most per generation."""

    CREATE = "Create"
    UPDATE = "Update"
    HALT = "Halt"
    RESUME = "Resume"


def commands(spec: Spec, acknowledged: Spec | None) -> list[Command]:
    """What to send for `spec`, in order."""
    if acknowledged is None:
        return [Command.CREATE]
    found = []
    is_same = whole_limits(spec) == whole_limits(acknowledged)
    if not is_same or spec["fees"] != acknowledged.get("fees"):
        found.append(Command.UPDATE)
    if spec["halted"] != acknowledged.get("halted"):
        found.append(Command.HALT if spec["halted"] else Command.RESUME)
    return found


def acknowledge(spec: Spec, acknowledged: Spec | None, command: Command) -> Spec:
    """What the engine has acknowledged once `command` was answered."""
    if acknowledged is None or command is Command.CREATE:
        # A new market is halted: opening it is a command of its own.
        return {**spec, "halted": True, "isNew": True}
    if command is Command.UPDATE:
        return {**acknowledged, "fees": spec["fees"], "limits": spec["limits"]}
    return {**acknowledged, "halted": spec["halted"], "isNew": False}


def limits_of(spec: Spec) -> admin_pb2.MarketLimits:
    """Limits and fees as the engine takes them."""
    limits, fees = whole_limits(spec), spec["fees"]
    return admin_pb2.MarketLimits(
        price_step_ticks=limits["priceStepTicks"],
        quantity_step_lots=limits["quantityStepLots"],
        minimum_quantity_lots=limits["minimumQuantityLots"],
        maximum_quantity_lots=limits["maximumQuantityLots"],
        minimum_notional_atoms=no_zero(limits["minimumNotionalAtoms"]),
        maximum_notional_atoms=no_zero(limits["maximumNotionalAtoms"]),
        maker_fee_ppm=fees["makerPpm"],
        taker_fee_ppm=fees["takerPpm"],
        resting_orders_max=limits["restingOrdersMax"],
        market_protection_ppm=limits["marketProtectionPpm"],
        static_band_ppm=limits["staticBandPpm"],
    )


def whole_limits(spec: Spec) -> Spec:
    """The limits of a spec, or of what was acknowledged, with those that it does not know."""
    return {**LATER_LIMITS, **spec.get("limits", {})}


def no_zero(amount: str) -> str:
    """An amount, empty for zero: the resource's zero means none."""
    return amount if int(amount) else ""


def market_of(spec: Spec, asset_ids: dict[str, int]) -> admin_pb2.Market:
    """The market as the engine takes it; both assets must be in `asset_ids`."""
    return admin_pb2.Market(
        market_id=spec["marketId"],
        symbol=f"{spec['base']}-{spec['quote']}",
        base_asset_id=asset_ids[spec["base"]],
        quote_asset_id=asset_ids[spec["quote"]],
        lot_size_atoms=spec["lotSizeAtoms"],
        tick_size_atoms=spec["tickSizeAtoms"],
        limits=limits_of(spec),
    )


def phase_name(phase: int) -> str:
    """A phase without its prefix."""
    value = enums_pb2.MarketPhase.ValueType(phase)
    return enums_pb2.MarketPhase.Name(value).removeprefix(PHASE_PREFIX)


def diverges(spec: Spec, phase: int) -> bool:
    """Whether the engine is halted and should not be, or the other way round."""
    return bool(spec["halted"]) != (phase == HALTED)


def request_id(uid: str, generation: int, command: Command) -> str:
    """Names one request over all tries of all leaders; for logs on both sides."""
    return f"{uid}/{generation}/{command}"
