"""A recording played through an engine and compared with what traded in it.

One is made here. The other is half an hour of a real market, which lies beside the project on
machines that have it; it is not ours to copy.
"""

from pathlib import Path

import pytest

from cambist.replay.compare import compare
from cambist.replay.files import Format, format_of, read_flow
from cambist.replay.flow import Note
from tests.replay.engine_player import EnginePlayer
from tests.replay.recorder import Recorder

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
REAL = DATA / "bitstamp-btcusd-2026-05-02-orders.csv.gz"
MADE = "made"
RECORDINGS = [MADE, *([pytest.param(str(REAL), marks=pytest.mark.slow)] if REAL.exists() else [])]


@pytest.fixture(params=RECORDINGS, ids=lambda name: "made" if name == MADE else "real")
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param != MADE:
        return Path(request.param)
    recorder = Recorder(seed=3)
    recorder.record(4_000)
    return recorder.save(tmp_path)


def test_the_trades_of_a_recording_come_out_again(recording: Path) -> None:
    assert format_of(recording) is Format.BITSTAMP
    flow = read_flow(recording)
    assert len(flow.trades) > 200
    played = EnginePlayer(flow.scale).play(flow)
    comparison = compare(flow, played.trades, played.refused)
    assert comparison.equal_share >= 0.95
    assert comparison.unexplained == 0
    assert played.unpaired == 0
    # What was refused had to be: these orders never rested in the recording either.
    assert set(played.refused.values()) == {"POST_ONLY_WOULD_CROSS"}
    if recording == REAL:
        assert (flow.rows, len(flow.trades)) == (314_057, 284)
        assert set(flow.notes) <= {Note.UNKNOWN_ORDER, Note.GHOST, Note.ENTERED_BY_VALUE}
    else:
        assert comparison.equal == comparison.expected
        assert flow.notes == {}


def test_a_wrong_trade_is_noticed(recording: Path) -> None:
    flow = read_flow(recording, rows_max=60_000)
    played = EnginePlayer(flow.scale).play(flow)
    fair = compare(flow, played.trades, played.refused)
    lost = compare(flow, played.trades[:-1], played.refused)
    assert fair.unexplained == 0
    assert (lost.equal, lost.unexplained) == (fair.equal - 1, 1)
