"""Custody's answers to gateways, over gRPC and real Postgres."""

from typing import Any

import grpc
import grpc.aio
import pytest

from cambist.internal.custody.v1 import custody_pb2
from cambist.wallet.v1 import wallet_pb2
from runtime.postgres import Connection
from runtime.rpc_errors import fault_of
from tests.wallets.conftest import NETWORK_ID
from wallets.bitcoin.addresses import parse_address
from wallets.bitcoin.networks import REGTEST
from wallets.service import limits

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
ACCOUNT = 4_096
# The account of the test vectors of BIP84, with the version of test networks.
TPUB = (
    "vpub5YvMuJNjRSYon44z9QmCfdf8SqJRVNvz6m55Qy5iVjZQxDfUgtiQjnc7CC1fAbED2tAGCZRERUfvtn2DstZGU6HMns6"
    "dXXH2wujSc2wfi2x"
)


def wanted(**changes: Any) -> dict[str, Any]:
    return {
        "account_id": ACCOUNT,
        "asset_id": 1,
        "network": "bitcoin",
        "amount": "0.5",
        "destination": ADDRESS,
        **changes,
    }


async def quote(stub: Any, **changes: Any) -> wallet_pb2.QuoteWithdrawalResponse:
    request = wallet_pb2.QuoteWithdrawalRequest(**wanted(**changes))
    answer = await stub.QuoteWithdrawal(custody_pb2.QuoteWithdrawalRequest(request=request))
    response: wallet_pb2.QuoteWithdrawalResponse = answer.response
    return response


async def check(stub: Any, **changes: Any) -> custody_pb2.CheckWithdrawalResponse:
    request = wallet_pb2.RequestWithdrawalRequest(**wanted(**changes))
    answer: custody_pb2.CheckWithdrawalResponse = await stub.CheckWithdrawal(
        custody_pb2.CheckWithdrawalRequest(request=request)
    )
    return answer


