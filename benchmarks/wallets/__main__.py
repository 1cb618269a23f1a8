"""`python -m benchmarks.wallets [--small] [--docs] [PART …]`: build/bench/wallets.json and a table.

With `--docs` also docs/benchmarks/wallets.md. Payouts of ether need anvil or geth.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from benchmarks import results
from benchmarks.results import Case
from benchmarks.wallets import derivation, payouts, scanning, selection
from benchmarks.wallets.sizes import FULL, SMALL, Sizes

Part = Callable[[Path, Sizes], Awaitable[list[Case]]]
PARTS: Final[dict[str, Part]] = {
    "selection": selection.measure,
    "derivation": derivation.measure,
    "scan": scanning.measure,
    "payouts": payouts.measure,
}
TEXT: Final = """
What custody costs beside what it cannot do without. `ceiling` is measured in the same rounds, in
turns; it is another thing for each kind of figure.

- `bitcoin plan`: coins out of the database, the search among them, and the plan for the signer.
- `derivation/CHAIN/keys`: what blocks are matched with, from an extended public key, per second of
  one core; `addresses`: their texts as well. The ceiling is the addition on the curve alone.
- `scan/CHAIN of N/…`: blocks with N outputs or logs, ten of them to watched addresses, through the
  real scanner, checks of roots included, into Postgres. Nodes answer from memory. The ceiling of
  a cost per block is the same with a thousand watched addresses, so that 1 is flat; that of
  catching up is reading the same answers as JSON and one commit per block.
- `payouts/tron`: withdrawals of TRX from the journal to the settlement by the real pipeline, eight
  steps side by side, with Postgres, the signer's process (mutual TLS) and a simulated node. Waiting
  for blocks is not counted. The ceiling runs in the same rounds with the same signer and node. It
  makes as many commits as the pipeline did in that round; they insert and change as many rows as
  the pipeline was seen to write, of the same mean size, in a table with one index and no triggers.
  It has as many plans signed, each by the whole call: mutual TLS, the signer's checks, its log and
  its commit. It broadcasts each transaction once. It reads nothing, asks nothing, decides nothing.
- `payouts/ethereum`: the same with ether over sixteen lanes and anvil or geth, which makes a block
  each second; only where one of them is found.
"""


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wallets")
    parser.add_argument("--small", action="store_true", help="the size that CI runs")
    parser.add_argument("--docs", action="store_true", help="write the page")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all without any")
    return parser.parse_args(arguments)


async def measure(parts: Sequence[str], directory: Path, sizes: Sizes) -> list[Case]:
    """Every part after the other."""
    return [case for part in parts for case in await PARTS[part](directory, sizes)]


def main() -> int:
    """Measures, saves, shows."""
    options = read_options(sys.argv[1:])
    sizes = SMALL if options.small else FULL
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cambist-bench-") as directory:
        # As the worker does, on its loop.
        gc.freeze()
        cases = uvloop.run(measure(options.parts or list(PARTS), Path(directory), sizes))
    console = Console(width=120)
    results.show(console, f"custody, {results.machine()}", cases)
    path = results.save("wallets", cases)
    console.print(f"written to {path}; took {time.monotonic() - started:.0f} s", highlight=False)
    if options.docs:
        results.write_page("wallets", "Custody beside its ceilings", TEXT, cases)
    return 0


if __name__ == "__main__":
    sys.exit(main())
