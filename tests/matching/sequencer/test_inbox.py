"""The inbox: bounds, shares, order, turns."""

import asyncio

import pytest

from cambist.orders.v1 import enums_pb2
from matching import limits
from matching.sequencer.inbox import Inbox, Item, Room

ORDER = int(enums_pb2.COMMAND_CLASS_ORDER)
CANCEL = int(enums_pb2.COMMAND_CLASS_CANCEL)
UNARY = int(enums_pb2.COMMAND_CLASS_UNARY)
SYSTEM = int(enums_pb2.COMMAND_CLASS_SYSTEM)
INBOX = 1_000
SHARE = INBOX * limits.INBOX_CANCEL_PERCENT // 100
SYSTEM_SHARE = INBOX * limits.INBOX_SYSTEM_PERCENT // 100


def item(command_class: int, count: int = 1, turn: int = 1, size: int = 10) -> Item:
    return Item(bytes(size), command_class, count, turn, 0)


async def turns_of_loop() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def waits(inbox: Inbox, wanted: Item) -> asyncio.Task[None]:
    task = asyncio.create_task(inbox.put(wanted))
    await turns_of_loop()
    assert not task.done(), "there is no room"
    return task


@pytest.mark.parametrize(
    ("command_class", "room"),
    [
        (ORDER, INBOX - SHARE - SYSTEM_SHARE),
        (UNARY, INBOX - SHARE - SYSTEM_SHARE),
        (CANCEL, INBOX - SYSTEM_SHARE),
        (SYSTEM, INBOX),
    ],
)
async def test_each_class_waits_at_its_own_bound(command_class: int, room: int) -> None:
    inbox = Inbox(INBOX)
    assert Room.of(INBOX).for_class(command_class) == room
    for _ in range(room):
        await inbox.put(item(command_class))
    waiting = await waits(inbox, item(command_class))
    assert inbox.commands == room
    assert len(inbox.take(1, 1_000)) == 1
    await waiting
    assert inbox.commands == room


async def test_cancels_and_the_venues_own_enter_when_orders_fill_their_part() -> None:
    inbox = Inbox(INBOX)
    for _ in range(INBOX - SHARE - SYSTEM_SHARE):
        await inbox.put(item(ORDER))
    order = await waits(inbox, item(ORDER))
    for _ in range(SHARE):
        await inbox.put(item(CANCEL))
    cancel = await waits(inbox, item(CANCEL))
    for _ in range(SYSTEM_SHARE):
        await inbox.put(item(SYSTEM))
    assert inbox.commands == INBOX
    for task in (order, cancel):
        task.cancel()
    await asyncio.wait({order, cancel})


async def test_bytes_are_bounded_and_an_empty_inbox_takes_any_envelope() -> None:
    inbox = Inbox(INBOX, bytes_max=100)
    await inbox.put(item(ORDER, size=500))
    waiting = await waits(inbox, item(ORDER, size=50))
    assert inbox.bytes == 500
    inbox.take(10, 1_000)
    await waiting
    assert inbox.bytes == 50


async def test_those_who_wait_for_room_enter_in_the_order_in_which_they_came() -> None:
    inbox = Inbox(INBOX)
    await inbox.put(item(ORDER, count=INBOX - SHARE - SYSTEM_SHARE))
    first = await waits(inbox, item(ORDER, count=700, turn=1))
    second = await waits(inbox, item(ORDER, count=1, turn=2))
    inbox.take(1, 1)
    await first
    await second
    assert [one.turn for one in inbox.take(INBOX, 10_000)] == [1, 2]


async def test_a_cancelled_wait_lets_the_next_one_in() -> None:
    inbox = Inbox(INBOX)
    await inbox.put(item(ORDER, count=INBOX - SHARE - SYSTEM_SHARE))
    first = await waits(inbox, item(ORDER, turn=1))
    second = await waits(inbox, item(ORDER, turn=2))
    first.cancel()
    await asyncio.wait({first})
    inbox.take(1, 1)
    await second
    assert [one.turn for one in inbox.take(INBOX, 10_000)] == [2]


