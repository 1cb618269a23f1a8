"""The signer over mutual TLS, on a real Postgres."""

import asyncio
import datetime
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import asyncpg
import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account

from cambist.internal.signer.v1 import intent_pb2, signer_pb2, signer_pb2_grpc
from runtime import postgres, rpc_channel, rpc_server
from runtime.clock import ManualClock
from runtime.development_certificates import make_authority
from runtime.migrations import migrate
from runtime.settings import PostgresSettings, RpcSettings
from wallets.errors import Fenced
from wallets.signer import log
from wallets.signer.approvals import APPROVAL_PREFIX
from wallets.signer.ethereum.transactions import TRANSFER, address_of
from wallets.signer.policy import AssetPolicy, NetworkPolicy, Policy
from wallets.signer.service import Servicer, Signer

SEED = bytes(range(64))
APPROVER = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
TOKEN = "0xdAC17F958D2ee523a2206206994597C13D831ec7"
CUSTOMER = "0x52908400098527886E0F7030069857D2E4169EE7"
NETWORK = NetworkPolicy(
    network_id=2,
    chain="ethereum",
    network="dev",
    chain_id=31_337,
    branches={"hot": "m/44'/60'/1'/0"},
    assets={"": AssetPolicy(10_000, 5_000), TOKEN: AssetPolicy(10_000, 5_000)},
    fee_cap_atoms=1_000_000_000,
)
POLICY = Policy({2: NETWORK}, {"k": APPROVER.public_key().public_bytes_raw()}, {}, 1)
Stub: TypeAlias = "signer_pb2_grpc.SignerServiceAsyncStub"


@pytest.fixture
async def signer(postgres_settings: PostgresSettings) -> AsyncIterator[Signer]:
    await migrate(postgres_settings, log.MIGRATIONS)
    database = await postgres.connect(postgres_settings, application_name="test")
    yield Signer(database, POLICY, SEED, await log.take_epoch(database), ManualClock())
    await database.close()


@pytest.fixture
async def stub(signer: Signer, tmp_path: Path) -> AsyncIterator[Stub]:
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(tmp_path, now)
    trust = {"authority_file": authority.authority_file}
    server = await rpc_server.start_server(
        "127.0.0.1:0",
        lambda one: signer_pb2_grpc.add_SignerServiceServicer_to_server(Servicer(signer), one),
        rpc=RpcSettings(),
        tls_settings=authority.issue("signer", now).model_copy(update=trust),
    )
    address = f"localhost:{server.port}"
    with pytest.raises(grpc.aio.AioRpcError):
        async with rpc_channel.open_channel(
            address,
            tls_settings=authority.issue("nobody", now).model_copy(
                update={**trust, "certificate_file": "", "private_key_file": ""}
            ),
        ) as stranger:
            await signer_pb2_grpc.SignerServiceStub(stranger).Stop(
                signer_pb2.StopRequest(), timeout=5
            )
    tls = authority.issue("worker", now).model_copy(update=trust)
    async with rpc_channel.open_channel(address, tls_settings=tls) as channel:
        yield signer_pb2_grpc.SignerServiceStub(channel)
    await server.stop(0)


def request(
    number: int,
    *,
    withdrawal: int | None = None,
    nonce: int | None = None,
    amount: int = 10,
    dead: tuple[str, ...] = (),
    data: bytes = b"",
    to: str = CUSTOMER,
) -> signer_pb2.SignRequest:
    withdrawal_id = (number if withdrawal is None else withdrawal).to_bytes(16, "big")
    retry = intent_pb2.APPROVAL_KIND_RETRY
    approval = intent_pb2.Approval(
        kind=retry if dead else intent_pb2.APPROVAL_KIND_PAYOUT,
        withdrawal_id=withdrawal_id,
        network_id=2,
        destination=CUSTOMER,
        contract=TOKEN if data else "",
        amount_atoms=str(amount),
        highest_fee_atoms="1000000000",
        expires_ns=2**62,
        key_id="k",
        dead_attempts=[intent_pb2.DeadAttempt(txid=one, proof_sha256=b"p" * 32) for one in dead],
    ).SerializeToString()
    intent = intent_pb2.Intent(
        intent_id=number.to_bytes(16, "big"),
        kind=intent_pb2.INTENT_KIND_PAYOUT,
        network_id=2,
        ethereum=intent_pb2.EthereumTransaction(
            lane=intent_pb2.KeyPlace(branch="hot"),
            nonce=number if nonce is None else nonce,
            gas_limit=90_000,
            max_fee_per_gas_atoms=str(100 + number),
            max_priority_fee_per_gas_atoms="1",
            to=to,
            value_atoms="0" if data else str(amount),
            data=data,
            withdrawal_id=withdrawal_id,
        ),
    )
    return signer_pb2.SignRequest(
        approval=approval,
        approval_signature=APPROVER.sign(APPROVAL_PREFIX + approval),
        intent=intent.SerializeToString(),
    )


