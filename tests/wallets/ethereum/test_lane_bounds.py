"""What moves between lanes: never back and forth, and nothing without need."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ConfigurationError
from wallets.ethereum.addresses import text_of
from wallets.ethereum.gathering import SweepSettings
from wallets.ethereum.lane_bounds import Share, Shift, choose
from wallets.ethereum.lanes import Lane
from wallets.treasury.bounds import Bounds
from wallets.worker.chains import parse

BOUNDS = Bounds(100, 200, 400)


def lane(number: int) -> Lane:
    return Lane(bytes([number]) * 20, "hot", number, is_draining=False)


def shares_of(*atoms: int) -> list[Share]:
    return [Share(lane(number), one, can_give=True) for number, one in enumerate(atoms)]


@pytest.mark.parametrize(
    ("atoms", "moved"),
    [
        ([401, 150], (0, 1, 50)),
        ([400, 100], None),
        ([300, 99], (0, 1, 100)),
        ([90, 210, 220], (2, 0, 20)),
        ([200, 99], None),
        ([999, 200], None),
        ([999], None),
        ([], None),
    ],
    ids=[
        "above the ceiling",
        "both within bounds",
        "below the floor",
        "no lane gives below its target",
        "none has too much",
        "none has too little",
        "a lane alone",
        "no lane",
    ],
)
def test_the_fullest_gives_to_the_emptiest(
    atoms: list[int], moved: tuple[int, int, int] | None
) -> None:
    wanted = None if moved is None else Shift(lane(moved[0]), lane(moved[1]), moved[2])
    assert choose(shares_of(*atoms), BOUNDS) == wanted


def test_what_cannot_give_only_receives() -> None:
    rich, poor = shares_of(999, 0)
    station = Share(rich.lane, rich.atoms, can_give=False)
    assert choose([station, poor], BOUNDS) is None
    empty = Share(rich.lane, 0, can_give=False)
    shift = choose([empty, Share(poor.lane, 500, can_give=True)], BOUNDS)
    assert shift == Shift(poor.lane, rich.lane, 200)


@given(st.lists(st.integers(0, 2_000), max_size=8))
def test_moves_come_to_an_end_and_no_lane_gives_what_it_was_given(atoms: list[int]) -> None:
    gave, got = set(), set()
    for _ in range(2 * len(atoms) + 1):
        shift = choose(shares_of(*atoms), BOUNDS)
        if shift is None:
            break
        source, to = shift.source.path_index, shift.to.path_index
        atoms[source] -= shift.amount_atoms
        atoms[to] += shift.amount_atoms
        gave.add(source)
        got.add(to)
        assert atoms[source] >= BOUNDS.target_atoms >= atoms[to]
    assert choose(shares_of(*atoms), BOUNDS) is None
    assert gave.isdisjoint(got)


@pytest.mark.parametrize(
    ("atoms", "is_right"), [((1, 2, 3), True), ((2, 1, 3), False), ((-1, 2, 3), False)]
)
def test_a_chain_file_says_bounds_that_move_nothing_back_and_forth(
    atoms: tuple[int, int, int], is_right: bool
) -> None:
    names = ("floor_atoms", "target_atoms", "ceiling_atoms")
    content = {
        "gas_station": text_of(b"s" * 20),
        "calm_per_gas_atoms": 1,
        "minimum_atoms": {"": 1},
        "lane_bounds": {"": dict(zip(names, atoms, strict=True))},
    }
    if is_right:
        assert parse(SweepSettings, content, "sweeps").lane_bounds == {"": Bounds(*atoms)}
    else:
        with pytest.raises(ConfigurationError, match=r"lane_bounds"):
            parse(SweepSettings, content, "sweeps")
