"""`python -m benchmarks.scale`: what a command costs and an order weighs as books and markets grow.

`orders/<n>` is one market with so many resting orders, `markets/<n>` 100,000 orders in so many
markets, `both` ten million orders in a thousand markets: processor time of one core by typed
command, everything on, and resident memory by resting order. The ratio of a size is to the first of
its kind. Writes build/bench/scale.json; with `--docs` also docs/benchmarks/scale.md with its plot.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.progress import track

from benchmarks import results
from benchmarks.kernel import find_cargo, run_program
from benchmarks.results import Case, case_of

NANOSECONDS: Final = "ns/command"
BYTES: Final = "bytes/order"
TEXT: Final = """
Typed commands to typed events, everything on, 10,000 accounts: 48 % new orders at random on 1,000
levels a side, 48 % cancels of random orders, 4 % that take. Each size runs in a program of its own;
processor time of its thread, so that other programs on the machine count less. `ceiling` is the
smallest size of the kind in the same run and `ratio` how much dearer a command is than there.
Memory is what the program grew by while the orders came to rest, by order: ids, holds and queue
places included.

![Cost and weight by size](scale.svg)
"""


@dataclass(frozen=True, slots=True)
class Size:
    """One run of the Rust program."""

    name: str
    orders: int
    markets: int


def sizes(*, is_small: bool) -> list[Size]:
    """What is measured: the first of each kind is what the others are compared with."""
    orders = (1_000, 10_000, 100_000) if is_small else (1_000, 10_000, 100_000, 1_000_000, 10**7)
    markets = (1, 100) if is_small else (1, 10, 100, 1_000)
    found = [Size(f"orders/{count:,}", count, 1) for count in orders]
    found += [Size(f"markets/{count:,}", 100_000, count) for count in markets]
    if not is_small:
        found.append(Size("both/10,000,000 in 1,000", 10**7, 1_000))
    return found


def measure(cargo: str, size: Size, commands: int) -> tuple[float, float]:
    """Nanoseconds by command and bytes by order; raises CalledProcessError."""
    what = "--scale", str(size.orders), "--markets", str(size.markets)
    told = run_program(cargo, *what, "--messages", str(commands), "--processor-time")
    return float(told["nanoseconds"]), float(told["bytes"])


def cases_of(measured: Sequence[tuple[Size, list[tuple[float, float]]]]) -> list[Case]:
    """Costs beside the first of their kind, then weights."""
    first: dict[str, list[float]] = {}
    costs, weights = [], []
    for size, rounds in measured:
        nanoseconds = [one for one, _ in rounds]
        kind = size.name.partition("/")[0]
        smallest = first.setdefault(kind, nanoseconds)
        ceilings = () if smallest is nanoseconds else smallest
        costs.append(case_of(size.name, NANOSECONDS, nanoseconds, ceilings))
        if size.orders >= 100_000:
            weights.append(case_of(f"memory/{size.name}", BYTES, [one for _, one in rounds]))
    return costs + weights


def draw(cases: Sequence[Case]) -> None:
    """Writes docs/benchmarks/scale.svg."""
    import matplotlib as mpl

    mpl.use("Agg")
    # Without it each run would name its parts anew.
    mpl.rcParams["svg.hashsalt"] = "scale"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(ncols=2, sharey=True, figsize=(9, 3.5), layout="constrained")
    for axis, kind, label in zip(
        axes, ("orders", "markets"), ("resting orders", "markets"), strict=True
    ):
        chosen = [case for case in cases if case.case.startswith(f"{kind}/")]
        counts = [int(case.case.partition("/")[2].replace(",", "")) for case in chosen]
        axis.plot(counts, [case.value for case in chosen], marker="o")
        axis.set(xscale="log", xlabel=label, ylim=(0, None))
    axes[0].set_ylabel("ns by command")
    figure.savefig(results.DOCS / "scale.svg", metadata={"Date": None})


def main() -> int:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="sizes for CI")
    parser.add_argument("--docs", action="store_true", help="writes docs/benchmarks/scale.md")
    given = parser.parse_args()
    is_small = given.small or bool(os.environ.get("CAMBIST_BENCH_SMALL"))
    cargo = find_cargo()
    if cargo is None:
        sys.exit("no cargo: this measures the Rust engine alone")
    console = Console(width=120)
    rounds, commands = (1, 50_000) if is_small else (3, 500_000)
    measured = [
        (size, [measure(cargo, size, commands) for _ in range(rounds)])
        for size in track(sizes(is_small=is_small), "sizes", console=Console(stderr=True))
    ]
    cases = cases_of(measured)
    results.show(console, f"scale, {results.machine()}", cases)
    console.print(f"written to {results.save('scale', cases)}")
    if given.docs:
        results.write_page("scale", "Cost and weight as books and markets grow", TEXT, cases)
        draw(cases)
    return 0


if __name__ == "__main__":
    sys.exit(main())
