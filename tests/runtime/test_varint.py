"""Varints as protobuf writes them."""

from hypothesis import given
from hypothesis import strategies as st

from cambist.internal.journal.v1 import batch_pb2
from runtime.varint import varint

# Field 2 of Batch, a varint.
TAG = b"\x10"


@given(st.integers(1, 2**64 - 1) | st.integers(0, 9).map(lambda groups: 2 ** (7 * groups)))
def test_a_varint_is_what_protobuf_writes(value: int) -> None:
    assert TAG + varint(value) == batch_pb2.Batch(first_seq=value).SerializeToString()


def test_zero_is_one_byte() -> None:
    assert varint(0) == b"\x00"
