"""What a benchmark found: JSON in build/bench, a table on the screen and in docs/benchmarks."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

BUILD: Final = Path("build/bench")
DOCS: Final = Path("docs/benchmarks")
# Before the benchmark adds its own: what else ran on the machine.
LOAD_BEFORE: Final = os.getloadavg()[0]


@dataclass(frozen=True, slots=True)
class Case:
    """One figure: the median of several rounds with the lowest and the highest."""

    case: str
    value: float
    unit: str
    low: float
    high: float
    # The same of the ceiling program in the same rounds, and value / ceiling; None without one.
    ceiling: float | None = None
    ratio: float | None = None


def case_of(name: str, unit: str, values: Sequence[float], ceilings: Sequence[float] = ()) -> Case:
    """A case from its rounds; the ratio is the median of the rounds' own ratios."""
    ratio = ceiling = None
    if ceilings:
        ceiling = statistics.median(ceilings)
        pairs = zip(values, ceilings, strict=True)
        ratio = statistics.median(value / other if other else 0.0 for value, other in pairs)
    return Case(name, statistics.median(values), unit, min(values), max(values), ceiling, ratio)


def machine() -> str:
    """What it ran on, for people."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = {
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text().splitlines()
            if line.startswith("model name")
        }
        cores = cpuinfo.read_text().count("processor\t:")
        model = f"{cores} cores, {', '.join(sorted(names)) or model}"
    python = platform.python_version()
    return f"{model}; Python {python}; load average before the run {LOAD_BEFORE:.1f}"


def save(name: str, cases: Sequence[Case]) -> Path:
    """Writes build/bench/NAME.json."""
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / f"{name}.json"
    path.write_text(json.dumps([asdict(case) for case in cases], indent=1) + "\n")
    return path


def write_page(name: str, title: str, text: str, cases: Sequence[Case]) -> Path:
    """Writes docs/benchmarks/NAME.md."""
    DOCS.mkdir(parents=True, exist_ok=True)
    lines = [
        f"# {title}",
        "",
        text.strip(),
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d}; {machine()}.",
    ]
    lines += ["", "| case | value | unit | low | high | ceiling | ratio |"]
    lines += ["|---|---:|---|---:|---:|---:|---:|"]
    lines += ["| " + " | ".join(cells(case)) + " |" for case in cases]
    path = DOCS / f"{name}.md"
    path.write_text("\n".join(lines) + "\n")
    return path


def show(console: Console, title: str, cases: Sequence[Case]) -> None:
    """Prints a table."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2))
    table.add_column("case")
    for column in ("value", "unit", "low", "high", "ceiling", "ratio"):
        table.add_column(column, justify="left" if column == "unit" else "right")
    for case in cases:
        table.add_row(*cells(case))
    console.print(table)


def cells(case: Case) -> list[str]:
    """A case as text."""
    return [
        case.case,
        number(case.value),
        case.unit,
        number(case.low),
        number(case.high),
        "" if case.ceiling is None else number(case.ceiling),
        "" if case.ratio is None else f"{case.ratio:.2f}",
    ]


def number(value: float) -> str:
    """Digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
