"""Within a window cancels may overtake orders and nothing else comes out."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.client.enums import Side
from cambist.replay.flow import Change, Command, Enter, Remove
from cambist.replay.paper import PaperVenue
from cambist.replay.windows import Windows

SEEDS = st.integers(0, 1 << 32)


def dense_flow(seed: int) -> list[Command]:
    """Orders of few prices that are changed and removed soon after their entry."""
    random = Random(seed)
    commands: list[Command] = []
    for order in range(1, random.randrange(2, 60)):
        price = random.choice([0, *range(98, 103), *range(98, 103)])
        commands.append(
            Enter(
                0,
                0,
                order,
                random.choice([Side.BUY, Side.SELL]),
                price,
                random.randrange(1, 9),
                is_immediate=random.random() < 0.2,
                is_post_only=bool(price) and random.random() < 0.4,
            )
        )
        while random.random() < 0.5:
            chosen = max(1, order - random.randrange(6))
            if random.random() < 0.7:
                commands.append(Remove(0, 0, chosen))
            else:
                quantity = random.randrange(1, 9)
                commands.append(Change(0, 0, chosen, random.randrange(98, 103), quantity))
    return commands


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


@settings(max_examples=400)
@given(SEEDS, st.integers(1, 20))
def test_cancels_may_overtake_within_a_window(seed: int, commands_max: int) -> None:
    commands = dense_flow(seed)
    plain = PaperVenue()
    plain.play(commands)
    for arrange in (cancels_first, cancels_last):
        other = PaperVenue()
        for window in Windows(commands_max=commands_max).cut(commands):
            assert len(window) <= commands_max
            other.play(arrange(window))
        assert other.trades == plain.trades
        assert other.orders.keys() == plain.orders.keys()


@given(SEEDS)
def test_windows_keep_all_commands_in_order(seed: int) -> None:
    commands = [*dense_flow(seed), Remove(0, 0, 1_000)]
    there: set[int] = set()
    expected = []
    for command in commands:
        if isinstance(command, Enter):
            there.add(command.order)
        if command.order in there:
            expected.append(command)
        if isinstance(command, Remove):
            there.discard(command.order)
    cut = [command for window in Windows().cut(commands) for command in window]
    assert cut == expected


def test_a_cancel_waits_for_an_order_that_could_trade_with_it() -> None:
    ask = Enter(0, 0, 1, Side.SELL, 100, 1, is_post_only=True)
    low_bid, high_bid = Enter(0, 0, 2, Side.BUY, 99, 1), Enter(0, 0, 3, Side.BUY, 100, 1)
    cancel = Remove(0, 0, 1)
    assert list(Windows().cut([ask, low_bid, cancel])) == [[ask, low_bid, cancel]]
    assert list(Windows().cut([ask, high_bid, cancel])) == [[ask, high_bid], [cancel]]
    assert list(Windows().cut([ask, cancel, high_bid])) == [[ask, cancel], [high_bid]]


def test_a_cancel_waits_for_an_entry_that_may_trade() -> None:
    ask = Enter(0, 0, 1, Side.SELL, 100, 1)
    taker, maker = (
        Enter(0, 0, 2, Side.BUY, 99, 5),
        Enter(0, 0, 2, Side.BUY, 99, 5, is_post_only=True),
    )
    cancel = Remove(0, 0, 2)
    windows = Windows(commands_max=2)
    assert list(windows.cut([ask, ask, taker, cancel])) == [[ask, ask], [taker], [cancel]]
    windows = Windows(commands_max=2)
    assert list(windows.cut([ask, ask, maker, cancel])) == [[ask, ask], [maker, cancel]]


def test_removals_that_are_left_out_cut_nothing() -> None:
    random = Random(1)
    commands: list[Command] = []
    for order in range(100):
        commands += [
            Enter(0, 0, order, random.choice([Side.BUY, Side.SELL]), 100, 1),
            Remove(0, 0, order),
        ]
    assert len(list(Windows(left_out=set(range(100))).cut(commands))) == 1
