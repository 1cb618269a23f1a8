"""The interface of an engine (docs/semantics.md section 9), on the kernel."""

from collections.abc import Callable, Iterator

import pytest

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.orders.v1 import enums_pb2 as enums
from tests.kernel import batches
from tests.kernel.progress import another_thread_goes_on

pytest.importorskip("cambist_kernel")
from cambist_kernel import (
    BatchRefused,
    Engine,
    EnginePanicked,
    MalformedEnvelope,
    SnapshotRefused,
    check_envelope,
    testing,
)
from cambist_kernel.feed import Image

POISON_TAG = 0xDEAD
ENGINES = 400


def started() -> Engine:
    """An engine with a market and accounts."""
    engine = Engine(batches.SHARD)
    engine.apply(batches.setup())
    return engine


def test_an_empty_engine_has_an_empty_state() -> None:
    engine = Engine(batches.SHARD)
    assert engine.state_hash == bytes(32)
    assert (engine.last_seq, engine.time_ns, engine.next_timer_ns) == (0, 0, 0)
    assert engine.open_cursors == 0
    parts = engine.state_parts()
    assert sorted(parts) == ["books", "keys", "limits", "money", "sessions", "triggers"]
    assert {len(part) for part in parts.values()} == {32}


def test_a_restored_engine_goes_on_with_the_same_bytes() -> None:
    engine = started()
    engine.apply(batches.orders(engine.last_seq + 1, 500))
    restored = Engine.restore(engine.snapshot())
    assert restored.snapshot() == engine.snapshot()
    assert restored.state_hash == engine.state_hash
    crossing = batches.batch(
        engine.last_seq + 1, [batches.order(engine.last_seq + 1, batches.BUYER, 1_000, 300)]
    )
    assert restored.apply(crossing) == engine.apply(crossing)
    assert restored.state_parts() == engine.state_parts()
    assert restored.last_seq == engine.last_seq


def test_the_image_of_the_rows_is_the_image_of_the_snapshot() -> None:
    engine, followed, loaded = Engine(batches.SHARD), Image(batches.SHARD), Image(batches.SHARD)
    rows = [batches.setup(), batches.orders(10, 300)]
    for made in rows:
        first_seq = engine.last_seq + 1
        row = engine.apply(made)
        followed.apply(first_seq, engine.last_seq, row)
    loaded.load_snapshot(engine.snapshot())
    market = batches.MARKET
    assert loaded.l3(market) == followed.l3(market)
    assert loaded.l2(market, 0) == followed.l2(market, 0)
    for account in (batches.BUYER, batches.SELLER):
        assert loaded.balances(account) == followed.balances(account)
        assert loaded.open_orders(account, 0, 1_000) == followed.open_orders(account, 0, 1_000)


def test_a_refused_batch_changes_nothing() -> None:
    engine = started()
    before = engine.snapshot()
    last = engine.last_seq
    good = batches.order(last + 1, batches.BUYER, 5, 5)
    other_shard = batch_pb2.Batch(shard=2, first_seq=last + 1, envelopes=[good])
    for reason, made in {
        "MALFORMED_BATCH": b"\x08",
        "WRONG_SHARD": other_shard.SerializeToString(),
        "WRONG_SEQ": batches.batch(last + 2, [good]),
        "TIME_BACKWARDS": batches.batch(last + 1, [good], time_ns=5),
        "NO_ENVELOPE": batches.batch(last + 1, []),
        "TOO_LARGE": batches.batch(last + 1, [good] * 4_097),
    }.items():
        with pytest.raises(BatchRefused) as refused:
            engine.apply(made)
        assert refused.value.reason == reason
    bad = batch_pb2.Envelope(command_class=enums.COMMAND_CLASS_UNARY, count=1, commands=b"\xff")
    with pytest.raises(MalformedEnvelope) as malformed:
        engine.apply(batches.batch(last + 1, [good, bad]))
    with pytest.raises(MalformedEnvelope) as checked:
        Engine.check_envelope(bad.SerializeToString())
    assert checked.value.args == malformed.value.args
    check_envelope(good.SerializeToString())
    assert engine.snapshot() == before


@pytest.mark.parametrize(
    "spoil", [lambda s: s + b"\x38\x00", lambda s: s[:-1], lambda _: b"\x08\x07"]
)
def test_what_is_no_snapshot_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    snapshot = started().snapshot()
    with pytest.raises(SnapshotRefused):
        Engine.restore(spoil(snapshot))


@pytest.fixture
def panics() -> Iterator[None]:
    """Orders with POISON_TAG stop the engine."""
    testing.panic_on_tag(POISON_TAG)
    yield
    testing.panic_on_tag(0)


@pytest.mark.usefixtures("panics")
def test_a_command_that_stops_the_engine_ends_the_object() -> None:
    engine = started()
    last = engine.last_seq
    engine.apply(batches.batch(last + 1, [batches.order(last + 1, batches.BUYER, 5, 5, tag=7)]))
    snapshot = engine.snapshot()
    poison = batches.order(last + 2, batches.BUYER, 5, 5, tag=POISON_TAG)
    with pytest.raises(EnginePanicked):
        engine.apply(batches.batch(last + 2, [poison]))
    for use in (engine.snapshot, engine.state_parts, lambda: engine.last_seq):
        with pytest.raises(EnginePanicked):
            use()
    restored = Engine.restore(snapshot)
    poisoned = system_pb2.CommandPoisoned(
        envelope=poison.SerializeToString(), market_id=batches.MARKET
    )
    command = system_pb2.SystemCommand(command_poisoned=poisoned)
    restored.apply(batches.batch(last + 2, [batches.system(command)]))
    assert restored.last_seq == last + 2


def test_another_thread_goes_on_while_the_engine_works() -> None:
    engine = started()
    batch = batches.orders(engine.last_seq + 1, 1_000)
    # Each takes the batch once: on a busy machine the other thread may not get a core at first.
    fresh = [started() for _ in range(ENGINES)]

    def apply_next() -> None:
        if fresh:
            fresh.pop().apply(batch)

    engine.apply(batch)
    assert another_thread_goes_on(apply_next)
    assert another_thread_goes_on(engine.snapshot)
    snapshot = engine.snapshot()
    assert another_thread_goes_on(lambda: Engine.restore(snapshot))
    assert another_thread_goes_on(engine.state_parts)
