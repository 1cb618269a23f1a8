"""The order flow: its mix, its repeatability, its own view."""

from collections.abc import Callable

from tests.venue.journal_maker import JournalMaker
from venue.flow.definitions import MARKETS, firms
from venue.flow.firm import AMEND, CANCEL, NEW, Firm, Made
from venue.flow.prices import PricePath

Make = Callable[[], JournalMaker]


def test_two_flows_of_one_seed_are_equal() -> None:
    (plan,) = firms(1)
    one, other = (Firm(plan, seed=3, run=1) for _ in range(2))
    assert [one.next(5).command for _ in range(200)] == [other.next(5).command for _ in range(200)]


def test_the_mix_is_half_new_two_fifths_cancels_a_tenth_amendments(make_journal: Make) -> None:
    maker = make_journal()
    maker.trade(100)
    # Before, the first orders filled the books.
    maker.kinds.clear()
    maker.trade(200)
    maker.finish()
    total = maker.kinds.total()
    assert 0.47 < maker.kinds[NEW] / total < 0.57
    assert 0.34 < maker.kinds[CANCEL] / total < 0.43
    assert 0.07 < maker.kinds[AMEND] / total < 0.13


def test_an_open_order_is_asked_of_once_at_a_time(make_journal: Make) -> None:
    maker = make_journal()
    maker.trade(60)
    maker.finish()
    flow = maker.flows[0]
    made = [flow.next(5) for _ in range(500)]
    targets = [order_of(one) for one in made if one.kind != NEW]
    assert len(targets) > 50
    assert len(targets) == len(set(targets))


def order_of(made: Made) -> int:
    command = made.command
    return command.cancel.order_id if made.kind == CANCEL else command.amend.order_id


def test_prices_wander_and_come_back() -> None:
    market = MARKETS[0]
    path = PricePath.seeded(1, market.market_id, market.middle_ticks)
    prices = [path.at(step) for step in range(0, 400_000, 400)]
    assert max(prices) > market.middle_ticks * 1.01
    assert min(prices) < market.middle_ticks * 0.99
    assert all(abs(price / market.middle_ticks - 1) < 0.03 for price in prices)
