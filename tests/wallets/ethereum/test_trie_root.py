"""RLP against the library's, and roots against vectors that every client is held to."""

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from wallets.ethereum.trie_root import (
    encoded,
    encoded_list,
    encoded_number,
    ordered_root,
    trie_root,
)

# From the trie tests that Ethereum's clients share.
VECTORS = [
    ((), "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"),
    (
        (("A", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),),
        "d23786fb4a010da3ce639d66d5e904a11dbc02746d1ce25029e53290cabf28ab",
    ),
    (
        (("doe", "reindeer"), ("dog", "puppy"), ("dogglesworth", "cat")),
        "8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3",
    ),
    (
        (("do", "verb"), ("horse", "stallion"), ("doge", "coin"), ("dog", "puppy")),
        "5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84",
    ),
    (
        (("foo", "bar"), ("food", "bass")),
        "17beaa1648bafa633cda809c90c04af50fc8aed3cb40d16efbddee6fdf63c4c3",
    ),
]


@pytest.mark.parametrize(("pairs", "root"), VECTORS)
def test_roots_are_those_that_all_clients_give(pairs: list[tuple[str, str]], root: str) -> None:
    told = [(key.encode(), value.encode()) for key, value in pairs]
    assert trie_root(told).hex() == root
    assert trie_root(told[::-1]).hex() == root


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=300), st.data())
def test_a_list_with_one_value_changed_moved_or_left_out_has_another_root(
    values: list[bytes], data: st.DataObject
) -> None:
    root = ordered_root(values)
    place = data.draw(st.integers(0, len(values) - 1))
    other = [*values]
    other[place] += b"!"
    assert ordered_root(other) != root
    assert ordered_root(values[:place] + values[place + 1 :] + [b"!"]) != root or len(values) == 1
    assert ordered_root([*values, b"!"]) != root


@given(st.recursive(st.binary(max_size=300), lambda inner: st.lists(inner, max_size=20)))
def test_rlp_is_the_librarys(value: object) -> None:
    def ours(one: object) -> bytes:
        if isinstance(one, bytes):
            return encoded(one)
        assert isinstance(one, list)
        return encoded_list([ours(inner) for inner in one])

    assert ours(value) == rlp.encode(value)


@given(st.integers(0, 2**256))
def test_numbers_are_the_librarys(number: int) -> None:
    assert encoded_number(number) == rlp.encode(number)
