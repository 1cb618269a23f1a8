"""Both engines agree at the ends of time, on any shard, where balances end, on damaged state."""

from collections.abc import Callable
from random import Random
from typing import Any, Final

import pytest

from cambist.internal.journal.v1 import snapshot_pb2 as snapshots
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.contest import Engines, first_difference
from tests.differential.duel import Difference, Duel
from tests.differential.engines import KERNEL, REFERENCE, Kind, Row, Stopped, load
from tests.differential.flow import messages
from tests.differential.flow.messages import amount
from tests.differential.flow.stream import Stream
from tests.differential.flow.world import World
from tests.differential.report import describe
from tests.differential.script import QUOTE, SHARD, Script, market_id
from tests.differential.tape import Apply, Restore, Step

pytest.importorskip("cambist_kernel")
FIRST, SECOND, THIRD = 5_000, 5_001, 5_002
LAST_NS: Final = (1 << 63) - 1
RETENTION_NS: Final = 600 * 10**9
DAMAGES: Final = 150
Writer = Callable[[Script], None]


def last_moments(script: Script) -> None:
    """Times of commands, of quotes and of GTD orders around the last nanosecond there is."""
    script.now = LAST_NS - 1_000
    script.found((FIRST,), (1,))
    script.now = now = LAST_NS - 10
    oldest = now - RETENTION_NS
    for sent in (LAST_NS, LAST_NS - 1, now, oldest, oldest - 1, -(1 << 63), 0):
        for after in (0, 1, 60_000):
            script.firm(FIRST, script.order(FIRST, sent_time_ns=sent, expires_after_ms=after))
        script.firm(
            FIRST,
            commands.Resolve(account_id=FIRST, id=script.new_id(), sent_time_ns=sent),
        )
    for end in (LAST_NS, now + 1, now, now - 1):
        dated = {"time_in_force": enums.TIME_IN_FORCE_GTD, "expire_time_ns": end}
        script.firm(FIRST, script.order(FIRST, **dated))
    script.end_batch(10)
    script.venue(system.Clock())
    script.firm(FIRST, script.order(FIRST, sent_time_ns=LAST_NS))
    script.restore()
    script.venue(system.Clock())


def first_moments(script: Script) -> None:
    """The same around 1970."""
    script.now = 0
    script.found((FIRST,), (1,))
    for sent in (0, -1, -RETENTION_NS, -RETENTION_NS - 1, -(1 << 63), 5 * 10**9, 5 * 10**9 + 1):
        for after in (0, 1, 60_000):
            script.firm(FIRST, script.order(FIRST, sent_time_ns=sent, expires_after_ms=after))
    for end in (0, -1, 1, 400 * 86_400 * 10**9, 400 * 86_400 * 10**9 + 1, -(1 << 63)):
        dated = {"time_in_force": enums.TIME_IN_FORCE_GTD, "expire_time_ns": end}
        script.firm(FIRST, script.order(FIRST, **dated))


@pytest.mark.parametrize("write", [last_moments, first_moments], ids=lambda write: write.__name__)
def test_engines_agree_at_the_ends_of_time(write: Writer) -> None:
    script = Script()
    write(script)
    script.end_batch()
    found = first_difference(SHARD, script.steps, Engines(snapshot_every=1))
    assert found is None, describe(found, script.steps)


@pytest.mark.parametrize("start_ns", [0, LAST_NS - 2 * 10**18])
def test_engines_agree_wherever_a_tape_starts(start_ns: int) -> None:
    stream, steps = Stream(5, World(start_ns=start_ns)), list[Step]()
    duel = Duel(stream.world.shard)
    while duel.reference.last_seq < 2_000:
        steps.append(stream.next_step())
        try:
            outcome = duel.step(steps[-1])
        except Difference as difference:
            pytest.fail(describe(difference.found, steps))
        if outcome is not None:
            row = outcome.row if isinstance(outcome, Row) else None
            stream.observe(row, duel.reference.last_seq, duel.reference.open_cursors)


