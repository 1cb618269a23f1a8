"""The operator sees when the certificate that the edge shows ends, over real connections."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from control import edge
from runtime.certificate_life import CertificateLife
from runtime.clock import SystemClock
from runtime.development_certificates import make_authority
from runtime.embedded_postgres import free_port

NOW = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)
END_SECONDS = NOW.timestamp() + 30 * 86_400
SECONDS = 10.0


@asynccontextmanager
async def shown(folder: Path, port: int) -> AsyncIterator[str]:
    """An edge whose certificate nobody trusts and whose name is another's; its address."""
    issued = make_authority(folder, NOW).issue("venue-edge", NOW)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(issued.certificate_file, issued.private_key_file)

    def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", port, ssl=context)
    async with server:
        yield f"127.0.0.1:{port}"


async def test_the_end_of_the_shown_certificate_is_seen(tmp_path: Path) -> None:
    async with shown(tmp_path, free_port()) as address:
        assert await edge.shown_end_seconds(address) == END_SECONDS
    with pytest.raises(ConnectionRefusedError):
        await edge.shown_end_seconds(address)


async def test_an_edge_that_is_away_is_looked_at_again_and_what_was_seen_stays(
    tmp_path: Path,
) -> None:
    life, port = CertificateLife(SystemClock()), free_port()
    watching = asyncio.create_task(edge.watch(f"127.0.0.1:{port}", life, interval_seconds=0.01))
    # Nobody listens yet: the first looks fail.
    await asyncio.sleep(0.05)
    async with shown(tmp_path, port):
        await until(lambda: bool(life.ends_seconds))
    await asyncio.sleep(0.05)
    assert not watching.done()
    assert life.ends_seconds == {"edge": END_SECONDS}
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for it; fails when it takes too long."""
    async with asyncio.timeout(SECONDS):
        while not is_so():  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.01)


async def test_without_an_address_nothing_is_looked_at() -> None:
    life = CertificateLife(SystemClock())
    await asyncio.wait_for(edge.watch("", life), SECONDS)
    assert life.ends_seconds == {}
