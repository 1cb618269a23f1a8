"""A network is registered whole or not at all; a second time changes nothing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from runtime import postgres
from runtime.errors import ConfigurationError
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from wallets.ethereum import addresses
from wallets.signer.keys.seeds import Seeds
from wallets.signer.policy import NetworkPolicy
from wallets.tron.addresses import account_at
from wallets.worker.registration import apply, read_registration

SEEDS = Seeds({"hot": b"h" * 64})
HOT_PATH = "m/44'/195'/1'/0"
STATION = {"path_index": 4, "is_station": True}


GENESIS = "00" * 32


def content(**changes: Any) -> dict[str, Any]:
    asset = {
        "asset_id": 1,
        "symbol": "ETH",
        "decimals": 18,
        "engine_decimals": 8,
        "deposit_minimum_atoms": 1,
        "withdrawal_minimum_atoms": 1,
    }
    token = {**asset, "asset_id": 2, "symbol": "USDT", "contract": "0x" + "ab" * 20}
    tier = {
        "asset_id": 1,
        "version": 1,
        "above_atoms": 10**30,
        "credit_depth": 2,
        "withdrawable_depth": 3,
    }
    from_nothing = {**tier, "above_atoms": 0}
    branch = {
        "branch": "deposit",
        "generation": 1,
        "scheme": "bip44",
        "extended_public_key": "xpub",
        "birthday_height": 0,
    }
    return {
        "chain": "ethereum",
        "network": "dev",
        "network_id": 5,
        "genesis_hash": GENESIS,
        "assets": [asset, token],
        "tiers": [tier, from_nothing],
        "branches": [branch],
        "sources": [{"source_id": 9, "shard": 1}],
        **changes,
    }


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    del custody
    opened = await postgres.connect(postgres_settings, application_name="registration-test")
    yield opened
    await opened.close()


def test_a_hash_as_nodes_of_ethereum_write_it_is_the_same_hash(tmp_path: Path) -> None:
    wanted = read_registration(write(tmp_path / "file", content(genesis_hash="0x" + "AB" * 32)))
    assert wanted.genesis_hash == "ab" * 32


def write(path: Path, body: object) -> Path:
    path.write_text(json.dumps(body), encoding="utf-8")
    return path


async def count(connection: Connection) -> list[int]:
    tables = ("chain", "asset", "confirmation_tier", "key_branch", "source")
    return [await connection.fetchval(f"select count(*) from custody.{name}") for name in tables]


async def test_a_second_time_changes_nothing(
    database: Database, custody: Connection, tmp_path: Path
) -> None:
    wanted = read_registration(write(tmp_path / "file", content()))
    await apply(database, wanted)
    await custody.execute("update custody.source set last_seq = 4")
    await apply(database, wanted)
    assert await count(custody) == [2, 2, 2, 1, 1]
    assert await custody.fetchval("select last_seq from custody.source") == 4


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"genesis_hash": "01" * 32}, "genesis_hash"),
        ({"sources": [{"source_id": 9, "shard": 2}]}, "shard"),
        ({"network_id": 6}, "network_id"),
    ],
)
async def test_a_contradiction_is_named_and_nothing_of_the_file_stays(
    database: Database, custody: Connection, tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    await apply(database, read_registration(write(tmp_path / "file", content())))
    before = await count(custody)
    wanted = read_registration(write(tmp_path / "file", content(**changes)))
    with pytest.raises(ConfigurationError, match=named):
        await apply(database, wanted)
    assert await count(custody) == before


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ([], "not an object"),
        ({"chain": "ethereum"}, "network_id: missing"),
        (content(sources=[{"source_id": "x", "shard": 1}]), r"sources\.0\.source_id"),
        (content(assets=[]), "tiers of unknown assets"),
        (content(tiers=content()["tiers"][:1]), "without one from 0"),
        (content(genesis_hash="ab" * 31), "genesis_hash"),
    ],
)
def test_a_wrong_file_is_named_by_field(tmp_path: Path, body: object, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        read_registration(write(tmp_path / "file", body))


def tron(**changes: Any) -> dict[str, Any]:
    """A network whose payouts leave from an account."""
    key = SEEDS.branch_key(NetworkPolicy(5, "tron", "dev", 0, {"hot": HOT_PATH}, {}, 0), "hot")
    branch = {**content()["branches"][0], "branch": "hot", "extended_public_key": key}
    hot = [{"branch": "hot", "path_index": 3}]
    return content(chain="tron", assets=[], tiers=[], branches=[branch], hot_accounts=hot) | changes


async def test_a_hot_account_of_tron_is_reckoned_from_the_key_of_its_branch(
    custody: Connection, database: Database, tmp_path: Path
) -> None:
    for _ in range(2):
        await apply(database, read_registration(write(tmp_path / "r", tron())))
    (row,) = await custody.fetch("select * from custody.tron_account")
    assert row["account"] == account_at(tron()["branches"][0]["extended_public_key"], 3)
    assert (row["branch"], row["path_index"], row["is_draining"]) == ("hot", 3, False)


async def test_a_lane_of_ethereum_is_reckoned_from_the_key_of_its_branch(
    custody: Connection, database: Database, tmp_path: Path
) -> None:
    lanes = [{"branch": "hot", "path_index": 3}, {**STATION, "branch": "hot"}]
    wanted = tron(chain="ethereum", hot_accounts=lanes)
    for _ in range(2):
        await apply(database, read_registration(write(tmp_path / "r", wanted)))
    branch = addresses.parse_branch(wanted["branches"][0]["extended_public_key"])
    rows = await custody.fetch("select * from custody.ethereum_lane order by path_index")
    assert [(row["account"], row["branch"], row["is_draining"]) for row in rows] == [
        (addresses.account_at(branch, 3), "hot", False),
        (addresses.account_at(branch, 4), "hot", True),
    ]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"chain": "bitcoin"}, "hot accounts on bitcoin"),
        ({"branches": []}, "0 branches"),
        ({"branches": [content()["branches"][0] | {"branch": "hot"}]}, "hot account"),
    ],
)
async def test_a_hot_account_without_its_key_is_refused(
    database: Database, tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigurationError, match=named):
        await apply(database, read_registration(write(tmp_path / "r", tron(**change))))


SEVERAL = {
    "branch": "hot",
    "path_index": 3,
    "permission_id": 2,
    "signers": [{"branch": "hot", "path_index": 5}, {"branch": "hot", "path_index": 6}],
}


async def test_an_account_of_several_keys_is_stored_with_the_accounts_of_its_keys(
    custody: Connection, database: Database, tmp_path: Path
) -> None:
    for _ in range(2):
        await apply(
            database, read_registration(write(tmp_path / "r", tron(hot_accounts=[SEVERAL])))
        )
    (row,) = await custody.fetch("select * from custody.tron_account")
    key = tron()["branches"][0]["extended_public_key"]
    assert row["account"] == account_at(key, 3)
    assert row["signer_accounts"] == [account_at(key, 5), account_at(key, 6)]
    assert (row["permission_id"], row["signer_branches"]) == (2, ["hot", "hot"])
    assert row["signer_path_indexes"] == [5, 6]
    one = tron(hot_accounts=[{"branch": "hot", "path_index": 3}])
    with pytest.raises(ConfigurationError, match="permission_id"):
        await apply(database, read_registration(write(tmp_path / "r", one)))


@pytest.mark.parametrize(
    ("change", "chain", "named"),
    [
        ({"signers": []}, "tron", "permission_id and signers go together"),
        ({"permission_id": 0}, "tron", "permission_id and signers go together"),
        ({"permission_id": 1}, "tron", "tron_account"),
        ({"is_station": True}, "tron", "a station signs with its own key"),
        ({"signers": [{"branch": "cold", "path_index": 0}]}, "tron", "0 branches"),
        ({}, "ethereum", "an account of several keys on ethereum"),
    ],
)
async def test_an_account_of_several_keys_that_cannot_be_is_refused(
    database: Database, tmp_path: Path, change: dict[str, Any], chain: str, named: str
) -> None:
    wanted = tron(chain=chain, hot_accounts=[SEVERAL | change])
    with pytest.raises(ConfigurationError, match=named):
        await apply(database, read_registration(write(tmp_path / "r", wanted)))
