"""A worker opens TRON from its chain file, and names what is wrong with one."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from runtime.errors import ConfigurationError
from tests.chains.tron.custody import TOKEN, TRX, Custody
from wallets.deposits.scanner import Scanner
from wallets.errors import RefusedAddress, Stuck
from wallets.tron.addresses import address_of
from wallets.worker.chains import open_chain

pytestmark = pytest.mark.chains


def file_of(directory: Path, content: Any) -> Path:
    path = directory / "chain.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def content_of(custody: Custody) -> dict[str, Any]:
    return {
        "nodes": [{"name": "a", "url": custody.url, "api_key": "k"}],
        "agreeing": 1,
        "settings": {"token_fee_sun_max": 30 * TRX},
    }


async def test_it_is_followed_and_can_pay(custody: Custody, tmp_path: Path) -> None:
    path = file_of(tmp_path, content_of(custody))
    async with AsyncExitStack() as stack:
        opened = await open_chain(custody.adapter.network, path, custody.database, stack)
        await opened.chain.check()
        assert (await opened.chain.tip()).height == custody.chain.solid_height
        assert await opened.chain.highest_fee(custody.payout(1, 1, token=True)) == 30 * TRX
        with pytest.raises(RefusedAddress):
            opened.chain.parse_address(address_of(TOKEN))
        assert opened.gathers is None
        scanner = Scanner(custody.database, opened.chain, opened.hooks, 1, 0, 600)
        assert await scanner.lag() == custody.chain.solid_height + 1


async def test_with_sweeps_deposits_are_gathered(custody: Custody, tmp_path: Path) -> None:
    sweeps = {"station": {"branch": "hot", "path_index": 1}, "minimum_atoms": {"": TRX}}
    path = file_of(tmp_path, content_of(custody) | {"sweeps": sweeps})
    async with AsyncExitStack() as stack:
        opened = await open_chain(custody.adapter.network, path, custody.database, stack)
        assert opened.gathers is not None
        with pytest.raises(Stuck, match="station"):
            await opened.gathers.next_round(frozenset())


async def test_nodes_of_another_chain_are_not_followed(custody: Custody, tmp_path: Path) -> None:
    content = content_of(custody)
    network = custody.adapter.network
    foreign = type(network)(network.chain, network.network, network.network_id, "00" * 32)
    async with AsyncExitStack() as stack:
        path = file_of(tmp_path, content)
        opened = await open_chain(foreign, path, custody.database, stack)
        with pytest.raises(Stuck):
            await opened.chain.check()


STATION = {"branch": "hot", "path_index": 1}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"agreeing": 2}, "agree"),
        ({"nodes": [{"name": "a"}]}, "url"),
        ({"settings": {"native_fee_sun_max": "much"}}, "native_fee_sun_max"),
        ({"sweeps": {"station": {"branch": "hot"}}}, "path_index"),
        ({"sweeps": {"station": STATION, "minimum_atoms": {"x": 1}}}, "hex"),
        ({"sweeps": {"station": STATION, "minimum_atoms": {"": 0}}}, "sweeps"),
        ({"sweeps": {"station": STATION, "minimum_atoms": {}, "steps_max": 33}}, "sweeps"),
    ],
)
async def test_a_wrong_file_is_named_by_its_field(
    custody: Custody, tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    path = file_of(tmp_path, content_of(custody) | change)
    async with AsyncExitStack() as stack:
        with pytest.raises(ConfigurationError, match=named):
            await open_chain(custody.adapter.network, path, custody.database, stack)
