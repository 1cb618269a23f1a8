"""Histograms: precision, merging, plain form."""

from hypothesis import given
from hypothesis import strategies as st

from venue.latency import Histogram, bucket_of, value_of

DURATIONS = st.integers(min_value=0, max_value=10**12)


@given(DURATIONS)
def test_a_bucket_stands_for_values_within_two_percent(duration: int) -> None:
    assert abs(value_of(bucket_of(duration)) - duration) <= duration * 0.016


@given(DURATIONS, DURATIONS)
def test_buckets_keep_the_order_of_values(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert bucket_of(low) <= bucket_of(high)


def test_percentiles_are_those_of_the_values() -> None:
    histogram = Histogram()
    for duration in range(1, 1_001):
        histogram.add(duration)
    assert abs(histogram.percentile(0.5) - 500) <= 8
    assert abs(histogram.percentile(0.99) - 990) <= 16
    assert Histogram().percentile(0.5) == 0


@given(st.lists(DURATIONS), st.lists(DURATIONS))
def test_merging_and_the_plain_form_lose_nothing(one: list[int], other: list[int]) -> None:
    first, second, whole = Histogram(), Histogram(), Histogram()
    for duration in one:
        first.add(duration)
        whole.add(duration)
    for duration in other:
        second.add(duration)
        whole.add(duration)
    first.merge(Histogram.from_plain(second.to_plain()))
    assert first == whole
