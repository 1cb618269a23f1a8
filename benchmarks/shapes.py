"""The five shapes of books as operations, for engines that are driven from Python.

The Rust bench has its own generator of the same shapes; this one feeds the reference engine and
other libraries, whose figures stand beside and need no more than to be comparable.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

IOC_SHARE: Final = 0.15
MODIFY_SHARE: Final = 0.2
STALE_SHARE: Final = 0.01
MIDDLE: Final = 1_000_000
SWEEP_ORDERS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Shape:
    """How a book looks: orders at rest, levels per side, how far the price wanders, gaps."""

    name: str
    resting: int
    levels: int
    wander: float
    gap_ticks: int = 1
    sweeps: bool = False


SHAPES: Final = (
    Shape("deep", 42_000, 40, 0.0),
    Shape("normal", 3_000, 300, 0.001),
    Shape("swing", 3_000, 300, 0.25),
    Shape("wide-swing", 3_000, 300, 0.40),
    Shape("gaps", 400, 200, 0.0, gap_ticks=997, sweeps=True),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One message: `kind` new, ioc, cancel or reduce; `order` names an earlier new one."""

    kind: str
    order: int
    is_buy: bool = False
    price_ticks: int = 0
    quantity_lots: int = 0


def operations(shape: Shape, count: int, seed: int) -> Iterator[Operation]:
    """`count` operations after the book is filled (the filling comes first, not counted)."""
    random = Random(f"{shape.name}/{seed}")
    resting: list[int] = []
    order = 0
    for _ in range(shape.resting):
        order += 1
        resting.append(order)
        yield rest(shape, random, order, 0.0)
    made = 0
    while made < count:
        made += 1
        progress = made / count
        draw = random.random()
        if shape.sweeps and made % (4 * SWEEP_ORDERS) == SWEEP_ORDERS:
            order += 1
            lots = SWEEP_ORDERS * 50
            yield Operation("ioc", order, True, MIDDLE * 2, lots)
        elif len(resting) > shape.resting and draw < 0.6:
            index = random.randrange(len(resting))
            resting[index], resting[-1] = resting[-1], resting[index]
            target = resting.pop()
            yield Operation("cancel", target if random.random() > STALE_SHARE else target // 2)
        elif draw < 0.7 and resting:
            target = resting[random.randrange(len(resting))]
            yield Operation("reduce", target, quantity_lots=random.randrange(1, 40))
        else:
            order += 1
            if random.random() < IOC_SHARE:
                yield take(shape, random, order, progress)
            else:
                resting.append(order)
                yield rest(shape, random, order, progress)


def middle(shape: Shape, progress: float) -> int:
    """Where the price is: it wanders out and comes back."""
    return round(MIDDLE * (1 + shape.wander * math.sin(math.tau * progress)))


def rest(shape: Shape, random: Random, order: int, progress: float) -> Operation:
    """An order that rests."""
    is_buy = random.random() < 0.5
    distance = (1 + int(random.triangular(0, shape.levels, 0))) * shape.gap_ticks
    price = middle(shape, progress) + (-distance if is_buy else distance)
    return Operation("new", order, is_buy, price, random.randrange(10, 100))


def take(shape: Shape, random: Random, order: int, progress: float) -> Operation:
    """An order that trades at once."""
    is_buy = random.random() < 0.5
    reach = 3 * shape.gap_ticks
    price = middle(shape, progress) + (reach if is_buy else -reach)
    return Operation("ioc", order, is_buy, price, random.randrange(10, 100))
