"""The door of the SDK: keys by value or by file, and the lines of the README."""

import asyncio
import contextlib
import io
import re
from pathlib import Path

import pytest

from cambist.client import ApiKey, Client, InvalidInput, Rejected, Tls
from tests.fakes.scripted_gateway import ScriptedGateway

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture
def key_file(key: ApiKey, tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    key.save(path)
    return path


async def test_a_key_may_be_named_by_its_file(gateway: ScriptedGateway, key_file: Path) -> None:
    async with await Client.connect(f"127.0.0.1:{gateway.port}", key_file=key_file) as client:
        assert client.firm_id == 1
        assert await client.server_time_ns() == 1


def test_exactly_one_key_is_given(key: ApiKey, key_file: Path) -> None:
    for arguments in ({}, {"key": key, "key_file": key_file}):
        with pytest.raises(InvalidInput) as caught:
            Client.connect("127.0.0.1:1", **arguments)  # type: ignore[arg-type]
        assert caught.value.reason == "INVALID_KEY"


@pytest.mark.parametrize("endpoint", ["", "host", "host:", ":7400", "host:port"])
async def test_what_is_no_endpoint_is_refused(key: ApiKey, endpoint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Client.connect(endpoint, key)
    assert caught.value.reason == "INVALID_ENDPOINT"


async def test_a_missing_certificate_is_named(key: ApiKey) -> None:
    for tls in (Tls(authority="nowhere.pem"), Tls(certificate="only-half.pem")):
        with pytest.raises(InvalidInput) as caught:
            Client.connect("127.0.0.1:1", key, tls=tls)
        assert caught.value.reason == "INVALID_TLS"


async def test_an_unknown_market_names_those_that_are(client: Client) -> None:
    with pytest.raises(Rejected, match="UNKNOWN_MARKET: NOPE is none of BTC-USDT"):
        await client.market("NOPE")


async def test_the_lines_of_the_readme_run(
    gateway: ScriptedGateway, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    code = found[1].replace("localhost:7400", f"127.0.0.1:{gateway.port}")
    assert f"127.0.0.1:{gateway.port}" in code
    monkeypatch.chdir(key_file.parent)
    printed = io.StringIO()

    def run() -> None:
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})

    await asyncio.to_thread(run)
    assert printed.getvalue().startswith("Accepted(")
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
