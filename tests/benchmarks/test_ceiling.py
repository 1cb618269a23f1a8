"""The ceiling program: frozen, the same statement as the venue's, and it counts what is durable."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from benchmarks.ceiling import client, sink
from benchmarks.ceiling.wire import Piece, pack, unpack
from benchmarks.ceiling_servers import running_ceiling
from matching.journal import statements

FOLDER = Path(sink.__file__).parent
# Changed together with a word in the changelog only: figures before and after do not compare.
PINNED = "245f88c5fdf64bb29e2f93cf0bd95f0d97356979bf3ed95a96537dc59c45950a"


def text_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def test_the_ceiling_is_frozen() -> None:
    assert text_hash() == PINNED, "a change of the ceiling is a change of the benchmark"


def test_the_ceiling_runs_the_statement_of_the_venue() -> None:
    assert statements.APPEND.replace("journal.", "ceiling.") == sink.INSERT


def test_pieces_come_out_as_they_went_in() -> None:
    pieces = [Piece(1, 2, b"ab"), Piece(7, 0, b""), Piece(1, 10_000, bytes(300))]
    assert list(unpack(pack(pieces))) == pieces


@pytest.fixture
async def endpoint(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[str]:
    """A running relay and sink."""
    async with running_ceiling(postgres_dsn, tmp_path, answer_bytes=90, row_bytes=140) as found:
        yield found


@pytest.mark.parametrize(("batch", "sessions"), [(1, 1), (100, 3)])
async def test_what_the_ceiling_counts_is_in_its_tables(
    endpoint: str, postgres_dsn: str, batch: int, sessions: int
) -> None:
    load = client.Load(batch, sessions, 60, 10 * batch, warm_seconds=0.0, seconds=0.3)
    outcome = await client.run(endpoint, load)
    connection = await asyncpg.connect(postgres_dsn)
    try:
        rows = await connection.fetch(
            "select c.last_seq - c.first_seq + 1 as orders, length(c.bytes) as commands,"
            " length(e.bytes) as events from ceiling.commands c"
            " join ceiling.events e using (shard, first_seq)"
        )
    finally:
        await connection.close()
    assert 0 < outcome.orders <= sum(row["orders"] for row in rows)
    assert outcome.latency.total >= outcome.orders
    for row in rows:
        assert row["events"] == 140 * row["orders"]
        assert row["commands"] == 60 * row["orders"] + 4 * row["orders"] // batch
