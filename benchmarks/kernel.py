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
from typing import Any, Final, TypedDict

from rich.console import Console

from benchmarks import beside, results
from benchmarks.results import Case, case_of
from benchmarks.shapes import SHAPES, Shape

KERNEL: Final = Path("kernel")
UNIT: Final = "messages/s"
LEVEL_BELOW: Final = {"typed": "book", "bytes": "typed"}
TEXT: Final = """
Messages per second on one core. A message is a command. Shapes as in the design: `deep` (about
42,000 resting orders on few levels), `normal`, `swing` and `wide-swing` (the price wanders by a
quarter and by 40 % and comes back), `gaps` (few orders, wide gaps, sweeps of 5,000 fills); `mixed`
is all of them in 64 markets. `book` is book and matcher alone; `typed` adds accounts, holds, fees,
ids, self-trade groups, sessions, all events, for 10,000 accounts with full tables of ids; `bytes`
adds strict protobuf decoding, encoded frames and the hashes. The value is the best of several
rounds, since other programs only make a round slower; the ceiling is the same load one level below.
`reference` is the plain Python engine, bytes in and out; `obook` is a book from PyPI (Go behind
ctypes) driven from Python, without accounts or ids: medians.
"""


class Figures(TypedDict):
    """A case as the Rust program tells it; the value is the best round."""

    case: str
    value: float
    low: float
    high: float


def find_cargo() -> str | None:
    """The Rust compiler's front end, also where rustup puts it."""
    places = f"{os.environ.get('PATH', '')}{os.pathsep}{Path.home() / '.cargo/bin'}"
    return shutil.which("cargo", path=places)


def run_program(cargo: str, *arguments: str) -> Any:
    """What the Rust program in kernel/bench told, from JSON. Raises CalledProcessError."""
    command = [cargo, "run", "--release", "--quiet", "-p", "cambist-bench", "--", *arguments]
    done = subprocess.run(command, cwd=KERNEL, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def kernel_cases(cargo: str, messages: int, rounds: int) -> list[Case]:
    """Cases of the Rust program by level, the worst shape last; raises CalledProcessError."""
    told = run_program(cargo, "--json", "--messages", str(messages), "--rounds", str(rounds))
    found = {one["case"]: one for one in told}
    levels = ["book", *LEVEL_BELOW]

    def place(one: Figures) -> tuple[int, bool, float]:
        level, _, load = one["case"].partition("/")
        return levels.index(level), load != "mixed", -one["value"]

    return [case_beside_the_level_below(one, found) for one in sorted(found.values(), key=place)]


def case_beside_the_level_below(one: Figures, found: dict[str, Figures]) -> Case:
    """A case with the same load one level below as its ceiling: what the level itself costs."""
    level, _, load = one["case"].partition("/")
    below = found.get(f"{LEVEL_BELOW.get(level, '')}/{load}")
    ceiling = below["value"] if below else None
    ratio = one["value"] / ceiling if ceiling else None
    return Case(one["case"], one["value"], UNIT, one["low"], one["high"], ceiling, ratio)


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
    if (cargo := find_cargo()) is not None:
        cases += kernel_cases(cargo, 200_000 if is_small else 1_000_000, 2 if is_small else 5)
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
