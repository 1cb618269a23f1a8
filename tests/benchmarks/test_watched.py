"""A block's cost is compared with that of the fewest watched addresses."""

from benchmarks.wallets.scanning import KINDS
from benchmarks.wallets.watched import PACES, WATCHED, WATCHED_SMALL, cases_of


def test_each_number_of_addresses_is_compared_with_the_fewest() -> None:
    kind = next(one for one in KINDS if one.chain == "tron")
    cases = {case.case: case for case in cases_of(kind, (10, 1_000), [[50, 60], [60, 72]])}
    assert cases["tron/10"].ratio is None
    assert cases["tron/1,000"].ratio == 1.2
    # 66 ms of processor time in the three seconds of a block.
    assert cases["tron/1,000 at its pace"].value == 2.2


def test_every_chain_has_a_pace_and_the_full_sizes_reach_a_million() -> None:
    assert {kind.chain for kind in KINDS} == PACES.keys()
    assert set(WATCHED_SMALL) < set(WATCHED)
    assert WATCHED[-1] == 1_000_000
