"""Decides where the energy and bandwidth of a transaction come from, by price, and says why. Pure.

Called by the adapter before a payout or sweep is built, and by `python -m wallets.tron.plan`. All
prices are the chain's of this moment, in sun; nothing is known by heart. It moves no money: what it
returns is carried out and booked by the adapter.
"""

import enum
from dataclasses import dataclass

from wallets.errors import Condition, Rejected, Stuck
from wallets.tron.limits import FEE_LIMIT_SUN_MAX

FACTOR_UNIT = 10_000
PERCENT = 100


class Source(enum.StrEnum):
    """Who provides energy."""

    # The transaction runs no code.
    NONE = "none"
    OWN_STAKE = "own_stake"
    # Energy of the venue's stake, lent to the sender first.
    DELEGATION = "delegation"
    RENTAL = "rental"
    BURN = "burn"


@dataclass(frozen=True, slots=True)
class Prices:
    """What the chain asks now; read before every plan."""

    energy_sun: int
    byte_sun: int
    activation_sun: int
    activation_bandwidth_sun: int
    memo_sun: int
    # Of a transaction that more than one key signed.
    several_signatures_sun: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """One transaction to be paid for."""

    # Sent along; 0 for a token.
    amount_sun: int
    size_bytes: int
    # Of a fresh run at a node, for this very recipient, without penalty; 0 for TRX.
    base_energy: int
    # Penalty of a busy contract, in ten-thousandths on top of 1.
    energy_factor: int
    activates: bool
    has_memo: bool
    signatures: int = 1


@dataclass(frozen=True, slots=True)
class Stock:
    """What the sender has and may get; energy and bandwidth that other plans lease are off."""

    balance_sun: int
    energy: int
    staked_bandwidth_bytes: int
    free_bandwidth_bytes: int
    # Of the venue's stake, free to be lent; 0 when the sender does not exist on the chain.
    delegable_energy: int
    # Costs of lending and reclaiming: two transactions of the stake's owner.
    delegation_sun: int
    # Of a rental service, for the whole missing amount; None without an offer.
    rental_sun: int | None


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows."""

    # On top of the estimate, for fee_limit: the factor may rise until the block.
    margin_percent: int
    # Highest cost of one transaction.
    cost_sun_max: int


@dataclass(frozen=True, slots=True)
class Option:
    """One way to get the energy."""

    source: Source
    cost_sun: int
    # TRX that the sender itself must have for it.
    sender_sun: int


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """The decision, with what was weighed."""

    source: Source
    energy: int
    missing_energy: int
    fee_limit_sun: int
    bandwidth_sun: int
    activation_sun: int
    cost_sun: int
    options: tuple[Option, ...]
    why: str


def energy_of(task: Task) -> int:
    """Energy with the contract's penalty, rounded up."""
    return -(-task.base_energy * (FACTOR_UNIT + task.energy_factor) // FACTOR_UNIT)


def fee_limit_sun(energy: int, prices: Prices, policy: Policy) -> int:
    """Highest burn with margin; it caps staked energy too, so it is never 0 for a call.

    Raises Stuck when the chain's own ceiling is too low for the call.
    """
    if not energy:
        return 0
    wanted = -(-energy * (PERCENT + policy.margin_percent) // PERCENT) * prices.energy_sun
    if energy * prices.energy_sun > FEE_LIMIT_SUN_MAX:
        raise Stuck(Condition.AT_CEILING, f"{energy} energy are beyond the chain's fee limit")
    return min(wanted, FEE_LIMIT_SUN_MAX)


def bandwidth_sun(task: Task, stock: Stock, prices: Prices) -> int:
    """TRX for bytes. A chain never mixes sources: all bytes from one of them, or all burned."""
    if stock.staked_bandwidth_bytes >= task.size_bytes:
        return 0
    if task.activates:
        return prices.activation_bandwidth_sun
    if stock.free_bandwidth_bytes >= task.size_bytes:
        return 0
    return task.size_bytes * prices.byte_sun


def options_of(task: Task, stock: Stock, prices: Prices) -> tuple[Option, ...]:
    """All ways to get the energy, cheapest first; on equal cost own stake before others."""
    energy = energy_of(task)
    missing = max(0, energy - stock.energy)
    if not energy:
        return (Option(Source.NONE, 0, 0),)
    if not missing:
        return (Option(Source.OWN_STAKE, 0, 0),)
    burned = missing * prices.energy_sun
    options = [Option(Source.BURN, burned, burned)]
    if stock.delegable_energy >= missing:
        options.append(Option(Source.DELEGATION, stock.delegation_sun, 0))
    if stock.rental_sun is not None:
        options.append(Option(Source.RENTAL, stock.rental_sun, 0))
    order = list(Source)
    return tuple(sorted(options, key=lambda way: (way.cost_sun, order.index(way.source))))


def plan(task: Task, stock: Stock, prices: Prices, policy: Policy) -> ResourcePlan:
    """The cheapest way that the sender can carry out. Raises Rejected, Stuck by name."""
    check(task, stock, prices)
    energy = energy_of(task)
    bytes_sun = bandwidth_sun(task, stock, prices)
    activation_sun = prices.activation_sun if task.activates else 0
    fixed_sun = bytes_sun + activation_sun + (prices.memo_sun if task.has_memo else 0)
    fixed_sun += prices.several_signatures_sun if task.signatures > 1 else 0
    options = options_of(task, stock, prices)
    left_sun = stock.balance_sun - task.amount_sun - fixed_sun
    feasible = [way for way in options if way.sender_sun <= left_sun]
    if left_sun < 0 or not feasible:
        raise Stuck(
            Condition.HOT_WALLET_UNFUNDED,
            f"{stock.balance_sun} sun do not cover {task.amount_sun} and {fixed_sun} of fees",
        )
    chosen = feasible[0]
    cost_sun = chosen.cost_sun + fixed_sun
    if cost_sun > policy.cost_sun_max:
        raise Stuck(Condition.AT_CEILING, f"{cost_sun} sun are above {policy.cost_sun_max}")
    return ResourcePlan(
        chosen.source,
        energy,
        max(0, energy - stock.energy),
        fee_limit_sun(energy, prices, policy),
        bytes_sun,
        activation_sun,
        cost_sun,
        options,
        reason(chosen, options, left_sun),
    )


def reason(chosen: Option, options: tuple[Option, ...], left_sun: int) -> str:
    """Why this way, in one line for people."""
    if chosen.source is Source.NONE:
        return "no code runs, so no energy is needed"
    if chosen.source is Source.OWN_STAKE:
        return "the sender's own energy covers it"
    words = [
        f"{way.source} {way.cost_sun} sun"
        + ("" if way.sender_sun <= left_sun else " (the sender has too little TRX)")
        for way in options
    ]
    return f"{chosen.source} is the cheapest that can be carried out of: {', '.join(words)}"


def check(task: Task, stock: Stock, prices: Prices) -> None:
    """Raises Rejected for figures that a lying or broken node may give."""
    figures = (
        task.amount_sun,
        task.base_energy,
        task.energy_factor,
        stock.balance_sun,
        stock.energy,
        stock.staked_bandwidth_bytes,
        stock.free_bandwidth_bytes,
        stock.delegable_energy,
        stock.delegation_sun,
        stock.rental_sun or 0,
        prices.activation_sun,
        prices.activation_bandwidth_sun,
        prices.memo_sun,
        prices.several_signatures_sun,
    )
    if min(figures) < 0 or min(task.size_bytes, prices.energy_sun, prices.byte_sun) <= 0:
        raise Rejected("MALFORMED", "a price or a stock cannot be negative, nor bytes free")