async def test_a_quote_holds_for_its_amount_and_account(stub: Any) -> None:
    made = await quote(stub)
    assert (made.fee, made.minimum_amount) == ("0.00000005", "0.00001")
    found = await check(stub, quote_id=made.quote_id)
    assert (found.network_id, found.amount_atoms, found.fee_atoms) == (
        NETWORK_ID,
        "500000000",
        "50",
    )
    assert found.quote_expires_ns == made.expires_ns
    for changes in (
        {"amount": "0.6"},
        {"account_id": 5},
        {"quote_id": "00" * 16},
        {"quote_id": ""},
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await check(stub, **{"quote_id": made.quote_id, **changes})
        assert fault_of(refused.value).reason == "UNKNOWN_QUOTE"


async def test_a_quote_that_ended_is_refused(stub: Any, custody: Connection) -> None:
    made = await quote(stub)
    await custody.execute("update custody.fee_quote set expires_at = now() - interval '1 second'")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await check(stub, quote_id=made.quote_id)
    assert fault_of(refused.value).reason == "QUOTE_EXPIRED"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"network": "tron"}, "NETWORK_NOT_SERVED"),
        ({"asset_id": 2}, "NETWORK_NOT_SERVED"),
        ({"amount": "0.000000001"}, "AMOUNT_BELOW_MINIMUM"),
        ({"amount": "0.500000001"}, "INVALID_AMOUNT"),
        ({"amount": "-1"}, "INVALID_AMOUNT"),
        ({"destination": ""}, "INVALID_ADDRESS"),
        ({"destination": ADDRESS[:-1] + "q"}, "INVALID_ADDRESS"),
    ],
)
async def test_what_could_never_be_paid_is_refused_by_name(
    stub: Any, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await quote(stub, **changes)
    assert fault_of(refused.value).reason == reason


async def test_an_address_of_ours_and_a_stopped_network_are_refused(
    stub: Any, custody: Connection
) -> None:
    await custody.execute(
        "insert into custody.key_branch values ($1, 'deposit', 1, 'p2wpkh', 'x', 0)", NETWORK_ID
    )
    await custody.execute(
        "insert into custody.address (network_id, key, text, branch, generation, path_index) "
        "values ($1, $2, $3, 'deposit', 1, 0)",
        NETWORK_ID,
        parse_address(ADDRESS, REGTEST).key,
        ADDRESS,
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await quote(stub)
    assert fault_of(refused.value).reason == "OWN_ADDRESS"
    await custody.execute("update custody.chain set withdrawals_stopped = true")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await quote(stub)
    assert fault_of(refused.value).reason == "WITHDRAWALS_SUSPENDED"


async def test_open_quotes_of_an_account_are_bounded(
    stub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QUOTES_MAX", 1)
    await quote(stub)
    await quote(stub, account_id=5)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await quote(stub)
    assert fault_of(refused.value).reason == "TOO_MANY_QUOTES"


async def test_a_requested_withdrawal_has_done_with_its_quote_and_with_one_only(
    stub: Any, custody: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QUOTES_MAX", 2)
    for _ in range(2):
        made = await quote(stub)
        await check(stub, quote_id=made.quote_id, request_id=b"w" * 16)
    # Asked for, and refused by the engine perhaps: no payout, and both quotes are open.
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await quote(stub)
    assert fault_of(refused.value).reason == "TOO_MANY_QUOTES"
    await add_payout(custody, "requested")
    await quote(stub)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await quote(stub)
    assert fault_of(refused.value).reason == "TOO_MANY_QUOTES"


async def test_pages_hold_each_withdrawal_and_deposit_once_newest_first(
    stub: Any, custody: Connection
) -> None:
    for number in range(5):
        await custody.execute(
            "insert into custody.payout (withdrawal_id, kind, shard, journal_seq, account_id, "
            "network_id, asset_id, destination_text, amount_atoms, engine_amount_atoms, "
            "engine_fee_atoms, state) "
            "values ($1, 'customer', 1, 1, $2, $3, 1, $4, 5, 50, 5, 'requested')",
            bytes([number]) * 16,
            ACCOUNT if number < 4 else 5,
            NETWORK_ID,
            ADDRESS,
        )
    seen, token = [], ""
    for _ in range(2):
        request = wallet_pb2.ListWithdrawalsRequest(
            account_id=ACCOUNT, page_size=2, page_token=token
        )
        answer = await stub.ListWithdrawals(custody_pb2.ListWithdrawalsRequest(request=request))
        seen += [
            (one.withdrawal_id[0], one.amount, one.state) for one in answer.response.withdrawals
        ]
        token = answer.response.next_page_token
    assert seen == [(number, "0.00000005", "requested") for number in (3, 2, 1, 0)]
    assert token == ""
    for wrong in ("x", "2020-01-01/00", "2020-01-01T00:00:00+00:00/zz"):
        request = wallet_pb2.ListWithdrawalsRequest(account_id=ACCOUNT, page_token=wrong)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.ListWithdrawals(custody_pb2.ListWithdrawalsRequest(request=request))
        assert fault_of(refused.value).reason == "INVALID_PAGE"


async def test_a_deposit_shows_its_confirmations(stub: Any, custody: Connection) -> None:
    await custody.execute(
        "insert into custody.deposit (deposit_id, network_id, txid, index, key, account_id, "
        "asset_id, contract, amount_atoms, engine_atoms, state, block_height) "
        "values ($1, $2, 'aa', 0, 'k', $3, 1, '', 150000000, 1500000000, 'seen', 7)",
        b"d" * 16,
        NETWORK_ID,
        ACCOUNT,
    )
    await custody.execute("insert into custody.block values ($1, 9, 'h', 'p', 0, '')", NETWORK_ID)
    request = wallet_pb2.ListDepositsRequest(account_id=ACCOUNT)
    answer = await stub.ListDeposits(custody_pb2.ListDepositsRequest(request=request))
    (deposit,) = answer.response.deposits
    assert (deposit.amount, deposit.confirmations, deposit.network) == ("1.5", 3, "bitcoin")


async def address(stub: Any, **changes: Any) -> str:
    asked = {"account_id": ACCOUNT, "asset_id": 1, "network": "bitcoin", **changes}
    shard = asked.pop("shard", 3)
    request = wallet_pb2.CreateDepositAddressRequest(**asked)
    answer = await stub.CreateDepositAddress(
        custody_pb2.CreateDepositAddressRequest(request=request, shard=shard)
    )
    return str(answer.response.address)


async def add_branch(custody: Connection) -> None:
    await custody.execute(
        "insert into custody.key_branch values ($1, 'deposit', 1, 'p2wpkh', $2, 0)",
        NETWORK_ID,
        TPUB,
    )


async def test_an_account_has_one_address_and_one_more_for_each_request(
    stub: Any, custody: Connection
) -> None:
    await add_branch(custody)
    first = await address(stub)
    assert first.startswith("bcrt1q")
    assert await address(stub) == first
    own = await address(stub, request_id=b"r" * 16)
    assert own == await address(stub, request_id=b"r" * 16)
    assert len({first, own, await address(stub, account_id=5)}) == 3
    shards = await custody.fetch("select shard from custody.address where account_id > 0")
    assert {row["shard"] for row in shards} == {3}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"network": "tron"}, "NETWORK_NOT_SERVED"),
        ({"asset_id": 2}, "NETWORK_NOT_SERVED"),
        ({"request_id": b"r" * 17}, "INVALID_REQUEST"),
        ({}, "DEPOSITS_NOT_SERVED"),
    ],
)
async def test_an_address_that_nobody_would_watch_is_refused_by_name(
    stub: Any, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await address(stub, **changes)
    assert fault_of(refused.value).reason == reason


async def add_payout(custody: Connection, state: str) -> None:
    await custody.execute("insert into custody.source values (7, $1, 1)", NETWORK_ID)
    await custody.execute(
        "insert into custody.payout (withdrawal_id, kind, shard, journal_seq, account_id, "
        "network_id, asset_id, destination_text, amount_atoms, engine_amount_atoms, "
        "engine_fee_atoms, state, fencing_token) "
        "values ($1, 'customer', 1, 1, $2, $3, 1, $4, 5, 50, 5, $5, 3)",
        b"w" * 16,
        ACCOUNT,
        NETWORK_ID,
        ADDRESS,
        state,
    )


async def cancel(stub: Any, account_id: int = ACCOUNT) -> str:
    request = wallet_pb2.CancelWithdrawalRequest(account_id=account_id, withdrawal_id=b"w" * 16)
    answer = await stub.CancelWithdrawal(custody_pb2.CancelWithdrawalRequest(request=request))
    return str(answer.response.state)


@pytest.mark.parametrize("state", ["requested", "held", "approved"])
async def test_what_has_not_started_is_cancelled_once_and_its_money_goes_back(
    stub: Any, custody: Connection, state: str
) -> None:
    await add_payout(custody, state)
    assert [await cancel(stub) for _ in range(2)] == ["cancelled", "cancelled"]
    assert await custody.fetchval("select fencing_token from custody.payout") == 4
    kinds = await custody.fetch("select kind from custody.outbox")
    assert [row["kind"] for row in kinds] == ["release"]


async def ask_to_start(custody: Connection) -> None:
    await custody.execute(
        "insert into custody.outbox (source_id, source_seq, command, kind, subject_id) "
        "values (7, 1, '', 'start', $1)",
        b"w" * 16,
    )


@pytest.mark.parametrize("state", ["approved", "started", "built"])
async def test_what_was_asked_to_start_is_cancelled_by_whoever_works_on_it(
    stub: Any, custody: Connection, state: str
) -> None:
    await add_payout(custody, state)
    await ask_to_start(custody)
    assert [await cancel(stub) for _ in range(2)] == ["cancelling", "cancelling"]
    row = await custody.fetchrow("select state, cancel_requested from custody.payout")
    assert row is not None
    assert tuple(row) == (state, True)
    assert await custody.fetchval("select count(*) from custody.outbox") == 1


@pytest.mark.parametrize("state", ["signed", "broadcasting", "settled"])
async def test_what_is_signed_is_never_cancelled(
    stub: Any, custody: Connection, state: str
) -> None:
    await add_payout(custody, state)
    await ask_to_start(custody)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await cancel(stub)
    assert fault_of(refused.value).reason == "TOO_LATE"
    assert await custody.fetchval("select state from custody.payout") == state


async def test_nobody_cancels_for_another_account(stub: Any, custody: Connection) -> None:
    await add_payout(custody, "requested")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await cancel(stub, 5)
    assert fault_of(refused.value).reason == "UNKNOWN_WITHDRAWAL"


@pytest.mark.parametrize(
    ("attempt_state", "other_wishes", "is_granted"),
    [
        ("signed", False, True),
        ("broadcast", False, True),
        ("broadcast", True, False),
        ("mined", False, False),
    ],
)
async def test_what_was_sent_with_others_may_be_left_out_while_no_block_has_it(
    stub: Any, custody: Connection, attempt_state: str, other_wishes: bool, is_granted: bool
) -> None:
    await add_payout(custody, "broadcasting")
    await ask_to_start(custody)
    await custody.execute(
        "insert into custody.payout (withdrawal_id, kind, shard, journal_seq, account_id, "
        "network_id, asset_id, destination_text, amount_atoms, engine_amount_atoms, "
        "engine_fee_atoms, state, cancel_requested) "
        "select $1, kind, shard, journal_seq, account_id, network_id, asset_id, destination_text, "
        "amount_atoms, engine_amount_atoms, engine_fee_atoms, state, $2 from custody.payout",
        b"o" * 16,
        other_wishes,
    )
    attempt_id = await custody.fetchval(
        "insert into custody.attempt (network_id, kind, state, txid, raw, fee_atoms_max) "
        "values ($1, 'payout', $2, 'id', 'bytes', 1) returning attempt_id",
        NETWORK_ID,
        attempt_state,
    )
    await custody.execute(
        "insert into custody.attempt_output select $1, withdrawal_id, 5 from custody.payout",
        attempt_id,
    )
    if is_granted:
        assert [await cancel(stub) for _ in range(2)] == ["cancelling", "cancelling"]
        return
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await cancel(stub)
    assert fault_of(refused.value).reason == "TOO_LATE"
