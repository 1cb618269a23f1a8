"""What was published is read by part and stays as it was; the whole command over a real engine."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from cambist.reserves.files import check_proof, read_root
from cambist.reserves.tree import Tree, make
from runtime import postgres
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.matching.rpc.test_snapshots import store_snapshot
from tests.matching.shard import ACCOUNT, BASE, running, settings
from wallets.errors import Rejected
from wallets.reserves import limits
from wallets.reserves.command import LEAVES, REPORT
from wallets.reserves.liabilities import read_leaves
from wallets.reserves.published import publish, read_proof, read_report


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    assert await custody.fetchval("select count(*) from custody.liability_report") == 0
    opened = await postgres.connect(postgres_settings, application_name="reserves")
    yield opened
    await opened.close()


async def put(database: Database, balances: dict[int, int], seed: int, asset_id: int = 1) -> Tree:
    tree = make(asset_id, balances, Random(seed))
    await publish(database, tree, "{}")
    return tree


@pytest.mark.parametrize("accounts", [1, 2, 3, 40])
async def test_each_account_reads_the_parts_that_the_tree_has(
    database: Database, accounts: int
) -> None:
    balances = {5_000 + number: number * 10**30 for number in range(accounts)}
    # Of one account alone the tree may be its one leaf.
    for seed in range(5):
        tree = await put(database, balances, seed)
        for account_id, atoms in balances.items():
            proof = await read_proof(database, 1, account_id, b"")
            assert list(proof.parts) == tree.prove(account_id)
            assert (proof.root, proof.atoms) == (tree.root, atoms)
            check_proof(proof, tree.root)


async def test_a_tree_of_one_leaf_is_among_those_above() -> None:
    assert any(len(make(1, {5_000: 0}, Random(seed)).leaves) == 1 for seed in range(5))


async def test_older_reports_are_proven_until_there_are_too_many_of_that_asset(
    database: Database,
) -> None:
    other = await put(database, {5_000: 8}, 100, asset_id=2)
    trees = [await put(database, {5_000: 7}, seed) for seed in range(limits.REPORTS_KEPT + 1)]
    assert (await read_proof(database, 1, 5_000, b"")).root == trees[-1].root
    for tree in trees[1:]:
        check_proof(await read_proof(database, 1, 5_000, tree.root.digest), tree.root)
    with pytest.raises(Rejected, match="NO_REPORT"):
        await read_report(database, 1, trees[0].root.digest)
    # A root of one asset is no root of another one.
    with pytest.raises(Rejected, match="NO_REPORT"):
        await read_report(database, 1, other.root.digest)
    check_proof(await read_proof(database, 2, 5_000, b""), other.root)
    left = await database.read("select count(distinct report_id) from custody.liability_node")
    assert left[0][0] <= limits.REPORTS_KEPT + 1


async def test_a_publication_that_fails_leaves_nothing_of_it(database: Database) -> None:
    tree = await put(database, {5_000: 7}, 1)
    again = make(1, {5_000: 7}, Random(2))
    broken = Tree(
        1, (*again.leaves, *tree.leaves), ((*again.levels[0], tree.root), tree.levels[-1])
    )
    with pytest.raises(Exception, match="root_hash"):
        await publish(database, broken, "{}")
    assert (await read_proof(database, 1, 5_000, b"")).root == tree.root


async def test_the_command_publishes_what_it_writes(
    database: Database, postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    async with running(settings(postgres_settings)) as shard:
        await shard.create_market()
        await store_snapshot(postgres_settings)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "wallets", "reserves", "make"),
            *("--asset", str(BASE), "--directory", str(tmp_path)),
            env={
                **os.environ,
                "CAMBIST_WALLETS_POSTGRES_DSN": postgres_settings.dsn.get_secret_value(),
                "CAMBIST_WALLETS_CHAIN": "bitcoin",
                "CAMBIST_WALLETS_NETWORK": "regtest",
                "CAMBIST_WALLETS_ENGINES": f"1=127.0.0.1:{shard.ports.port}",
            },
        )
        assert await process.wait() == 0
    told = (tmp_path / REPORT).read_text(encoding="utf-8")
    _, root = read_root(told)
    proof = await read_proof(database, BASE, ACCOUNT, b"")
    check_proof(proof, root)
    assert proof.atoms > 0
    kept = read_leaves((tmp_path / LEAVES).read_text(encoding="utf-8"))
    assert tuple(kept.prove(ACCOUNT)) == proof.parts
    row = await read_report(database, BASE, root.digest)
    assert json.loads(row["report"]) == json.loads(told)
