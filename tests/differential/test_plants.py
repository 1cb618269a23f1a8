"""Every planted bug is found within its stated number of commands; without one nothing is found.

`make test-plants` runs this. It builds one kernel per plant, each in a few seconds.
"""

from itertools import product
from typing import Final

import pytest

from tests.differential.planted import HONEST, Planted, build, cargo, hunt, page

pytestmark = [
    pytest.mark.plants,
    pytest.mark.slow,
    pytest.mark.skipif(cargo() is None, reason="needs a Rust compiler: see tools/kernel.sh"),
]
SEEDS: Final = (1, 2, 3)


@pytest.mark.parametrize("row", page(), ids=lambda row: row.plant)
def test_a_planted_bug_is_found(row: Planted) -> None:
    folder = build(row.plant)
    for seed in SEEDS:
        found = hunt(folder, seed, row.commands, row.rules_version)
        assert found.kernel_file.startswith(str(folder)), "another kernel was imported"
        assert found.found_after is not None, f"seed {seed}: not within {row.commands} commands"


def test_nothing_is_found_where_nothing_is_planted() -> None:
    folder = build(HONEST)
    for seed, version in product(SEEDS, (1, 2)):
        found = hunt(folder, seed, max(row.commands for row in page()), version)
        assert found.kernel_file.startswith(str(folder)), "another kernel was imported"
        assert found.found_after is None, found.aspect
