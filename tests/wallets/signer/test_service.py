"""The signer over mutual TLS, on a real Postgres."""

import asyncio
import datetime
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account

from cambist.internal.signer.v1 import intent_pb2, signer_pb2, signer_pb2_grpc
from runtime import logs, postgres, rpc_channel, rpc_server, telemetry
from runtime.clock import ManualClock
from runtime.development_certificates import DevelopmentAuthority, make_authority
from runtime.migrations import migrate
from runtime.rpc_errors import fault_of
from runtime.settings import (
    LogSettings,
    PostgresSettings,
    RpcSettings,
    TelemetrySettings,
    TlsSettings,
)
from runtime.telemetry import Telemetry
from wallets.callers import Callers
from wallets.contract import Approval, Plan, Signs, WithdrawalId
from wallets.errors import Broken, Condition, Fenced, Stuck
from wallets.measured_calls import MeasuredCalls
from wallets.payout_traces import context_of
from wallets.signer import log
from wallets.signer.approvals import APPROVAL_PREFIX, RESUME_PREFIX
from wallets.signer.client import SignerClient
from wallets.signer.ethereum.transactions import TRANSFER, address_of
from wallets.signer.keys.seeds import Seeds
from wallets.signer.measures import measure, subjects
from wallets.signer.policy import AssetPolicy, NetworkPolicy, Policy
from wallets.signer.service import Signer
from wallets.signer.servicer import Servicer

SEED = bytes(range(64))
SEEDS = Seeds({"hot": SEED})
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
PEOPLE = {name: Ed25519PrivateKey.from_private_bytes(name.encode() * 32) for name in "xy"}
POLICY = Policy(
    {2: NETWORK},
    {"k": APPROVER.public_key().public_bytes_raw()},
    {name: key.public_key().public_bytes_raw() for name, key in PEOPLE.items()},
    1,
    {
        "worker": frozenset({"Sign", "Close", "GetStatus", "GetPublicKeys"}),
        "operator": frozenset({"Stop", "Resume", "GetStatus"}),
    },
)
Stub: TypeAlias = "signer_pb2_grpc.SignerServiceAsyncStub"


@pytest.fixture
async def signer(postgres_settings: PostgresSettings) -> AsyncIterator[Signer]:
    await migrate(postgres_settings, log.MIGRATIONS)
    database = await postgres.connect(postgres_settings, application_name="test")
    yield Signer(database, POLICY, SEEDS, await log.take_epoch(database), ManualClock())
    await database.close()


@pytest.fixture
def measured() -> Iterator[Telemetry]:
    started = telemetry.start(TelemetrySettings(exporter="memory"), service="signer")
    yield started
    started.stop()


@dataclass(frozen=True)
class Served:
    """A signer that listens, and stubs for holders of a certificate."""

    address: str
    authority: DevelopmentAuthority
    stack: AsyncExitStack

    async def channel(self, name: str) -> grpc.aio.Channel:
        tls = self.authority.issue(name, datetime.datetime.now(datetime.UTC)).model_copy(
            update={"authority_file": self.authority.authority_file}
        )
        channel = rpc_channel.open_channel(self.address, tls_settings=tls)
        return await self.stack.enter_async_context(channel)

    async def stub(self, name: str) -> Stub:
        return signer_pb2_grpc.SignerServiceStub(await self.channel(name))


@pytest.fixture
async def served(signer: Signer, measured: Telemetry, tmp_path: Path) -> AsyncIterator[Served]:
    measure(signer, measured.meter)
    calls = MeasuredCalls(measured, "signer", ManualClock(), subjects)
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(tmp_path, now)
    server = await rpc_server.start_server(
        "127.0.0.1:0",
        lambda one: signer_pb2_grpc.add_SignerServiceServicer_to_server(Servicer(signer), one),
        rpc=RpcSettings(),
        tls_settings=authority.issue("signer", now).model_copy(
            update={"authority_file": authority.authority_file}
        ),
        interceptors=[Callers(signer.policy.callers, calls)],
    )
    async with AsyncExitStack() as stack:
        yield Served(f"localhost:{server.port}", authority, stack)
    await server.stop(0)


@pytest.fixture
async def stub(served: Served) -> Stub:
    return await served.stub("worker")


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
    return await refusal(stub.Sign(one))