@pytest.mark.parametrize("shard", [0, 1, 65_535, 65_536, (1 << 32) - 1])
def test_engines_agree_on_any_shard(shard: int) -> None:
    number = (shard << 16 | 1) & 0xFFFF_FFFF
    body = [
        system.CreateAsset(asset_id=1, symbol="a"),
        system.CreateAsset(asset_id=2, symbol="b"),
        system.CreateMarket(
            market_id=number,
            symbol="m",
            base_asset_id=1,
            quote_asset_id=2,
            lot_size_atoms=amount(1),
            tick_size_atoms=amount(1),
        ),
        system.SetPhase(market_id=number, phase=enums.MARKET_PHASE_CONTINUOUS),
        system.Halt(market_id=1),
    ]
    batch = messages.batch(shard, 1, 5, [messages.system_envelope(body)])
    steps: list[Step] = [Apply(batch), Restore()]
    assert first_difference(shard, steps, Engines(snapshot_every=1)) is None


def beyond_127_bits(script: Script) -> None:
    """Money of six peers meets in one account: more than a balance can be."""
    script.found((FIRST, SECOND, THIRD), (1,))
    script.venue(
        system.CreateAsset(asset_id=3, symbol="DEEP", decimals=20),
        system.CreateMarket(
            market_id=market_id(9),
            symbol="WIDE",
            base_asset_id=3,
            quote_asset_id=QUOTE,
            lot_size_atoms=amount(10**20),
            tick_size_atoms=amount(1),
        ),
        system.SetPhase(market_id=market_id(9), phase=enums.MARKET_PHASE_CONTINUOUS),
    )
    for peer in range(1, 7):
        for number in range(32):
            script.venue(
                system.ShardTransferIn(
                    source_id=100 + peer,
                    source_seq=number + 1,
                    peer_shard=peer,
                    account_id=(FIRST, SECOND, THIRD)[peer % 3],
                    asset_id=3,
                    amount_atoms=amount(1 << 120),
                )
            )
    fields = {"market_id": market_id(9), "price_ticks": 1, "quantity_lots": 1 << 53}
    for seller in (FIRST, SECOND):
        for _ in range(90):
            script.firm(seller, script.order(seller, side=enums.SIDE_SELL, **fields))
            script.firm(THIRD, script.order(THIRD, **fields))
            script.end_batch(1)


def steps_until_a_stop(kind: Kind, steps: list[Step]) -> int:
    """After how many steps an engine stops."""
    engine = kind.make(SHARD)
    for number, step in enumerate(steps):
        assert isinstance(step, Apply)
        if isinstance(kind.apply(engine, step.batch), Stopped):
            return number
    raise AssertionError("it never stops")


def test_both_engines_stop_rather_than_let_a_balance_wrap() -> None:
    script = Script()
    beyond_127_bits(script)
    stops = [steps_until_a_stop(load(name), script.steps) for name in (KERNEL, REFERENCE)]
    assert stops[0] == stops[1]


def damaged(random: Random, data: bytes) -> bytes:
    """Bytes with one or two bits changed."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 2)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize("name", [KERNEL, REFERENCE])
def test_a_damaged_snapshot_is_refused_or_comes_back_as_it_is(name: str) -> None:
    kind, random = load(name), Random(7)
    script = Script()
    script.found((FIRST, SECOND), (1,))
    for account in (FIRST, SECOND):
        for price in (98, 99, 100):
            side = enums.SIDE_BUY if account == FIRST else enums.SIDE_SELL
            script.firm(account, script.order(account, side=side, price_ticks=price + side))
    script.end_batch()
    engine = kind.make(SHARD)
    for step in script.steps:
        assert isinstance(step, Apply)
        engine.apply(step.batch)
    good = engine.snapshot()
    refused = 0
    for _ in range(DAMAGES):
        bad = damaged(random, good)
        try:
            restored = kind.restore(bad)
        except kind.snapshot_refused:
            refused += 1
        else:
            assert restored.snapshot() == bad
    assert refused > DAMAGES // 4


def test_a_snapshot_of_another_layout_is_refused(engine_kind: Kind) -> None:
    head: Any = snapshots.Snapshot.FromString(engine_kind.make(SHARD).snapshot())
    head.layout_version = 2
    with pytest.raises(engine_kind.snapshot_refused):
        engine_kind.restore(head.SerializeToString(deterministic=True))
