"""`python -m benchmarks.wallets`: build/bench/wallets.json and a table."""

import asyncio
import gc
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks import results
from benchmarks.results import Case
from benchmarks.wallets import selection

PARTS: Final = (selection.measure,)


async def measure(directory: Path) -> list[Case]:
    """Every part after the other."""
    return [case for part in PARTS for case in await part(directory)]


def main() -> None:
    """Measures, saves, shows."""
    with tempfile.TemporaryDirectory(prefix="cambist-bench-") as directory:
        # As the worker does.
        gc.freeze()
        cases = asyncio.run(measure(Path(directory)))
    results.save("wallets", cases)
    results.show(Console(), "custody", cases)


if __name__ == "__main__":
    main()
