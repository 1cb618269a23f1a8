"""RLP that is put together as digits, against the library's."""

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from wallets.errors import Quarantined
from wallets.ethereum import hex_rlp
from wallets.ethereum.wire import words


@given(st.integers(0, 2**256 - 1), st.integers(0, 3), st.booleans())
def test_numbers_are_the_librarys(number: int, zeros: int, is_upper: bool) -> None:
    digits = f"{number:x}"
    digits = "0" * min(zeros, 64 - len(digits)) + digits
    told = "0x" + (digits.upper() if is_upper else digits)
    assert hex_rlp.to_bytes(hex_rlp.number(told)) == rlp.encode(number)


@given(st.recursive(st.binary(max_size=300), lambda inner: st.lists(inner, max_size=20)))
def test_bytes_and_lists_are_the_librarys(value: object) -> None:
    def ours(one: object) -> str:
        if isinstance(one, bytes):
            return hex_rlp.content("0x" + one.hex())
        assert isinstance(one, list)
        return hex_rlp.sequence([ours(inner) for inner in one])

    assert hex_rlp.to_bytes(ours(value)) == rlp.encode(value)


@given(st.binary(min_size=32, max_size=32))
def test_bytes_of_a_length_are_the_librarys(value: bytes) -> None:
    assert hex_rlp.to_bytes(hex_rlp.fixed("0x" + value.hex(), 32)) == rlp.encode(value)


NO_DIGITS: list[object] = [
    None,
    5,
    b"0x1",
    [],
    "",
    "1",
    "0X1",
    "-0x1",
    "0xg",
    "0x_1",
    "0x 1",
    "0x1 ",
    "0x+1",
]


@pytest.mark.parametrize("told", [*NO_DIGITS, "0x", "0x" + "1" * 65, "0x\u0661"])
def test_what_is_no_quantity_is_refused(told: object) -> None:
    with pytest.raises(Quarantined):
        hex_rlp.to_bytes(hex_rlp.number(told))


@pytest.mark.parametrize("told", [*NO_DIGITS, "0x1", "0x1122 ", "0x11 22 ", "0x\t\t\t\t", "0x11zz"])
def test_what_is_no_data_is_refused(told: object) -> None:
    with pytest.raises(Quarantined):
        hex_rlp.to_bytes(hex_rlp.content(told))


@pytest.mark.parametrize("told", [*NO_DIGITS, "0x1122", "0x112233", "0x11 2", "0x1 1 "])
def test_data_of_another_length_is_refused(told: object) -> None:
    with pytest.raises(Quarantined):
        hex_rlp.to_bytes(hex_rlp.fixed(told, 3 if told == "0x1122" else 2))


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=5))
def test_words_of_32_bytes_are_the_librarys(values: list[bytes]) -> None:
    told: list[object] = ["0x" + value.hex() for value in values]
    assert hex_rlp.to_bytes(hex_rlp.words(told)) == rlp.encode(values)
    assert words(told) == b"".join(values)


@pytest.mark.parametrize("told", [*NO_DIGITS, "0x" + "1" * 63 + " ", "0x" + "g" * 64])
def test_what_is_no_word_of_32_bytes_is_refused(told: object) -> None:
    with pytest.raises(Quarantined):
        hex_rlp.to_bytes(hex_rlp.words([told]))
    with pytest.raises(Quarantined):
        words([told])
