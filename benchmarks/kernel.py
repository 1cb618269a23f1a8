"""`python -m benchmarks.kernel`: messages per second of the kernel over the five shapes of books.

`book/<shape>` is book and matcher alone, `typed/<shape>` typed commands to typed events with
everything on, `bytes/<shape>` protobuf in and frames out: all three from the Rust program in
kernel/bench. Beside them the reference engine and the PyPI book `obook`. Writes
build/bench/kernel.json; with `--docs` also docs/benchmarks/kernel.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks import beside, results
from benchmarks.results import Case, case_of
from benchmarks.shapes import SHAPES, Shape

KERNEL: Final = Path("kernel")
UNIT: Final = "messages/s"
TEXT: Final = """
Messages per second on one core. A message is a command. Shapes as in the design: `deep` (about
42,000 resting orders on few levels), `normal`, `swing` and `wide-swing` (the price wanders by a
quarter and by 40 % and comes back), `gaps` (few orders, wide gaps, long sweeps). `book` is book and
matcher alone; `typed` adds accounts, holds, fees, ids, self-trade groups over 64 markets and 10,000
accounts with full key tables; `bytes` adds strict protobuf decoding and encoded frames. `reference`
is the plain Python engine, bytes in and out; `obook` is a book from PyPI (Go behind ctypes) driven
from Python, without accounts or ids.
"""


def kernel_cases(messages: int, rounds: int) -> list[Case]:
    """Cases of the Rust program; raises CalledProcessError."""
    command = ["cargo", "run", "--release", "--quiet", "-p", "cambist-bench", "--"]
    command += ["--json", "--messages", str(messages), "--rounds", str(rounds)]
    done = subprocess.run(command, cwd=KERNEL, check=True, stdout=subprocess.PIPE, text=True)
    return [
        Case(one["case"], one["value"], one.get("unit", UNIT), one["low"], one["high"])
        for one in json.loads(done.stdout)
    ]


def beside_cases(
    name: str, rate: Callable[[Shape, int, int], float], count: int, rounds: int
) -> list[Case]:
    """One engine over all shapes."""
    return [
        case_of(f"{name}/{shape.name}", UNIT, [rate(shape, count, seed) for seed in range(rounds)])
        for shape in SHAPES
    ]


def main() -> int:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="sizes for CI")
    parser.add_argument("--docs", action="store_true", help="writes docs/benchmarks/kernel.md")
    given = parser.parse_args()
    is_small = given.small or bool(os.environ.get("CAMBIST_BENCH_SMALL"))
    rounds = 1 if is_small else 3
    console = Console(width=120)
    cases: list[Case] = []
    if shutil.which("cargo"):
        cases += kernel_cases(200_000 if is_small else 2_000_000, 2 if is_small else 5)
    else:
        console.print("no cargo: the kernel itself is not measured", style="bold yellow")
    cases += beside_cases("obook", beside.obook_rate, 20_000 if is_small else 200_000, rounds)
    cases += beside_cases("reference", beside.reference_rate, 1_000 if is_small else 5_000, rounds)
    results.show(console, f"kernel, {results.machine()}", cases)
    console.print(f"written to {results.save('kernel', cases)}")
    if given.docs:
        results.write_page("kernel", "The kernel over five shapes of books", TEXT, cases)
    return 0


if __name__ == "__main__":
    sys.exit(main())
