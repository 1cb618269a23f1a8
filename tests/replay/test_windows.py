"""Within a window cancels may overtake orders and nothing else comes out."""

from collections.abc import Iterable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from cambist.client.enums import Side
from cambist.replay.flow import Change, Command, Enter, Remove
from cambist.replay.paper import PaperVenue
from cambist.replay.windows import Windows

PRICES = st.integers(95, 105)
ORDERS = st.integers(1, 25)


def entries() -> st.SearchStrategy[Command]:
    return st.builds(
        Enter,
        row=st.just(0),
        time_ns=st.just(0),
        order=ORDERS,
        side=st.sampled_from([Side.BUY, Side.SELL]),
        price=st.one_of(PRICES, st.just(0)),
        quantity=st.integers(1, 9),
        is_immediate=st.booleans(),
        is_post_only=st.booleans(),
    )


COMMANDS = st.lists(
    st.one_of(
        entries(),
        entries(),
        st.builds(Remove, row=st.just(0), time_ns=st.just(0), order=ORDERS),
        st.builds(
            Change,
            row=st.just(0),
            time_ns=st.just(0),
            order=ORDERS,
            price=PRICES,
            open_quantity=st.integers(1, 9),
        ),
    ),
    max_size=80,
)


def each_entered_once(commands: Iterable[Command]) -> list[Command]:
    seen: set[int] = set()
    chosen: list[Command] = []
    for command in commands:
        if isinstance(command, Enter):
            if command.order in seen or (command.is_post_only and not command.price):
                continue
            seen.add(command.order)
        chosen.append(command)
    return chosen


def cancels_first(window: list[Command]) -> list[Command]:
    """As the venue may take it: an order whose cancel overtook it is cancelled before entry."""
    removed = {command.order for command in window if isinstance(command, Remove)}
    removes: list[Command] = [command for command in window if isinstance(command, Remove)]
    entered = {command.order for command in window if isinstance(command, Enter)}
    rest = [
        command
        for command in window
        if not isinstance(command, Remove) and command.order not in removed & entered
    ]
    return removes + rest


def cancels_last(window: list[Command]) -> list[Command]:
    return sorted(window, key=lambda command: isinstance(command, Remove))


@given(COMMANDS, st.integers(1, 30))
def test_cancels_may_overtake_within_a_window(commands: list[Command], commands_max: int) -> None:
    commands = each_entered_once(commands)
    plain = PaperVenue()
    plain.play(commands)
    for arrange in (cancels_first, cancels_last):
        other = PaperVenue()
        for window in Windows(commands_max=commands_max).cut(commands):
            assert len(window) <= commands_max
            other.play(arrange(window))
        assert other.trades == plain.trades
        assert other.orders.keys() == plain.orders.keys()


@given(COMMANDS)
def test_windows_keep_all_commands_in_order(commands: list[Command]) -> None:
    commands = each_entered_once(commands)
    entered: set[int] = set()
    expected = []
    for command in commands:
        if isinstance(command, Enter):
            entered.add(command.order)
        if command.order in entered:
            expected.append(command)
    cut = [command for window in Windows().cut(commands) for command in window]
    assert cut == expected


def test_a_cancel_waits_for_an_order_that_could_trade_with_it() -> None:
    ask = Enter(0, 0, 1, Side.SELL, 100, 1)
    low_bid, high_bid = Enter(0, 0, 2, Side.BUY, 99, 1), Enter(0, 0, 3, Side.BUY, 100, 1)
    cancel = Remove(0, 0, 1)
    assert list(Windows().cut([ask, low_bid, cancel])) == [[ask, low_bid, cancel]]
    assert list(Windows().cut([ask, high_bid, cancel])) == [[ask, high_bid], [cancel]]
    assert list(Windows().cut([ask, cancel, high_bid])) == [[ask, cancel], [high_bid]]


def test_removals_that_are_left_out_cut_nothing() -> None:
    random = Random(1)
    commands: list[Command] = []
    for order in range(100):
        commands += [
            Enter(0, 0, order, random.choice([Side.BUY, Side.SELL]), 100, 1),
            Remove(0, 0, order),
        ]
    assert len(list(Windows(left_out=set(range(100))).cut(commands))) == 1
