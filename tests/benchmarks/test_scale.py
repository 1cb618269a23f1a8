"""Sizes are compared with the smallest of their kind."""

from benchmarks.scale import Size, cases_of, sizes


def test_each_kind_is_compared_with_its_first_size() -> None:
    measured = [
        (Size("orders/1,000", 1_000, 1), [(100.0, 900.0), (110.0, 901.0)]),
        (Size("orders/100,000", 100_000, 1), [(150.0, 240.0), (165.0, 250.0)]),
        (Size("markets/1", 100_000, 1), [(200.0, 230.0), (200.0, 230.0)]),
    ]
    cases = {case.case: case for case in cases_of(measured)}
    assert cases["orders/1,000"].ratio is None
    assert cases["orders/100,000"].ratio == 1.5
    assert cases["markets/1"].ratio is None
    # A small book says more of the program than of an order.
    assert set(cases) - {size.name for size, _ in measured} == {
        "memory/orders/100,000",
        "memory/markets/1",
    }
    assert cases["memory/orders/100,000"].value == 245.0


def test_the_sizes_of_ci_are_a_part_of_the_full_ones() -> None:
    small, full = sizes(is_small=True), sizes(is_small=False)
    assert {size.name.partition("/")[0] for size in small} < {
        size.name.partition("/")[0] for size in full
    }
    assert {size for size in small if size.name.startswith("orders")} < set(full)
