"""Which deposits on TRON are worth gathering now, and what must come first. Pure.

Called by `gathering`, with what the chain holds, and by `python -m wallets.tron.plan`. A token on
an address without TRX cannot move: it needs an account, and energy that is burned there or lent to
it. The plan of a sweep says all that is left to do and what it costs at most; only its first step
is carried out, then the chain is looked at again. What the station sends is no deposit.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wallets.errors import Condition, Stuck
from wallets.tron import planner
from wallets.tron.planner import PERCENT, Option, Prices, Source, Stock, Task

ACTIVATING_SUN: Final = 1


class Kind(enum.StrEnum):
    """One transaction; the names are those of attempts."""

    # TRX from the station; the first makes the account.
    TOP_UP = "top_up"
    DELEGATION = "delegation"
    RENTAL = "rental"
    SWEEP = "sweep"
    RECLAIM = "reclaim"


@dataclass(frozen=True, slots=True)
class SweepPolicy:
    """What gathering may cost. Contracts without a minimum are not swept; TRX's is of b""."""

    minimum_atoms: Mapping[bytes, int]
    # All that one deposit of a token may cost, an account and energy included.
    token_cost_sun_max: int = 20_000_000
    # Of TRX: the most of the amount that its sweep may cost.
    cost_percent_max: int = 5
    # On top of an estimate of energy: the contract's penalty may rise until the block.
    margin_percent: int = 30
    # Sweeps and what comes before them in one round, and sun that its top-ups may send.
    steps_max: int = 16
    top_up_sun_max: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset on one deposit address, with what the address has to move it."""

    account: bytes
    contract: bytes
    amount_atoms: int
    # Whether the chain knows the account: one that only got tokens is not there.
    exists: bool
    native_sun: int
    energy: int
    staked_bandwidth_bytes: int
    free_bandwidth_bytes: int
    # Of a trial run of the transfer; 0 for TRX.
    energy_needed: int
    size_bytes: int
    # The account that it goes to is not on the chain yet, and TRX makes it.
    makes_target: bool = False
    # Energy may be lent to it: no loan to it failed lately.
    may_borrow: bool = True
    # A rental service's price for the whole energy; None without an offer.
    rental_sun: int | None = None


@dataclass(frozen=True, slots=True)
class Station:
    """The account that helps deposit addresses: what it can give now."""

    balance_sun: int
    # Of its stake, free to be lent.
    energy: int
    transfer_bytes: int
    delegation_bytes: int


@dataclass(frozen=True, slots=True)
class Step:
    """Sun of a top-up, energy of a loan, atoms of a sweep; `cost_sun` is the most it takes."""

    kind: Kind
    amount: int
    cost_sun: int


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """All that is left to do, in order, and why so."""

    source: Source
    steps: tuple[Step, ...]
    cost_sun: int
    why: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A holding, and its plan, of which the first step is to be done now."""

    holding: Holding
    plan: SweepPlan

    @property
    def step(self) -> Step:
        """What is to be done now."""
        return self.plan.steps[0]


def choose(
    holdings: Sequence[Holding], station: Station, prices: Prices, policy: SweepPolicy
) -> list[Chosen]:
    """What to do in this round, the most worthwhile first; of one address one thing at a time."""
    worth = [one for one in holdings if is_listed(one, policy)]
    # TRX that a token's sweep needs stays where it is, and lent energy is used before more is lent.
    worth.sort(key=lambda one: (not one.contract, not is_ready(one), -rank_of(one, policy)))
    found: list[Chosen] = []
    busy: set[bytes] = set()
    left, left_sun = station, min(policy.top_up_sun_max, station.balance_sun)
    for holding in worth:
        if len(found) == policy.steps_max:
            break
        if holding.account in busy:
            continue
        try:
            made = plan(holding, left, prices, policy)
        except Stuck:
            continue
        step = made.steps[0]
        spent_sun = spent_of(step)
        if spent_sun > left_sun:
            continue
        left_sun -= spent_sun
        lent = step.amount if step.kind is Kind.DELEGATION else 0
        left = replace(left, energy=left.energy - lent)
        busy.add(holding.account)
        found.append(Chosen(holding, made))
    return found


def why_not(
    holdings: Sequence[Holding], station: Station, prices: Prices, policy: SweepPolicy
) -> str:
    """Why nothing is done, said of the most worthwhile holding, for people."""
    worth = [one for one in holdings if is_listed(one, policy)]
    if not worth:
        return "all is below its minimum"
    try:
        step = plan(
            max(worth, key=lambda one: rank_of(one, policy)), station, prices, policy
        ).steps[0]
    except Stuck as error:
        return str(error)
    left_sun = min(policy.top_up_sun_max, station.balance_sun)
    return f"{Condition.HOT_WALLET_UNFUNDED}: {step.kind} takes {spent_of(step)} of {left_sun} sun"


def is_listed(holding: Holding, policy: SweepPolicy) -> bool:
    """Whether a holding is of a listed asset and above its minimum."""
    minimum_atoms = policy.minimum_atoms.get(holding.contract)
    return minimum_atoms is not None and holding.amount_atoms >= max(1, minimum_atoms)


def is_ready(holding: Holding) -> bool:
    """Whether it has the energy for its sweep."""
    return holding.exists and holding.energy >= holding.energy_needed


