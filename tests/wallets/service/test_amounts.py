"""Decimal text and atoms are the same number, or the text is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.errors import Rejected
from wallets.service import limits
from wallets.service.amounts import atoms_of, text_of


@given(st.integers(1, limits.AMOUNT_ATOMS_MAX), st.integers(0, 30))
def test_what_is_written_reads_back(atoms: int, decimals: int) -> None:
    assert atoms_of(text_of(atoms, decimals), decimals) == atoms


@pytest.mark.parametrize(
    "text",
    ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "0", "0.00", "0.001", "٣", " 1", "9" * 90],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="INVALID_AMOUNT"):
        atoms_of(text, 2)
