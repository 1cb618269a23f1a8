"""Fixtures that all tests may use: real Postgres, and nothing outside this machine."""

import logging
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final

import asyncpg
import pytest
import structlog
from pydantic import SecretStr

from runtime import embedded_postgres
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.settings import PostgresSettings

TEMPORARY: Final = pytest.StashKey[Path]()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """One real Postgres per test process, gone at its end. Tests that crash it start their own."""
    with tempfile.TemporaryDirectory(prefix="cambist-postgres-") as folder:
        server = embedded_postgres.start(Path(folder) / "postgres")
        yield server
        server.stop()


@pytest.fixture
async def postgres_dsn(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The DSN of a new, empty database for one test."""
    name = f"test_{secrets.token_hex(6)}"
    administrator = await asyncpg.connect(postgres_server.dsn)
    try:
        await administrator.execute(f"create database {name}")
        yield postgres_server.dsn_for(name)
        await administrator.execute(f"drop database {name} with (force)")
    finally:
        await administrator.close()


@pytest.fixture
def postgres_settings(postgres_dsn: str) -> PostgresSettings:
    """Settings of the pool on a new, empty database."""
    return PostgresSettings(dsn=SecretStr(postgres_dsn))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Gives each run temporary folders of its own, and SIGINT its meaning.

    pytest's common one is closed to other users whenever a run starts: the Postgres of an earlier
    run, which root starts as another user, could no longer reach its data. A run that a script
    starts in the background is deaf to SIGINT, and so would be the programs that tests interrupt.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.option.basetemp is None:
        config.stash[TEMPORARY] = Path(tempfile.mkdtemp(prefix="cambist-tests-"))
        config.option.basetemp = str(config.stash[TEMPORARY])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test fails the run: what should have run and did not is not a success.

    Temporary folders are kept after a run with failures only.
    """
    config = session.config
    if hasattr(config, "workerinput"):
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skips_fail = os.environ.get("CAMBIST_TEST_SKIPS_FAIL") == "1"
    if skips_fail and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("skipped tests fail this run (CAMBIST_TEST_SKIPS_FAIL=1)", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if TEMPORARY in config.stash and session.exitstatus == pytest.ExitCode.OK:
        shutil.rmtree(config.stash[TEMPORARY], ignore_errors=True)


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Tells what was logged since the test configured logs, which is undone at its end."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