async def test_what_fits_into_one_batch_is_taken_as_it_arrived() -> None:
    inbox = Inbox(INBOX)
    classes = [ORDER, CANCEL, SYSTEM, UNARY, ORDER, CANCEL]
    for number, command_class in enumerate(classes):
        await inbox.put(item(command_class, turn=number % 2))
    taken = inbox.take(len(classes), 1_000)
    assert [one.command_class for one in taken] == classes
    assert inbox.commands == inbox.bytes == 0


async def test_under_load_the_venues_own_go_first_then_half_a_batch_of_cancels() -> None:
    inbox = Inbox(INBOX)
    for _ in range(100):
        await inbox.put(item(ORDER))
        await inbox.put(item(CANCEL))
    await inbox.put(item(SYSTEM))
    taken = [one.command_class for one in inbox.take(41, 10_000)]
    assert taken == [SYSTEM] + [CANCEL] * 20 + [ORDER] * 20


async def test_orders_are_never_starved_by_cancels_nor_a_batch_left_half_empty() -> None:
    inbox = Inbox(INBOX)
    for _ in range(100):
        await inbox.put(item(CANCEL))
    await inbox.put(item(ORDER))
    taken = [one.command_class for one in inbox.take(20, 10_000)]
    assert taken.count(ORDER) == 1
    assert taken.count(CANCEL) == 19


async def test_sessions_take_turns_when_not_everything_fits() -> None:
    inbox = Inbox(INBOX)
    for _ in range(50):
        await inbox.put(item(ORDER, turn=7))
    for turn in (8, 9):
        await inbox.put(item(ORDER, turn=turn))
    taken = [one.turn for one in inbox.take(6, 10_000)]
    assert taken == [7, 8, 9, 7, 7, 7]


async def test_the_order_within_a_session_and_class_is_kept() -> None:
    inbox = Inbox(INBOX)
    for turn in (1, 2):
        for number in range(20):
            await inbox.put(Item(bytes([number]), ORDER, 1, turn, 0))
    seen: dict[int, list[int]] = {1: [], 2: []}
    while inbox.commands:
        for one in inbox.take(7, 10_000):
            seen[one.turn].append(one.envelope[0])
    assert seen == {1: list(range(20)), 2: list(range(20))}


@pytest.mark.parametrize(("commands", "byte_count"), [(3, 10_000), (INBOX, 30)])
async def test_a_batch_ends_at_its_commands_or_bytes(commands: int, byte_count: int) -> None:
    inbox = Inbox(INBOX)
    for _ in range(10):
        await inbox.put(item(ORDER))
    assert len(inbox.take(commands, byte_count)) == 3
    assert inbox.commands == 7
    assert inbox.bytes == 70


async def test_a_batch_has_no_more_envelopes_than_the_engine_takes() -> None:
    inbox = Inbox(limits.INBOX_COMMANDS_MAX)
    for _ in range(limits.BATCH_ENVELOPES_MAX + 1):
        inbox.post(item(ORDER))
    assert len(inbox.take(limits.INBOX_COMMANDS_MAX, 1 << 30)) == limits.BATCH_ENVELOPES_MAX
    assert inbox.commands == 1


async def test_an_envelope_larger_than_a_batch_is_taken_alone() -> None:
    inbox = Inbox(INBOX)
    await inbox.put(item(ORDER, count=300, size=5_000))
    await inbox.put(item(ORDER))
    assert [one.count for one in inbox.take(10, 100)] == [300]


async def test_waiting_ends_when_something_comes_or_the_time_is_over() -> None:
    inbox = Inbox(INBOX)
    assert not await inbox.wait(0.001)
    waiting = asyncio.create_task(inbox.wait(None))
    await turns_of_loop()
    assert not waiting.done()
    inbox.post(item(ORDER))
    assert await waiting
