"""Who is owed what by a snapshot, what is published, and what an account checks for itself."""

import json
import stat
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from cambist.cli.main import main as cambist
from cambist.internal.journal.v1 import snapshot_pb2
from cambist.reserves.tree import make
from wallets.__main__ import main as wallets
from wallets.errors import Broken
from wallets.reserves.command import LEAVES, OWNER_ONLY, REPORT, write
from wallets.reserves.liabilities import (
    leaves_to_json,
    liabilities_of,
    merged,
    read_leaves,
    report,
)

ASSET = 1


def atoms(amount: int) -> bytes:
    return amount.to_bytes(16, "little", signed=True)


def snapshot(shard: int, *rows: tuple[int, int, int, int, int]) -> bytes:
    money = snapshot_pb2.MoneySection(
        balances=[
            snapshot_pb2.BalanceState(
                account_id=account_id,
                asset_id=asset_id,
                available_atoms=atoms(available),
                held_atoms=atoms(held),
                in_flight_atoms=atoms(in_flight),
            )
            for account_id, asset_id, available, held, in_flight in rows
        ]
    )
    return snapshot_pb2.Snapshot(
        shard=shard, last_seq=9, state_hash=b"h" * 32, money=money.SerializeToString()
    ).SerializeToString()


FIRST = snapshot(
    1,
    # The venue's own fees and insurance, and the world outside, are nobody's claim.
    (1, ASSET, 10, 0, 0),
    (3, ASSET, 4, 0, 0),
    (4, ASSET, -500, 0, 0),
    (4_096, ASSET, 100, 20, 3),
    (4_096, 2, 77, 0, 0),
    (4_097, ASSET, -30, 10, 0),
)
SECOND = snapshot(2, (4_096, ASSET, 1_000, 0, 0))


def test_free_held_and_in_flight_count_and_what_is_below_zero_is_zero() -> None:
    found = [liabilities_of(content, ASSET) for content in (FIRST, SECOND)]
    assert merged(found) == {3: 4, 4_096: 1_123, 4_097: 0}
    assert [(one.shard, one.seq) for one in found] == [(1, 9), (2, 9)]


@pytest.fixture
def published(tmp_path: Path) -> Path:
    found = [liabilities_of(content, ASSET) for content in (FIRST, SECOND)]
    tree = make(ASSET, merged(found), Random(5))
    write(tmp_path, LEAVES, leaves_to_json(tree), OWNER_ONLY)
    write(tmp_path, REPORT, report(tree, found, None), 0o644)
    return tmp_path


def prove(folder: Path, account_id: int) -> Path:
    given = CliRunner().invoke(
        wallets, ["reserves", "prove", "--directory", str(folder), "--account", str(account_id)]
    )
    assert given.exit_code == 0
    path = folder / f"{account_id}.json"
    path.write_text(given.output, encoding="utf-8")
    return path


def check(proof: Path, report_path: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(cambist, ["proof", str(proof), str(report_path), *more])
    return result.exit_code, result.output


def test_an_account_checks_its_own_part_against_the_published_root(published: Path) -> None:
    proof = prove(published, 4_096)
    status, told = check(proof, published / REPORT, "--atoms", "1123")
    assert status == 0
    assert "account 4096 is owed 1123 atoms of asset 1, part of 1127 below" in told
    status, told = check(proof, published / REPORT, "--atoms", "1124")
    assert (status, "it shows 1123 atoms" in told) == (1, True)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("4096.json", '"atoms": "1123"', '"atoms": "1122"'),
        ("4096.json", '"place": ', '"place": 1'),
        ("4096.json", '"salt": "', '"salt": "00'),
        (REPORT, '"atoms": "1127"', '"atoms": "1126"'),
        (REPORT, '"asset_id": 1', '"asset_id": 2'),
        (REPORT, '"version": 1', '"version": 9'),
    ],
)
def test_whatever_is_changed_the_proof_does_not_hold(
    published: Path, name: str, before: str, after: str
) -> None:
    proof = prove(published, 4_096)
    text = (published / name).read_text(encoding="utf-8")
    assert before in text
    (published / name).write_text(text.replace(before, after, 1), encoding="utf-8")
    status, told = check(proof, published / REPORT)
    assert (status, "does not hold" in told) == (1, True)


def test_the_report_names_no_account_and_the_leaves_are_their_owners_alone(
    published: Path,
) -> None:
    told = json.loads((published / REPORT).read_text(encoding="utf-8"))
    assert "4096" not in (published / REPORT).read_text(encoding="utf-8")
    assert told["journal"][0] == {"shard": 1, "seq": 9, "state_hash": (b"h" * 32).hex()}
    assert stat.S_IMODE((published / LEAVES).stat().st_mode) == OWNER_ONLY
    missing = ["reserves", "prove", "--directory", str(published), "--account", "9999"]
    assert CliRunner().invoke(wallets, missing).exit_code == 1


def test_leaves_that_are_none_are_refused() -> None:
    with pytest.raises(Broken):
        read_leaves('{"asset_id": 1, "leaves": [[1, "00"]]}')
