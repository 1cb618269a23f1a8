"""Proofs and reports that custody tells gateways, from what was published."""

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import grpc.aio
import pytest

from cambist.client.reserves import proof_of
from cambist.internal.custody.v1 import custody_pb2
from cambist.reserves.files import check_proof
from cambist.reserves.tree import Tree, make
from cambist.wallet.v1 import wallet_pb2
from runtime import postgres
from runtime.postgres import Database
from runtime.rpc_errors import fault_of
from runtime.settings import PostgresSettings
from wallets.reserves.liabilities import Liabilities, report
from wallets.reserves.published import publish

ACCOUNT, ASSET = 4_096, 1
BALANCES = {3: 4, ACCOUNT: 1_123, 4_097: 0}
COINS = {"network_id": 1, "block": {"height": 7, "hash": "77"}, "atoms": {"hot": "9", "cold": "5"}}


@pytest.fixture
async def database(postgres_settings: PostgresSettings) -> AsyncIterator[Database]:
    opened = await postgres.connect(postgres_settings, application_name="reserves")
    yield opened
    await opened.close()


async def put(database: Database, coins: Any = None) -> Tree:
    tree = make(ASSET, BALANCES, Random(5))
    found = [Liabilities(2, 9, b"h" * 32, BALANCES)]
    await publish(database, tree, report(tree, found, coins))
    return tree


async def prove(stub: Any, **changes: Any) -> wallet_pb2.GetLiabilityProofResponse:
    asked = {"account_id": ACCOUNT, "asset_id": ASSET, **changes}
    request = wallet_pb2.GetLiabilityProofRequest(**asked)
    answer = await stub.GetLiabilityProof(custody_pb2.GetLiabilityProofRequest(request=request))
    response: wallet_pb2.GetLiabilityProofResponse = answer.response
    return response


async def tell(stub: Any, **asked: Any) -> wallet_pb2.GetLiabilityReportResponse:
    request = wallet_pb2.GetLiabilityReportRequest(**asked)
    answer = await stub.GetLiabilityReport(custody_pb2.GetLiabilityReportRequest(request=request))
    response: wallet_pb2.GetLiabilityReportResponse = answer.response
    return response


async def test_an_account_gets_what_it_owned_below_the_root_that_everybody_gets(
    stub: Any, database: Database
) -> None:
    tree = await put(database)
    told = await tell(stub, asset_id=ASSET)
    assert (told.root, told.root_atoms, told.leaves) == (
        tree.root.digest,
        "1127",
        len(tree.leaves),
    )
    for account_id, atoms in ((ACCOUNT, 1_123), (4_097, 0)):
        proof = proof_of(account_id, ASSET, await prove(stub, account_id=account_id))
        check_proof(proof, tree.root)
        assert proof.atoms == atoms


async def test_a_report_says_where_balances_were_read_and_which_coins_there_are(
    stub: Any, database: Database
) -> None:
    await put(database, COINS)
    told = await tell(stub, asset_id=ASSET)
    (place,) = told.journal
    assert (place.shard, place.seq, place.state_hash) == (2, 9, b"h" * 32)
    reserves = told.reserves
    assert (reserves.network_id, reserves.height, reserves.block_hash) == (1, 7, "77")
    assert {pile.place: pile.atoms for pile in reserves.piles} == COINS["atoms"]
    assert told.made_ns > 0


async def test_coins_that_were_not_counted_are_unset_not_zero(
    stub: Any, database: Database
) -> None:
    await put(database)
    assert not (await tell(stub, asset_id=ASSET)).HasField("reserves")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"asset_id": 2}, "NO_REPORT"),
        ({"asset_id": 2**32 - 1}, "NO_REPORT"),
        ({"root": b"x" * 32}, "NO_REPORT"),
        ({"root": b"x" * 31}, "INVALID_REQUEST"),
        ({"account_id": 9_999}, "NO_PROOF"),
        # Leaves that hide how many there are belong to nobody.
        ({"account_id": 0}, "NO_PROOF"),
    ],
)
async def test_what_is_in_no_report_is_refused_by_name(
    stub: Any, database: Database, changes: dict[str, Any], reason: str
) -> None:
    await put(database)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await prove(stub, **changes)
    assert fault_of(refused.value).reason == reason


async def test_before_the_first_report_both_calls_say_so(stub: Any) -> None:
    for call in (prove(stub), tell(stub, asset_id=ASSET)):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert fault_of(refused.value).reason == "NO_REPORT"
