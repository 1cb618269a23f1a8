"""`python -m benchmarks.instructions`: instructions of the kernel per message, level and shape.

Counted by callgrind, so that other programs on the machine change nothing: the figure by which two
versions of the kernel are compared. `--program` counts a program that was built before; else
kernel/bench is built with profile `profiling`. Writes build/bench/instructions.json. Needs
valgrind; takes about two minutes.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks import results
from benchmarks.kernel import KERNEL, find_cargo
from benchmarks.results import Case
from benchmarks.shapes import SHAPES

UNIT: Final = "instructions/message"
# What a level does between looks at the clock. It is called for the filling of a case, then for
# what is measured. Of level `typed` nothing of the kind is left by the compiler.
PLAYED: Final = {"book": "*Exchange::run", "bytes": "*BytesLevel::play"}
CASES: Final = {
    "book": tuple(shape.name for shape in SHAPES),
    "bytes": (*(shape.name for shape in SHAPES), "mixed"),
}
CALLS_PER_CASE: Final = 2


def build(cargo: str) -> Path:
    """Builds the program with symbols. Raises CalledProcessError."""
    command = [cargo, "build", "--profile", "profiling", "--quiet", "-p", "cambist-bench"]
    subprocess.run(command, cwd=KERNEL, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", KERNEL / "target"))
    return target / "profiling" / "cambist-bench"


def counts(valgrind: str, program: Path, level: str, messages: int) -> list[int]:
    """Instructions of every call of what the level plays, in order. Raises CalledProcessError."""
    played = PLAYED[level]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "calls"
        command = [valgrind, "--quiet", "--tool=callgrind", "--collect-atstart=no"]
        command += [f"--toggle-collect={played}", f"--dump-after={played}"]
        command += [f"--callgrind-out-file={out}", str(program), "--rounds", "1"]
        command += ["--messages", str(messages), "--only", f"{level}/", "--json"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        # One file per call; the one without a number is of the end and empty.
        calls = sorted(out.parent.glob("calls.*"), key=lambda path: int(path.suffix[1:]))
        return [total_of(path.read_text()) for path in calls]


def total_of(dump: str) -> int:
    """The sum that a file of callgrind tells."""
    (total,) = [line for line in dump.splitlines() if line.startswith("totals: ")]
    return int(total.removeprefix("totals: "))


def cases_of(level: str, calls: list[int], messages: int) -> list[Case]:
    """The measured half of the calls, per message."""
    names = CASES[level]
    if len(calls) != CALLS_PER_CASE * len(names):
        raise SystemExit(f"{len(calls)} calls of {PLAYED[level]} for {len(names)} cases")
    each = [total / messages for total in calls[1::CALLS_PER_CASE]]
    return [
        Case(f"{level}/{name}", value, UNIT, value, value, None, None)
        for name, value in zip(names, each, strict=True)
    ]


def main() -> int:
    """Counts, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, help="built before")
    parser.add_argument("--messages", type=int, default=50_000)
    given = parser.parse_args()
    valgrind, cargo = shutil.which("valgrind"), find_cargo()
    if valgrind is None or (cargo is None and given.program is None):
        print("needs valgrind and a Rust compiler", file=sys.stderr)
        return 1
    program = given.program or build(cargo or "")
    cases: list[Case] = []
    for level in PLAYED:
        calls = counts(valgrind, program, level, given.messages)
        cases += cases_of(level, calls, given.messages)
    console = Console(width=120)
    results.show(console, "instructions of the kernel", cases)
    console.print(f"written to {results.save('instructions', cases)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
