"""A Postgres that keeps every piece of its log, a base backup, and a restore to a named point.

The commands are those of docs/restore.md, with the binaries of the embedded server.
"""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import asyncpg

from runtime import embedded_postgres
from runtime.embedded_postgres import UNPRIVILEGED_USER, EmbeddedPostgres
from tests.matching.shard import until

# The pieces that are asked of a restored server: none is archived a second time.
RESTORING = """
archive_mode = off
restore_command = 'cp {archive}/%f %p'
recovery_target_name = '{point}'
recovery_target_action = promote
"""


def hand_over(folder: Path) -> None:
    """Postgres runs as another user when tests run as root."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)


def start_archiving(directory: Path, archive: Path) -> EmbeddedPostgres:
    """A new server whose log is copied into `archive`, piece by piece."""
    archive.mkdir(parents=True)
    hand_over(archive)
    embedded_postgres.start(directory).stop()
    with (directory / "data" / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        settings.write("archive_mode = on\n")
        settings.write(f"archive_command = 'test ! -f {archive}/%f && cp %p {archive}/%f'\n")
    return embedded_postgres.start(directory)


def take_base_backup(server: EmbeddedPostgres, to: Path) -> None:
    """A copy of the running server's files; what is written meanwhile comes from the archive."""
    programs = embedded_postgres.find_binaries()
    source = f"--dbname={server.dsn}"
    run(str(programs / "pg_basebackup"), source, f"--pgdata={to}", "--checkpoint=fast")
    run(str(programs / "pg_verifybackup"), str(to))


async def mark(server: EmbeddedPostgres, point: str) -> None:
    """Names this moment, so that a restore can end at it exactly."""
    await ask(server, "select pg_create_restore_point($1)", point)


async def wait_archived(server: EmbeddedPostgres) -> None:
    """All that was written until now is in the archive."""
    last = await ask(server, "select pg_walfile_name(pg_switch_wal())")

    async def is_archived() -> bool:
        return await ask(server, "select last_archived_wal from pg_stat_archiver") >= last

    await until(is_archived)


def restore(backup: Path, archive: Path, point: str, password: str, to: Path) -> EmbeddedPostgres:
    """A server of the backup's files that has read the archive up to `point`."""
    shutil.copytree(backup, to / "data")
    (to / "password").write_text(password)
    (to / "data" / "recovery.signal").touch()
    with (to / "data" / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        settings.write(RESTORING.format(archive=archive, point=point))
    hand_over(to)
    # A process of its own starts it: to start one as another user forks, which gRPC's threads here
    # do not always survive.
    run(sys.executable, "-m", "runtime.embedded_postgres", "start", str(to))
    return embedded_postgres.start(to)


def run(*command: str) -> None:
    """A program to its end; a failure shows what it said."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.returncode} {done.stderr}"


async def ask(server: EmbeddedPostgres, query: str, *arguments: object) -> str:
    """One value, as text; null is the empty one."""
    connection = await asyncpg.connect(server.dsn)
    try:
        return str(await connection.fetchval(query, *arguments) or "")
    finally:
        await connection.close()
