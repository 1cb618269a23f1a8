"""The list of given addresses as text, and back."""

from pathlib import Path

import click
import pytest

from wallets.deposits.addresses_command import line_of, read_lines
from wallets.deposits.restoring import Given

ONE = Given(2, 4_999, 4_096, 1, b"r" * 16, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")


def written(folder: Path, *lines: str) -> Path:
    file = folder / "addresses.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def test_what_is_listed_is_read_back_as_it_was(tmp_path: Path) -> None:
    other = Given(1, 0, 5_000, 0, b"", "text")
    assert read_lines(written(tmp_path, line_of(ONE), line_of(other))) == (ONE, other)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"place": 4999', '"place": -1'),
        ('"place": 4999', '"place": "x"'),
        ('"account": 4096', '"account": 0'),
        ('"shard": 1', '"shard": -1'),
        ('"request": "72', '"request": "7'),
        ('"address"', '"adress"'),
        ("{", "["),
    ],
)
def test_a_line_that_is_no_address_is_named_and_nothing_is_read(
    tmp_path: Path, before: str, after: str
) -> None:
    wrong = line_of(ONE).replace(before, after, 1)
    assert wrong != line_of(ONE)
    with pytest.raises(click.BadParameter, match="line 2"):
        read_lines(written(tmp_path, line_of(ONE), wrong))
