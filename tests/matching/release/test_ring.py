"""The ring of recent rows."""

from hypothesis import given
from hypothesis import strategies as st

from matching.release.ring import Ring
from matching.release.row_message import RowMessage, RowTimes, encode


def rows(counts: list[int], size: int = 100) -> list[RowMessage]:
    made, seq = [], 1
    for count in counts:
        made.append(encode(seq, seq + count - 1, bytes(size), RowTimes(1)))
        seq += count
    return made


@given(st.lists(st.integers(1, 5), min_size=1, max_size=40), st.integers(1, 2_000))
def test_it_holds_the_newest_rows_within_its_bytes(counts: list[int], bytes_max: int) -> None:
    ring = Ring(bytes_max)
    made = rows(counts)
    for row in made:
        ring.append(row)
    kept = [ring.at(index) for index in range(ring.start, ring.end)]
    assert kept == made[-len(kept) :]
    assert ring.end == len(made)
    assert ring.bytes == sum(len(row.message) for row in kept)
    assert ring.bytes <= bytes_max or len(kept) == 1


@given(st.lists(st.integers(1, 5), min_size=1, max_size=40), st.integers(1, 250))
def test_a_sequence_is_found_or_known_to_be_older(counts: list[int], seq: int) -> None:
    ring = Ring(1_000)
    for row in rows(counts):
        ring.append(row)
    index = ring.index_of(seq)
    if seq < ring.at(ring.start).first_seq:
        assert index is None
    else:
        assert index is not None
        assert index == ring.end or ring.at(index).last_seq >= seq
        assert index == ring.start or ring.at(index - 1).last_seq < seq


def test_an_empty_ring_knows_nothing() -> None:
    assert Ring(100).index_of(1) is None
