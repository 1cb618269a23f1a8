"""What custody of several chains is told: read by those who are told it."""

import json
from pathlib import Path

import pytest

from cambist.client.errors import InvalidInput
from venue.custody import files
from venue.custody.bitcoin_plan import NodeAccess, bitcoin
from venue.custody.chain_plan import ChainPlan
from venue.custody.ethereum_plan import EthereumNode, ethereum
from venue.custody.fund import find, fund
from venue.custody.tron_plan import tron
from wallets.approver.settings import read_policy as read_approving
from wallets.signer.settings import read_policy as read_signing
from wallets.worker.registration import read_registration

TOKEN = bytes(range(20))
PLANS: tuple[ChainPlan, ...] = (
    bitcoin(NodeAccess("http://127.0.0.1:1", "user", "password")),
    ethereum(EthereumNode("http://127.0.0.1:2", 31_337, "ab" * 32, TOKEN)),
    tron("http://127.0.0.1:3", "cd" * 32),
)
PURSES = {"tron": {"url": "", "key": ""}, "ethereum": {"url": "", "token": TOKEN.hex()}}


def test_signer_approver_and_registration_read_what_is_written_for_them(tmp_path: Path) -> None:
    files.write(tmp_path, PLANS)
    signing, approving = (
        read_signing(tmp_path / "signing.json"),
        read_approving(tmp_path / "approving.json"),
    )
    assert {number: one.chain for number, one in signing.networks.items()} == {
        1: "bitcoin",
        2: "ethereum",
        3: "tron",
    }
    assert signing.network(2).chain_id == 31_337
    held = [(plan, one) for plan in PLANS for one in plan.assets]
    assert len({one.asset.asset_id for _, one in held}) == len(held) == 5
    for plan, one in held:
        bounds = signing.network(plan.network_id).asset(one.contract_text)
        assert bounds.hourly_cap_atoms == one.limit_atoms
        assert (plan.network_id, one.asset.asset_id) in {
            (asset.network_id, asset.asset_id) for asset in approving.assets
        }
    registered = [read_registration(files.registration_file(tmp_path, plan)) for plan in PLANS]
    assert [len(one.hot_accounts) for one in registered] == [0, 1, 1]
    sources = [source.source_id for one in registered for source in one.sources]
    assert sources == [plan.network_id for plan in PLANS]
    for plan in PLANS:
        # They may hold a node's password.
        path = files.chain_file(tmp_path, plan)
        assert path.stat().st_mode & 0o777 == 0o600
        assert json.loads(path.read_text()) == plan.chain_file


def test_an_asset_is_found_on_its_chain_and_another_is_refused_by_name() -> None:
    assert [find(PURSES, symbol)[0] for symbol in ("STRX", "DUSDT")] == ["tron", "ethereum"]
    assert find(PURSES, "DUSDT")[1].contract == TOKEN.hex()
    with pytest.raises(InvalidInput, match="no RBTC on a chain of this run, but STRX"):
        find(PURSES, "RBTC")


@pytest.mark.parametrize("amount", ["0", "-1", "0.0000001", "much"])
async def test_a_purse_pays_no_such_amount(amount: str) -> None:
    with pytest.raises(InvalidInput):
        await fund(PURSES, "STRX", "an address", amount)
