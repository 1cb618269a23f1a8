"""The drill: a base backup and the archived log give back the venue as it was at a named moment."""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from runtime import migrations, postgres
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.settings import PostgresSettings
from tests.faults import archiving
from tests.matching.shard import Shard, new_order, running, settings, unary_envelope
from wallets.audit import chain
from wallets.restoring import identity
from wallets.schema import MIGRATIONS as CUSTODY
from wallets.signer.log import MIGRATIONS as SIGNER

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

ORDERS_BEFORE, ORDERS_AFTER = 40, 25
SIGNED = 3
ADD_EVENTS = """
insert into custody.event (kind, subject_id, state_before, state_after, actor, reason)
select 'payout', n::text, 'requested', 'approved', 'worker', 'r' from generate_series(1, 9) n
"""
ADD_ENTRY = """
insert into signer.entry
select count(*) + 1, $1::bytea, $2::bytea, 1, 't', '{}', 'r', 1 from signer.entry
"""
HEAD = """
select last_seq, encode(state_hash, 'hex') from journal.commands order by first_seq desc limit 1
"""


def chosen(server: EmbeddedPostgres) -> PostgresSettings:
    return PostgresSettings(dsn=SecretStr(server.dsn))


async def order(shard: Shard, count: int) -> None:
    """New orders, all of them committed and released."""
    link = await shard.link()
    before = (await shard.status()).released_seq
    for number in range(count):
        await link.send(unary_envelope(new_order(price_ticks=100 + number % 7), number + 1))
    assert await shard.rows(before + 1, before + count)


@contextlib.asynccontextmanager
async def connected(
    server: EmbeddedPostgres,
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    opened = await asyncpg.connect(server.dsn)
    yield opened
    await opened.close()


async def journal_head(server: EmbeddedPostgres) -> tuple[int, str]:
    async with connected(server) as connection:
        row = await connection.fetchrow(HEAD)
    assert row is not None
    return int(row[0]), str(row[1])


async def add_custody(server: EmbeddedPostgres, entries: int) -> chain.Head:
    """Events that the audit covers, and entries of the signer; the audit's head."""
    async with connected(server) as connection:
        await connection.execute(ADD_EVENTS)
        for _ in range(entries):
            number = os.urandom(16)
            await connection.execute(ADD_ENTRY, number, number * 2)
    database = await postgres.connect(chosen(server), application_name="drill")
    while await chain.add_batch(database):
        pass
    head = await chain.verify(database)
    await database.close()
    return head


def command(server: EmbeddedPostgres, service: str, *arguments: str) -> str:
    """What an operator types after the restore; it must end well."""
    module = {"matching": "matching", "wallets": "wallets", "signer": "wallets.signer"}[service]
    told = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=os.environ | {f"CAMBIST_{service.upper()}_POSTGRES_DSN": server.dsn},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


async def open_as_worker(server: EmbeddedPostgres) -> None:
    """What a worker's first connection notices."""
    database = await postgres.connect(
        chosen(server), application_name="wallets", on_open=identity.notice
    )
    await database.close()


async def why_stopped(server: EmbeddedPostgres) -> str:
    async with connected(server) as connection:
        return str(await connection.fetchval("select stopped_reason from custody.chain"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's: each of its runs closes the folder of all others to other users."""
    with tempfile.TemporaryDirectory(prefix="cambist-restore-") as made:
        yield Path(made)


async def test_a_restore_to_a_moment_gives_the_journal_and_custody_of_that_moment(
    folder: Path,
) -> None:
    archive, backup = folder / "archive", folder / "backup"
    source = await asyncio.to_thread(archiving.start_archiving, folder / "source", archive)
    try:
        for service in (CUSTODY, SIGNER):
            await migrations.migrate(chosen(source), service)
        async with connected(source) as connection:
            await connection.execute(
                "insert into custody.chain values ('bitcoin', 'regtest', 1, 'genesis')"
            )
        for _ in range(2):
            await open_as_worker(source)
        assert await why_stopped(source) == ""
        async with running(settings(chosen(source))) as shard:
            await shard.create_market()
            await order(shard, ORDERS_BEFORE // 2)
            await asyncio.to_thread(archiving.take_base_backup, source, backup)
            await order(shard, ORDERS_BEFORE // 2)
            audited = await add_custody(source, SIGNED)
            wanted = await journal_head(source)
            await archiving.mark(source, "drill")
            await order(shard, ORDERS_AFTER)
        await add_custody(source, 1)
        assert await journal_head(source) > wanted
        await archiving.wait_archived(source)
        password = (source.directory / "password").read_text()
    finally:
        # The machine is gone: nothing but backup and archive is left.
        await asyncio.to_thread(source.stop)
    target = folder / "target"
    restored = await asyncio.to_thread(
        archiving.restore, backup, archive, "drill", password, target
    )
    try:
        assert await journal_head(restored) == wanted
        for whole in ((), ("--whole",)):
            told = command(restored, "matching", "verify-restore", *whole)
            assert f"head seq {wanted[0]}, state hash {wanted[1]}" in told
        kept = f"{audited.last_event_id}:{audited.hash.hex()}"
        assert command(restored, "wallets", "verify-audit", "--head", kept).strip() == kept
        command(restored, "signer", "verify-restore", "--seen", str(SIGNED))
        # Whoever might pay finds a new timeline, and pays nothing until it is verified.
        assert await why_stopped(restored) == ""
        await open_as_worker(restored)
        assert (await why_stopped(restored)).startswith("Restored: the database is ")
        # It trades on from there.
        async with running(settings(chosen(restored))) as shard:
            await order(shard, 5)
        assert (await journal_head(restored))[0] > wanted[0]
        command(restored, "matching", "verify-restore", "--whole")
    finally:
        await asyncio.to_thread(restored.stop)
