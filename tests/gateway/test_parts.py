"""Small parts on their own: queues, rings, buckets, tokens."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2
from gateway import limits, wire
from gateway.door.admission import in_networks, peer_address
from gateway.errors import Unavailable
from gateway.identity.buckets import BucketTable, TokenBucket
from gateway.identity.tokens import NONCE_BYTES, Signer, Token
from gateway.sessions.credit import Credit, Sent
from gateway.shard.outbox import Budget, Outbox, Outgoing
from gateway.shard.ring import Ring
from gateway.shard.rows import Row
from gateway.shard.submitter import Submitter
from gateway.unary.strictness import fault_in
from runtime.clock import NANOSECONDS_PER_SECOND
from tests.fakes.engines import new_engine
from tests.gateway.venue import ACCOUNT, new_order

SECOND = NANOSECONDS_PER_SECOND
ORDER, CANCEL = enums_pb2.COMMAND_CLASS_ORDER, enums_pb2.COMMAND_CLASS_CANCEL


# --- Ring


def row_of(first: int, last: int, size: int = 8) -> Row:
    return Row(first, last, 0, 0, 0, bytes(size), 0, ())


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=40),
    st.integers(1, 12),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_the_ring_gives_what_it_covers(
    lengths: list[int], rows_max: int, after: int, up_to: int
) -> None:
    ring, rows, first = Ring(10**9, rows_max), [], 1
    for length in lengths:
        rows.append(row_of(first, first + length - 1))
        ring.append(rows[-1])
        first += length
    kept = rows[-rows_max:]
    assert ring.oldest_seq == kept[0].first_seq
    assert ring.covers(after) is (kept[0].first_seq <= after + 1)
    wanted = [row for row in kept if row.last_seq > after and row.first_seq <= up_to]
    assert ring.rows_after(after, up_to, 100) == wanted
    assert ring.rows_after(after, up_to, 2) == wanted[:2]


def test_the_ring_is_bounded_by_bytes_and_always_keeps_the_newest_row() -> None:
    ring = Ring(100)
    for seq in range(1, 21):
        ring.append(row_of(seq, seq, 30))
    assert (ring.oldest_seq, ring.bytes_kept) == (18, 90)
    ring.append(row_of(21, 21, 1_000))
    assert (ring.oldest_seq, ring.bytes_kept) == (21, 1_000)
    ring.clear()
    assert (ring.oldest_seq, ring.bytes_kept, ring.covers(0)) == (0, 0, False)


# --- Outbox


async def test_an_outbox_refuses_what_does_not_fit_and_takes_any_first_message() -> None:
    budget = Budget(1_000)
    outbox = Outbox(budget, bytes_max=10, items_max=3)
    assert outbox.put(Outgoing(bytes(50)))
    assert not outbox.put(Outgoing(b"a"))
    assert (await outbox.take()) == Outgoing(bytes(50))
    assert [outbox.put(Outgoing(b"ab")) for _ in range(4)] == [True, True, True, False]
    assert (len(outbox), outbox.bytes_waiting, budget.bytes_used) == (3, 6, 6)
    outbox.clear()
    assert (len(outbox), budget.bytes_used) == (0, 0)


async def test_all_outboxes_share_one_budget() -> None:
    budget = Budget(10)
    first, second = (Outbox(budget, bytes_max=100, items_max=100) for _ in range(2))
    assert first.put(Outgoing(bytes(9)))
    assert second.put(Outgoing(b"a"))
    assert not second.put(Outgoing(b"a"))
    await first.take()
    assert second.put(Outgoing(b"a"))


async def test_a_closed_outbox_gives_its_last_message_and_then_nothing() -> None:
    outbox = Outbox(Budget(1_000), bytes_max=10, items_max=2)
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    outbox.put(Outgoing(b"a"))
    assert await taking == Outgoing(b"a")
    outbox.put(Outgoing(b"b"))
    outbox.close(Outgoing(b"end"), drop_waiting=True)
    assert outbox.put(Outgoing(b"late"))
    outbox.close(Outgoing(b"again"), drop_waiting=False)
    assert [await outbox.take(), await outbox.take()] == [Outgoing(b"end"), None]


# --- Submitter


class Heard:
    """A sender that remembers."""

    def __init__(self) -> None:
        self.unsent: list[int] = []

    def refused(self, number: int, refusal: matching_pb2.Refused) -> None:
        raise AssertionError((number, refusal))

    def not_sent(self, number: int) -> None:
        self.unsent.append(number)


async def test_what_is_urgent_leaves_first_and_has_room_when_orders_have_none() -> None:
    submitter = Submitter()
    submitter.open()
    for number in range(limits.SUBMIT_ENVELOPES_MAX):
        await submitter.submit(str(number).encode(), None)
    assert submitter.is_full
    waiting = asyncio.create_task(submitter.submit(b"late", None))
    await asyncio.sleep(0)
    assert not waiting.done()
    await submitter.submit(b"urgent", None, urgent=True)
    taken = [one.envelope for one in await submitter.take()]
    assert taken[:3] == [b"urgent", b"0", b"1"]
    assert len(taken) == limits.SUBMIT_MESSAGE_ENVELOPES_MAX
    await waiting
    assert [one.envelope for one in await submitter.take()] == [b"255", b"late"]
    assert submitter.waiting == 0


async def test_what_waits_leaves_together_up_to_so_many_bytes() -> None:
    submitter = Submitter()
    submitter.open()
    half = limits.SUBMIT_MESSAGE_BYTES_MAX // 2
    for size in (half, half, half, 3 * half, 1):
        await submitter.submit(bytes(size), None)
    sizes = [[len(one.envelope) for one in await submitter.take()] for _ in range(4)]
    assert sizes == [[half, half], [half], [3 * half], [1]]


async def test_senders_hear_what_stayed_here_and_waiters_that_nothing_was_sent() -> None:
    submitter, heard = Submitter(), Heard()
    with pytest.raises(Unavailable):
        await submitter.submit(b"early", heard)
    submitter.open()
    size = limits.SUBMIT_BYTES_MAX // 4
    tickets = [await submitter.submit(bytes(size), heard) for _ in range(4)]
    waiting = [asyncio.create_task(submitter.submit(b"late", heard)) for _ in range(3)]
    await asyncio.sleep(0)
    assert len(await submitter.take()) == 1
    # The first of those that wait has a place now; the link breaks before it leaves.
    await waiting[0]
    submitter.close()
    for late in waiting[1:]:
        with pytest.raises(Unavailable):
            await late
    assert heard.unsent[:3] == tickets[1:]
    assert len(heard.unsent) == 4
    assert submitter.post(b"lost", heard) == 0


async def test_bytes_fill_it_too() -> None:
    submitter = Submitter()
    submitter.open()
    await submitter.submit(bytes(limits.SUBMIT_BYTES_MAX), None)
    waiting = asyncio.create_task(submitter.submit(b"a", None))
    await asyncio.sleep(0)
    assert not waiting.done()
    await submitter.take()
    await waiting


async def test_a_waiter_that_gives_up_leaves_its_place_to_the_next() -> None:
    submitter = Submitter()
    submitter.open()
    await submitter.submit(bytes(limits.SUBMIT_BYTES_MAX), None)
    first, second = (asyncio.create_task(submitter.submit(b"a", None)) for _ in range(2))
    await asyncio.sleep(0)
    await submitter.take()
    first.cancel()
    await asyncio.wait({first, second}, timeout=5.0)
    assert first.cancelled()
    assert second.done()


# --- Credit


def applied(first: int, count: int, command_class: int = ORDER) -> events_pb2.SessionEvent:
    event = events_pb2.BatchApplied(
        command_class=enums_pb2.CommandClass.ValueType(command_class),
        first_seq_no=first,
        count=count,
    )
    return events_pb2.SessionEvent(applied=event)


def gap() -> events_pb2.SessionEvent:
    return events_pb2.SessionEvent(not_applied=events_pb2.NotApplied(command_class=ORDER))


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_credit_comes_back_whole_whatever_the_order_of_answers(seed: int, batches: int) -> None:
    """Answers of the engine keep their order; refusals of the decoder come whenever they come."""
    source = random.Random(seed)
    credit = Credit(10**6)
    by_engine: list[events_pb2.SessionEvent] = []
    by_decoder: list[int] = []
    for ticket in range(1, batches + 1):
        count = source.randrange(1, 20)
        credit.add(Sent(ticket, ORDER, ticket * 100, count))
        match source.randrange(3):
            case 0:
                by_engine.append(applied(ticket * 100, count))
            case 1:
                by_engine.append(gap())
            case _:
                by_decoder.append(ticket)
    while by_engine or by_decoder:
        if by_engine and (not by_decoder or source.random() < 0.5):
            credit.settle(by_engine.pop(0))
        else:
            assert credit.refuse(by_decoder.pop(0)) is not None
        assert credit.in_flight >= 0
    assert credit.in_flight == 0
    assert credit.remaining == credit.maximum


def test_an_answer_to_nothing_of_ours_changes_nothing() -> None:
    credit = Credit(10)
    credit.add(Sent(1, CANCEL, 1, 4))
    credit.settle(applied(1, 4))
    credit.settle(gap())
    assert credit.refuse(9) is None
    assert credit.in_flight == 4
    credit.settle(applied(1, 4, CANCEL))
    assert credit.in_flight == 0


# --- Buckets


@given(
    st.integers(1, 1_000),
    st.integers(1, 1_000),
    st.lists(st.tuples(st.integers(0, SECOND), st.integers(1, 50)), max_size=60),
)
def test_a_bucket_never_gives_more_than_its_burst_and_its_rate(
    per_second: int, burst: int, takes: list[tuple[int, int]]
) -> None:
    bucket, now, given_in_all = TokenBucket(per_second, burst, 0), 0, 0
    for pause, count in takes:
        now += pause
        if bucket.take(count, now):
            given_in_all += count
        else:
            wait = bucket.milliseconds_until(count, now)
            assert (wait == 0) is (count > burst)
            if wait:
                now += wait * 1_000_000
                assert bucket.remaining(now) >= count
        assert given_in_all * SECOND <= burst * SECOND + now * per_second


def test_a_table_of_buckets_is_bounded_and_forgets_the_least_recently_used() -> None:
    table = BucketTable(1, 5, maximum=2)
    table.bucket("a", 0).take(5, 0)
    table.bucket("b", 0)
    table.bucket("a", 0)
    table.bucket("c", 0)
    assert table.bucket("a", 0).remaining(0) == 0
    assert table.bucket("b", 0).remaining(0) == 5


# --- Tokens and addresses


@given(st.text(max_size=64), st.integers(1, 2**32 - 1), st.integers(1, 2**63 - 1))
def test_a_token_says_what_it_was_made_of(key_id: str, firm_id: int, expires_ns: int) -> None:
    signer = Signer(bytes(32))
    token = Token(key_id, firm_id, expires_ns)
    try:
        text = signer.make_token(token)
    except UnicodeEncodeError:
        return
    assert signer.read_token(text) == token
    assert Signer(bytes(31) + b"a").read_token(text) is None


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_changed_token_is_none_of_ours(place: int, flip: int) -> None:
    signer = Signer(bytes(32))
    token = Token("key", 1, 2)
    text = bytearray(signer.make_token(token).encode())
    text[place % len(text)] = flip
    found = signer.read_token(text.decode("latin-1"))
    assert found in (None, token)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_of_tokens(text: str) -> None:
    assert Signer(bytes(32)).read_token(text) is None


@given(st.integers(0, NONCE_BYTES - 1), st.integers(1, 255))
def test_a_changed_nonce_is_none_of_ours(place: int, flip: int) -> None:
    signer = Signer(bytes(32))
    nonce = bytearray(signer.make_nonce(5 * SECOND, b"12345678"))
    assert signer.nonce_expires_ns(bytes(nonce), 6 * SECOND)
    nonce[place] ^= flip
    assert not signer.nonce_expires_ns(bytes(nonce), 6 * SECOND)


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:1.2.3.4:5", "1.2.3.4"),
        ("ipv6:[::1]:5", "::1"),
        ("ipv6:%5B::1%5D:5", "::1"),
        ("unix:/tmp/a", ""),
        ("", ""),
    ],
)
def test_the_address_of_a_peer(peer: str, address: str) -> None:
    assert peer_address(peer) == address


def test_what_is_no_address_is_in_no_network() -> None:
    assert not in_networks("", ())
    assert not in_networks("nobody", ())


# --- Strictness of calls with several commands


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, None),
        ({"cl_ord_id": b""}, ("MALFORMED_BAD_LENGTH", 1)),
        ({"cl_ord_id": bytes(15)}, ("MALFORMED_BAD_LENGTH", 1)),
        ({"quote_budget_atoms": bytes(17)}, ("MALFORMED_BAD_LENGTH", 9)),
        ({"order_type": 77}, ("MALFORMED_UNKNOWN_ENUM_VALUE", 5)),
        ({"expires_after_ms": 60_001}, ("MALFORMED_OUT_OF_RANGE", 11)),
    ],
)
def test_what_the_engine_would_refuse_is_found_before_anything_is_sent(
    fields: dict[str, object], fault: tuple[str, int] | None
) -> None:
    order = new_order(**fields)
    raw = order.SerializeToString()
    assert fault_in(order, len(raw)) == fault
    assert engine_takes(raw) is (fault is None)


@pytest.mark.parametrize("added", [b"\x10\x07", b"\xc8\x3e\x01", b"\x10\x87\x00"])
def test_bytes_that_parse_and_are_not_strict_are_found(added: bytes) -> None:
    raw = new_order(account_id=ACCOUNT).SerializeToString() + added
    order = commands_pb2.NewOrder.FromString(raw)
    assert fault_in(order, len(raw)) is not None
    assert not engine_takes(raw)


def engine_takes(order: bytes) -> bool:
    """Whether the engine's own decoder takes a NewOrder of these bytes."""
    command = wire.header(1, len(order)) + order
    commands = wire.header(1, len(command)) + command
    envelope = b"\x08\x03\x28\x01" + wire.number(7, 1) + wire.header(8, len(commands)) + commands
    try:
        new_engine(1).check_envelope(envelope)
    except Exception as error:  # noqa: BLE001 - each engine has its own
        return not hasattr(error, "reason")
    return True