def rank_of(holding: Holding, policy: SweepPolicy) -> int:
    """How many times its minimum a holding is."""
    return holding.amount_atoms // max(1, policy.minimum_atoms[holding.contract])


def spent_of(step: Step) -> int:
    """Sun that leave the station with a step."""
    if step.kind is Kind.SWEEP:
        return 0
    return step.cost_sun + (step.amount if step.kind is Kind.TOP_UP else 0)


def plan(holding: Holding, station: Station, prices: Prices, policy: SweepPolicy) -> SweepPlan:
    """The cheapest way to gather a holding. Raises Stuck(AT_CEILING) when it is not worth it."""
    if not holding.contract:
        return plan_native(holding, prices, policy)
    task, stock = task_of(holding, station, prices, policy)
    ways = []
    for option in planner.options_of(task, stock, prices):
        steps = steps_of(option, holding, station, prices, (task, stock))
        ways.append((sum(step.cost_sun for step in steps), option, steps))
    order = list(Source)
    cost_sun, chosen, steps = min(ways, key=lambda way: (way[0], order.index(way[1].source)))
    words = ", ".join(f"{option.source} {cost} sun" for cost, option, _ in ways)
    if cost_sun > policy.token_cost_sun_max:
        text = f"{cost_sun} sun are above {policy.token_cost_sun_max}: {words}"
        raise Stuck(Condition.AT_CEILING, text)
    return SweepPlan(chosen.source, steps, cost_sun, f"{chosen.source} is the cheapest of: {words}")


def plan_native(holding: Holding, prices: Prices, policy: SweepPolicy) -> SweepPlan:
    """All TRX but the sweep's own fee. Raises Stuck(AT_CEILING)."""
    task = Task(0, holding.size_bytes, 0, 0, activates=holding.makes_target, has_memo=False)
    cost_sun = planner.bandwidth_sun(task, stock_of(holding), prices)
    cost_sun += prices.activation_sun if holding.makes_target else 0
    amount_sun = holding.native_sun - cost_sun
    if amount_sun <= 0 or cost_sun * PERCENT > amount_sun * policy.cost_percent_max:
        text = f"{cost_sun} sun are above {policy.cost_percent_max} % of {amount_sun}"
        raise Stuck(Condition.AT_CEILING, text)
    step = Step(Kind.SWEEP, amount_sun, cost_sun)
    return SweepPlan(Source.NONE, (step,), cost_sun, "no code runs, so no energy is needed")


def task_of(
    holding: Holding, station: Station, prices: Prices, policy: SweepPolicy
) -> tuple[Task, Stock]:
    """The sweep to be paid for, and what there is for it.

    Who is helped is helped with the whole margin; who was helped goes with half of it, so that a
    price that moved a little asks for no second help.
    """
    stock = replace(
        stock_of(holding),
        delegable_energy=station.energy if holding.may_borrow else 0,
        delegation_sun=2 * station.delegation_bytes * prices.byte_sun,
        rental_sun=holding.rental_sun if holding.may_borrow else None,
    )
    for margin_percent in (policy.margin_percent // 2, policy.margin_percent):
        energy = with_margin(holding.energy_needed, margin_percent)
        task = Task(0, holding.size_bytes, energy, 0, activates=False, has_memo=False)
        missing_sun = max(0, energy - stock.energy) * prices.energy_sun
        needed_sun = missing_sun + planner.bandwidth_sun(task, stock, prices)
        if not missing_sun or (holding.exists and holding.native_sun >= needed_sun):
            break
    return task, stock


def stock_of(holding: Holding) -> Stock:
    """What lies at the address itself."""
    return Stock(
        holding.native_sun,
        holding.energy,
        holding.staked_bandwidth_bytes,
        holding.free_bandwidth_bytes,
        delegable_energy=0,
        delegation_sun=0,
        rental_sun=None,
    )


def with_margin(energy: int, margin_percent: int) -> int:
    """Rounded up."""
    return -(-energy * (PERCENT + margin_percent) // PERCENT)


def steps_of(
    option: Option,
    holding: Holding,
    station: Station,
    prices: Prices,
    what: tuple[Task, Stock],
) -> tuple[Step, ...]:
    """The steps of one way to get the energy, in order."""
    task, stock = what
    bytes_sun = planner.bandwidth_sun(task, stock, prices)
    missing = max(0, task.base_energy - stock.energy)
    steps = []
    lacking_sun = option.sender_sun + bytes_sun - holding.native_sun
    if lacking_sun > 0 or not holding.exists:
        cost_sun = station.transfer_bytes * prices.byte_sun
        if not holding.exists:
            cost_sun = prices.activation_sun + prices.activation_bandwidth_sun
        steps.append(Step(Kind.TOP_UP, max(ACTIVATING_SUN, lacking_sun), cost_sun))
    loan_sun = station.delegation_bytes * prices.byte_sun
    if option.source is Source.DELEGATION:
        steps.append(Step(Kind.DELEGATION, missing, loan_sun))
    if option.source is Source.RENTAL:
        steps.append(Step(Kind.RENTAL, missing, option.cost_sun))
    steps.append(Step(Kind.SWEEP, holding.amount_atoms, option.sender_sun + bytes_sun))
    if option.source is Source.DELEGATION:
        steps.append(Step(Kind.RECLAIM, missing, loan_sun))
    return tuple(steps)