async def refusal(call: Awaitable[Any]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return fault_of(caught.value).reason


async def test_a_payout_is_signed_once_and_told_again(stub: Stub) -> None:
    first = await stub.Sign(request(1))
    status = await stub.GetStatus(signer_pb2.GetStatusRequest())
    assert (status.stopped, status.log_number, status.epoch) == (False, 1, 1)
    lane = address_of(SEEDS, NETWORK, intent_pb2.KeyPlace(branch="hot"))
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


def points(measured: Telemetry, name: str) -> dict[tuple[str, ...], Any]:
    """Values by labels, in order of the labels' names."""
    return {
        tuple(str(value) for _, value in sorted((point.attributes or {}).items())): getattr(
            point, "count" if hasattr(point, "count") else "value"
        )
        for point in measured.metric_points(name)
    }


async def test_signatures_and_refusals_are_counted_by_name_and_traced_by_withdrawal(
    served: Served, measured: Telemetry
) -> None:
    stub, operator = await served.stub("worker"), await served.stub("operator")
    await stub.Sign(request(1))
    await stub.Sign(request(1))
    assert await reason_of(stub, request(1, amount=11)) == "INTENT_CHANGED"
    assert points(measured, "cambist.signer.signatures") == {("2",): 1}
    assert points(measured, "cambist.signer.stopped") == {(): 0}
    assert await refusal(operator.Sign(request(2))) == "CALLER_UNKNOWN"
    await operator.Stop(signer_pb2.StopRequest(actor="x", reason="a drill"))
    assert points(measured, "cambist.signer.stopped") == {(): 1}
    assert await reason_of(stub, request(3)) == "STOPPED"
    assert points(measured, "cambist.custody.call_duration") == {
        ("Sign", "answered", "signer"): 2,
        ("Sign", "INTENT_CHANGED", "signer"): 1,
        ("Sign", "CALLER_UNKNOWN", "signer"): 1,
        ("Sign", "STOPPED", "signer"): 1,
        ("Stop", "answered", "signer"): 1,
    }
    spans = [span for span in measured.finished_spans() if span.name == "signer.Sign"]
    assert len(spans) == 5
    payout = context_of((1).to_bytes(16, "big"))
    for span in spans[:3]:
        assert span.parent is not None
        assert (span.parent.trace_id, span.parent.span_id) == (payout.trace_id, payout.span_id)


async def test_telemetry_of_the_signer_has_no_key_and_no_bytes_of_a_transaction(
    served: Served, measured: Telemetry
) -> None:
    stub = await served.stub("worker")
    signed = await stub.Sign(request(1))
    await reason_of(stub, request(1, amount=11))
    data = measured.memory_metrics.get_metrics_data() if measured.memory_metrics else None
    told = "".join([*(span.to_json() for span in measured.finished_spans()), str(data)]).lower()
    assert "signer.sign" in told
    raw, approved = signed.raw_transaction.hex(), request(1).approval_signature.hex()
    for secret in (SEED.hex(), raw, raw[-60:], signed.txid, approved, CUSTOMER):
        assert secret.lower().removeprefix("0x") not in told


async def test_a_stop_with_a_hundred_requests_in_flight_signs_nothing_after_its_answer(
    stub: Stub, served: Served, signer: Signer
) -> None:
    operator = await served.stub("operator")
    stored = await stub.Sign(request(1_000))
    calls = [asyncio.ensure_future(stub.Sign(request(number))) for number in range(100)]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    async with asyncio.timeout(2):
        await operator.Stop(signer_pb2.StopRequest(actor="test", reason="drill"))
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
    assert await reason_of(stub, request(1)) == "LOG_WENT_BACK"


async def test_an_older_signer_is_fenced(signer: Signer) -> None:
    await log.take_epoch(signer.database)
    with pytest.raises(Fenced):
        await signer.sign(request(1))


async def test_the_log_is_append_only(stub: Stub, signer: Signer) -> None:
    await stub.Sign(request(1))
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await signer.database.write("delete from signer.payment")


async def test_a_caller_may_call_what_the_policy_lists_for_its_certificate_and_nothing_else(
    served: Served, signer: Signer
) -> None:
    worker, operator = await served.stub("worker"), await served.stub("operator")
    approver = await served.stub("approver")
    stop = signer_pb2.StopRequest(actor="a", reason="b")
    asked: list[Awaitable[Any]] = [
        worker.Stop(stop),
        worker.Resume(signer_pb2.ResumeRequest()),
        operator.Sign(request(1)),
        operator.Close(signer_pb2.CloseRequest(withdrawal_id=b"w" * 16)),
        approver.Sign(request(1)),
        approver.GetStatus(signer_pb2.GetStatusRequest()),
    ]
    assert [await refusal(call) for call in asked] == ["CALLER_UNKNOWN"] * len(asked)
    assert not signer.stopped
    assert (await worker.GetStatus(signer_pb2.GetStatusRequest())).log_number == 0


async def test_a_caller_without_a_certificate_is_not_even_heard(served: Served) -> None:
    trust = TlsSettings(authority_file=served.authority.authority_file)
    async with rpc_channel.open_channel(served.address, tls_settings=trust) as stranger:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await signer_pb2_grpc.SignerServiceStub(stranger).GetStatus(
                signer_pb2.GetStatusRequest(), timeout=5
            )
    assert caught.value.code() in (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    )


def consents(nonce: bytes, *people: str) -> signer_pb2.ResumeRequest:
    return signer_pb2.ResumeRequest(
        people=[
            intent_pb2.PersonSignature(
                person=name, signature=PEOPLE[name].sign(RESUME_PREFIX + nonce)
            )
            for name in people
        ]
    )


async def test_a_stop_is_ended_by_two_people_over_its_own_nonce_and_by_nothing_less(
    stub: Stub, served: Served
) -> None:
    operator = await served.stub("operator")
    stop, status = signer_pb2.StopRequest(actor="a", reason="b"), signer_pb2.GetStatusRequest()
    await operator.Stop(stop)
    first = (await operator.GetStatus(status)).resume_nonce
    await operator.Stop(stop)
    nonce = (await operator.GetStatus(status)).resume_nonce
    assert await refusal(operator.Resume(consents(nonce, "x"))) == "TWO_PERSONS"
    assert await refusal(operator.Resume(consents(nonce, "x", "x"))) == "TWO_PERSONS"
    assert await refusal(operator.Resume(consents(first, "x", "y"))) == "CONSENT_FORGED"
    assert await reason_of(stub, request(1)) == "STOPPED"
    await operator.Resume(consents(nonce, "x", "y"))
    await stub.Sign(request(1))
    assert await refusal(operator.Resume(consents(nonce, "x", "y"))) == "NOT_STOPPED"


async def test_the_worker_hears_by_name_what_it_waits_for(served: Served) -> None:
    client: Signs = SignerClient(await served.channel("worker"))
    asked = request(1)
    plan = Plan((1).to_bytes(16, "big"), asked.intent, (), 0)
    approval = Approval(asked.approval, asked.approval_signature)
    raw = await client.sign(plan, [approval])
    assert await client.sign(plan, [approval]) == raw
    assert await client.close(WithdrawalId((1).to_bytes(16, "big"))) == (raw,)
    assert await client.close(WithdrawalId((9).to_bytes(16, "big"))) == ()
    with pytest.raises(Broken, match="INTENT_CHANGED"):
        await client.sign(replace(plan, intent=request(1, amount=11).intent), [approval])
    more = request(2, amount=9_999)
    with pytest.raises(Stuck) as caught:
        await client.sign(
            Plan(b"", more.intent, (), 0), [Approval(more.approval, more.approval_signature)]
        )
    assert caught.value.condition is Condition.APPROVAL_MISSING
    stranger = SignerClient(await served.channel("stranger"))
    with pytest.raises(Stuck) as caught:
        await stranger.sign(plan, [approval])
    assert caught.value.condition is Condition.SIGNER_UNAVAILABLE
    behind = SignerClient(await served.channel("worker"), seen_log_number=99)
    with pytest.raises(Stuck) as caught:
        await behind.sign(plan, [approval])
    assert caught.value.condition is Condition.WITHDRAWALS_STOPPED


async def test_the_words_of_a_library_reach_neither_caller_nor_log(
    served: Served,
    signer: Signer,
    monkeypatch: pytest.MonkeyPatch,
    log_lines: Callable[[], str],
) -> None:
    logs.configure(LogSettings(), service="signer")

    def fails(*_: object) -> None:
        raise ValueError(SEED.hex())

    monkeypatch.setattr("wallets.signer.chains.ethereum.read", fails)
    stub = await served.stub("worker")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Sign(request(1))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    logged = log_lines()
    assert "ValueError" in logged
    assert SEED.hex() not in repr(caught.value) + logged
