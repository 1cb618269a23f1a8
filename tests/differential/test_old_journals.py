"""Old journals replay under old rules on engines that know newer ones; switched ones under both."""

import importlib.util
from typing import Final

import pytest
from google.protobuf.message import DecodeError

from cambist.internal.journal.v1 import batch_pb2
from cambist.internal.journal.v1 import snapshot_pb2 as snapshots
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.engines import KERNEL, REFERENCE, Kind, Row, load
from tests.differential.flow.stream import Stream
from tests.differential.tape import Restore

COMMANDS: Final = 3_000
NAMES: Final = [name for name in (REFERENCE, KERNEL) if importlib.util.find_spec(name) is not None]
Journal = list[tuple[bytes, bytes, bytes]]  # batch, row, state hash


def switches(batch: bytes, version: int) -> bool:
    """Whether a batch asks for rules of a version."""
    found = False
    for envelope in batch_pb2.Batch.FromString(batch).envelopes:
        if envelope.command_class == enums.COMMAND_CLASS_SYSTEM and not found:
            body = system.SystemCommands.FromString(envelope.system_commands)
            found = any(one.switch_rules.version == version for one in body.commands)
    return found


def journal_of(kind: Kind, rules_version: int) -> Journal:
    """What a bulk tape leaves in a journal: no refused batches."""
    stream = Stream(23, rules_version=rules_version)
    engine, journal = kind.make(stream.world.shard), Journal()
    while engine.last_seq < COMMANDS:
        step = stream.next_step()
        if isinstance(step, Restore):
            continue
        outcome = None
        # No build that knew version 1 alone was ever asked for the next one.
        if rules_version > 1 or not _asks_for_later(step.batch):
            outcome = kind.apply(engine, step.batch)
        row = outcome.row if isinstance(outcome, Row) else None
        stream.observe(row, engine.last_seq, engine.open_cursors)
        if row is not None:
            journal.append((step.batch, row, engine.state_hash))
    return journal


def _asks_for_later(batch: bytes) -> bool:
    try:
        return switches(batch, 2)
    except DecodeError:
        return False


@pytest.mark.parametrize("name", NAMES)
def test_an_old_journal_replays_under_old_rules(name: str) -> None:
    journal = journal_of(load(name), 1)
    engine = load(name, rules_newest=2).make(Stream(23).world.shard)
    for batch, row, state_hash in journal:
        assert engine.apply(batch) == row
        assert engine.state_hash == state_hash
    assert snapshots.Snapshot.FromString(engine.snapshot()).rules_version == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_switched_journal_replays_under_both_rules(name: str) -> None:
    kind = load(name, rules_newest=2)
    journal = journal_of(kind, 2)
    shard = Stream(23).world.shard
    engine, versions = kind.make(shard), []
    for number, (batch, row, state_hash) in enumerate(journal):
        assert engine.apply(batch) == row
        assert engine.state_hash == state_hash
        if number % 40 == 0:
            content = engine.snapshot()
            versions.append(snapshots.Snapshot.FromString(content).rules_version)
            engine = kind.restore(content)
    assert versions[0] == 1
    assert versions[-1] == 2
    # One that knows the old rules alone follows it to the switch, and no further.
    old = load(name).make(shard)
    for batch, row, _ in journal:
        told = old.apply(batch)
        if switches(batch, 2):
            assert told != row
            break
        assert told == row
