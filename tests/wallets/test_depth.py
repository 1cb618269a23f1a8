"""How deep brackets nest, told as a slow reader that goes from token to token tells it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from wallets.depth import is_deeper

TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def deepest(content: bytes) -> int:
    depth = most = 0
    for token in TOKENS.findall(content):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token, 0)
        most = max(most, depth)
    return most


@given(st.lists(st.sampled_from([*b'[]{}"\\a,1']), max_size=30).map(bytes), st.integers(0, 4))
def test_depth_is_that_of_brackets_outside_of_strings(content: bytes, depth_max: int) -> None:
    assert is_deeper(content, depth_max) == (deepest(content) > depth_max)


def test_brackets_in_strings_do_not_count_however_the_strings_are_escaped() -> None:
    assert not is_deeper(b'{"a": "[[[["}', 1)
    assert not is_deeper(b'{"a": "\\"[[[["}', 1)
    assert is_deeper(b'{"a": "\\\\", "b": [[1]]}', 2)
    assert is_deeper(b"[" * 100_000, 64)
