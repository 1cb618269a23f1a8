"""The kernel's decoder and the reference's give the same verdict on the same bytes."""

import importlib.util

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.test_malformed import MALFORMED, WELL_FORMED

if importlib.util.find_spec("cambist_kernel") is None:
    pytest.skip("the kernel is not built", allow_module_level=True)

import cambist_kernel
from matching.reference import envelopes
from matching.reference.errors import MalformedEnvelope

SEEDS = [
    data
    for data in [*WELL_FORMED.values(), *(data for data, _, _, _ in MALFORMED.values())]
    if len(data) < 400
]
Change = tuple[int, int, bytes]
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.integers(0, 3),
        st.one_of(
            st.binary(max_size=3), st.sampled_from([b"\x80", b"\xff", b"\x0a", b"\x10", b"\x00"])
        ),
    ),
    max_size=4,
)


def changed(data: bytes, changes: list[Change]) -> bytes:
    """`data` with some bytes replaced by others."""
    for place, removed, inserted in changes:
        at = place % (len(data) + 1)
        data = data[:at] + inserted + data[at + removed :]
    return data


def verdict_of_kernel(data: bytes) -> tuple[int, int, int] | None:
    try:
        cambist_kernel.check_envelope(data)
    except cambist_kernel.MalformedEnvelope as malformed:
        return malformed.reason, malformed.index, malformed.field
    return None


def verdict_of_reference(data: bytes) -> tuple[int, int, int] | None:
    try:
        envelopes.check_envelope(data)
    except MalformedEnvelope as malformed:
        return malformed.reason, malformed.index, malformed.field
    return None


@settings(max_examples=2_000)
@given(seed=st.sampled_from(SEEDS), changes=CHANGES)
def test_changed_envelopes_get_the_same_verdict(seed: bytes, changes: list[Change]) -> None:
    data = changed(seed, changes)
    assert verdict_of_kernel(data) == verdict_of_reference(data)


@given(st.binary(max_size=60))
def test_any_bytes_get_the_same_verdict(data: bytes) -> None:
    assert verdict_of_kernel(data) == verdict_of_reference(data)