async def reason_of(stub: Stub, one: signer_pb2.SignRequest) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Sign(one)
    return (caught.value.details() or "").split(":")[0]


async def test_a_payout_is_signed_once_and_told_again(stub: Stub) -> None:
    first = await stub.Sign(request(1))
    status = await stub.GetStatus(signer_pb2.GetStatusRequest())
    assert (status.stopped, status.log_number, status.epoch) == (False, 1, 1)
    lane = address_of(SEED, NETWORK, intent_pb2.KeyPlace(branch="hot"))
    assert Account.recover_transaction(first.raw_transaction) == lane
    assert await stub.Sign(request(1)) == first
    assert await reason_of(stub, request(1, amount=11)) == "INTENT_CHANGED"


async def test_a_second_attempt_keeps_the_nonce_or_cites_a_death(stub: Stub) -> None:
    first = await stub.Sign(request(1, nonce=7))
    assert await reason_of(stub, request(2, withdrawal=1, nonce=8)) == "WOULD_PAY_TWICE"
    await stub.Sign(request(3, withdrawal=1, nonce=7))
    half = request(4, withdrawal=1, nonce=8, dead=(first.txid,))
    assert await reason_of(stub, half) == "WOULD_PAY_TWICE"


async def test_a_closed_withdrawal_is_never_signed_and_a_signed_one_is_not_closed(
    stub: Stub,
) -> None:
    closed = await stub.Close(signer_pb2.CloseRequest(withdrawal_id=(1).to_bytes(16, "big")))
    assert closed.never_signed
    assert await reason_of(stub, request(1)) == "CLOSED"
    signed = await stub.Sign(request(2))
    told = await stub.Close(signer_pb2.CloseRequest(withdrawal_id=(2).to_bytes(16, "big")))
    assert not told.never_signed
    assert list(told.raw_transactions) == [signed.raw_transaction]


async def test_only_a_token_transfer_is_a_call_that_is_signed(stub: Stub) -> None:
    words = bytes(12) + bytes.fromhex(CUSTOMER[2:]) + (10).to_bytes(32, "big")
    await stub.Sign(request(1, data=TRANSFER + words, to=TOKEN))
    approve = bytes.fromhex("095ea7b3") + words
    assert await reason_of(stub, request(2, data=approve, to=TOKEN)) == "CALL_NOT_ALLOWED"
    longer = TRANSFER + words + b"\0"
    assert await reason_of(stub, request(3, data=longer, to=TOKEN)) == "CALL_NOT_ALLOWED"
    more = TRANSFER + words[:-1] + b"\x0b"
    assert await reason_of(stub, request(4, data=more, to=TOKEN)) == "NOT_APPROVED"


async def test_the_hourly_cap_is_the_signers_own(stub: Stub, signer: Signer) -> None:
    await stub.Sign(request(1, amount=5_000))
    await stub.Sign(request(2, amount=5_000))
    assert await reason_of(stub, request(3, amount=1)) == "HOURLY_CAP"
    assert isinstance(signer.clock, ManualClock)
    signer.clock.advance(3_600 * 1_000_000_000)
    await stub.Sign(request(3, amount=1))


async def test_a_stop_with_a_hundred_requests_in_flight_signs_nothing_after_its_answer(
    stub: Stub, signer: Signer
) -> None:
    stored = await stub.Sign(request(1_000))
    calls = [asyncio.ensure_future(stub.Sign(request(number))) for number in range(100)]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    async with asyncio.timeout(2):
        await stub.Stop(signer_pb2.StopRequest(actor="test", reason="drill"))
    count = "select count(*) from signer.entry"
    async with signer.database.connection() as connection:
        at_stop = await connection.fetchval(count)
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert await connection.fetchval(count) == at_stop
    assert any(isinstance(result, grpc.aio.AioRpcError) for result in results)
    assert await reason_of(stub, request(2_000)) == "STOPPED"
    assert await stub.Sign(request(1_000)) == stored


async def test_a_log_older_than_what_custody_saw_stops_the_signer(stub: Stub) -> None:
    ahead = request(1)
    ahead.seen_log_number = 1
    assert await reason_of(stub, ahead) == "LOG_WENT_BACK"
    assert await reason_of(stub, request(1)) == "STOPPED"


async def test_an_older_signer_is_fenced(signer: Signer) -> None:
    await log.take_epoch(signer.database)
    with pytest.raises(Fenced):
        await signer.sign(request(1))


async def test_the_log_is_append_only(stub: Stub, signer: Signer) -> None:
    await stub.Sign(request(1))
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await signer.database.write("delete from signer.payment")
    assert SEED.hex() not in repr(signer)
    assert str(SEED) not in repr(signer)
