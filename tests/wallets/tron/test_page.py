"""The page's table of failures names tests that exist, for each failure at least one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "wallets" / "tron.md"
FOLDERS = ("tests/chains/tron", "tests/wallets/tron")
FAILURES = [f"T{number}" for number in range(1, 16)]
ROW = re.compile(r"^\| (T\d+) \|", re.MULTILINE)
NAMED = re.compile(r"`(test_\w+)\.(test_\w+)`")


def test_each_failure_of_the_table_names_tests_that_exist() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if ROW.match(line)]
    assert [row.split("|")[1].strip() for row in rows] == FAILURES
    sources = {
        path.stem: path.read_text() for folder in FOLDERS for path in (ROOT / folder).glob("*.py")
    }
    for row in rows:
        named = NAMED.findall(row)
        assert named, row
        for module, name in named:
            assert f"def {name}(" in sources[module], (module, name)
