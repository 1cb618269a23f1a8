"""`python -m benchmarks.wallets.watched [CHAIN …]`: a block's cost as more addresses are watched.

Blocks of `scanning`, through the real scanner into one Postgres, for networks that watch from a
thousand to a million addresses. A cost is processor time of all that works for a block, Postgres
included, so that other programs on the machine count less; its ceiling is the same block with the
fewest addresses, and 1 is flat. Writes build/bench/watched.json; with `--docs` also
docs/benchmarks/watched.md with its plot.
"""

import argparse
import asyncio
import gc
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks import results
from benchmarks.results import Case, case_of
from benchmarks.wallets.scanning import KINDS, Kind, follow, opened, record
from runtime.postgres import Database

WATCHED: Final = (1_000, 10_000, 100_000, 1_000_000)
WATCHED_SMALL: Final = (1_000, 10_000)
# Blocks of one round, and rounds of which the first is thrown away.
BLOCKS: Final = 20
ROUNDS: Final = 4
ROUNDS_SMALL: Final = 2
# Milliseconds that a chain takes for a block.
PACES: Final = {"bitcoin": 600_000, "ethereum": 12_000, "tron": 3_000}
COST: Final = "ms/block"
SHARE: Final = "% of a core"
TEXT: Final = """
Blocks as in `make bench-wallets`: 4,000 outputs on Bitcoin, 3,000 logs on Ethereum, 500 TRC-20
logs on TRON, ten of them to watched addresses, through the real scanner, checks of roots included,
into Postgres. A cost is processor time of scanner and Postgres together; `ceiling` is the same
blocks in the same rounds with the fewest watched addresses, so that a ratio of 1 is flat. `at its
pace` is that cost as a share of one core while the chain makes a block every 600, 12 and 3 seconds.
What grows with the addresses is the index of their keys: each key of a block is looked up in it.
Nodes answer from memory, so their network is not in it. A chain without rows was not measured.

![Cost of a block by watched addresses](watched.svg)
"""


async def measure(
    directory: Path, kinds: Sequence[Kind], counts: Sequence[int], rounds: int
) -> list[Case]:
    """Each chain with every number of addresses, in turns."""
    cases: list[Case] = []
    async with opened(directory / "postgres-watched") as (database, pids):
        for number, kind in enumerate(kinds):
            first_id = 1 + number * len(counts)
            costs = await costs_of(database, kind, first_id, counts, rounds, pids)
            cases += cases_of(kind, counts, costs)
    return cases


async def costs_of(
    database: Database,
    kind: Kind,
    first_id: int,
    counts: Sequence[int],
    rounds: int,
    pids: dict[str, int],
) -> list[list[float]]:
    """Milliseconds of processor time by block, a list of rounds for each number of addresses."""
    recording = record(kind, BLOCKS * rounds)
    followed = [
        await follow(database, kind, first_id + at, count, recording)
        for at, count in enumerate(counts)
    ]
    # What filling a million rows leaves to be done is no block's cost.
    await database.write("checkpoint")
    costs: list[list[float]] = [[] for _ in counts]
    for _ in range(rounds):
        for found, one in zip(costs, followed, strict=True):
            _, used = await one.catch_up(BLOCKS, pids)
            found.append(used)
    return [found[1:] for found in costs]


def cases_of(kind: Kind, counts: Sequence[int], costs: Sequence[Sequence[float]]) -> list[Case]:
    """Each number beside the fewest, and what the most take of a core. Pure."""
    fewest, pace = costs[0], PACES[kind.chain]
    cases = [
        case_of(f"{kind.chain}/{count:,}", COST, found, () if found is fewest else fewest)
        for count, found in zip(counts, costs, strict=True)
    ]
    shares = [cost * 100 / pace for cost in costs[-1]]
    return [*cases, case_of(f"{kind.chain}/{counts[-1]:,} at its pace", SHARE, shares)]


def draw(cases: Sequence[Case]) -> None:
    """Writes docs/benchmarks/watched.svg."""
    import matplotlib as mpl

    mpl.use("Agg")
    # Without it each run would name its parts anew.
    mpl.rcParams["svg.hashsalt"] = "watched"
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for chain in PACES:
        chosen = [case for case in cases if case.unit == COST and case.case.startswith(f"{chain}/")]
        counts = [int(case.case.partition("/")[2].replace(",", "")) for case in chosen]
        if counts:
            axis.plot(counts, [case.value for case in chosen], marker="o", label=chain)
    axis.set(xscale="log", xlabel="watched addresses", ylabel=COST, ylim=(0, None))
    axis.legend()
    figure.savefig(results.DOCS / "watched.svg", metadata={"Date": None})


def main() -> None:
    """Measures, saves, shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="sizes for CI")
    parser.add_argument("--docs", action="store_true", help="write the page")
    parser.add_argument("chains", nargs="*", choices=[*PACES, []], help="all without any")
    given = parser.parse_args()
    kinds = [kind for kind in KINDS if kind.chain in (given.chains or PACES)]
    counts, rounds = (WATCHED_SMALL, ROUNDS_SMALL) if given.small else (WATCHED, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="cambist-bench-") as directory:
        # As the worker does.
        gc.freeze()
        cases = asyncio.run(measure(Path(directory), kinds, counts, rounds))
    console = Console(width=120)
    results.show(console, f"watched addresses, {results.machine()}", cases)
    console.print(f"written to {results.save('watched', cases)}", highlight=False)
    if given.docs:
        results.write_page("watched", "A block's cost by watched addresses", TEXT, cases)
        draw(cases)


if __name__ == "__main__":
    main()
