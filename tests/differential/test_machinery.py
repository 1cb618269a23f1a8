"""What looks for differences finds them: the duel, the shrinker, the report, tapes in files."""

from pathlib import Path

import pytest

from cambist.internal.journal.v1 import batch_pb2
from tests.differential import contest as contests
from tests.differential import tape
from tests.differential.census import Census
from tests.differential.contest import Engines, contest, explain, first_difference
from tests.differential.engines import Kind
from tests.differential.liar import lying
from tests.differential.shrink import shrink
from tests.differential.tape import Apply, Restore, Step

# A tape that founds a small venue, opens a session, and lets two orders of a group meet.
SHORTEST_COMMANDS = 24


def commands_of(steps: list[Step]) -> int:
    batches = [batch_pb2.Batch.FromString(s.batch) for s in steps if isinstance(s, Apply)]
    return sum(envelope.count for batch in batches for envelope in batch.envelopes)


def test_a_lie_is_found_and_shrunk_to_a_few_commands(
    engine_kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contests, "REPLAY_FOLDER", tmp_path)
    engines = Engines(lying(engine_kind), engine_kind)
    found = contest(1, 5_000, Census(), engines)
    assert found is not None
    report = explain(found, "liar", engines)
    shard, steps = tape.read(tmp_path / "liar-short.tape")
    assert commands_of(steps) <= SHORTEST_COMMANDS
    assert first_difference(shard, steps, engines) is not None
    assert "EXEC_TYPE_RESTATED" in report
    assert "rows differ" in report


def test_a_tape_without_a_difference_is_not_shrunk() -> None:
    with pytest.raises(ValueError, match="agree"):
        shrink([Restore()], lambda _: None)


def test_an_honest_engine_agrees_with_itself(engine_kind: Kind) -> None:
    assert contest(2, 2_000, Census(), Engines(engine_kind, engine_kind)) is None


def test_a_tape_comes_back_from_its_file(tmp_path: Path) -> None:
    steps: list[Step] = [Apply(b"one"), Restore(), Apply(b"")]
    tape.write(tmp_path / "some.tape", 9, steps)
    assert tape.read(tmp_path / "some.tape") == (9, steps)
    (tmp_path / "other").write_bytes(b"something else")
    with pytest.raises(ValueError, match="not a tape"):
        tape.read(tmp_path / "other")
