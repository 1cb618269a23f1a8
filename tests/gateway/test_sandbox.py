"""The faucet at the public port: own accounts only, and matching's answer in the venue's words."""

from typing import Any

import grpc
import pytest

from cambist.sandbox.v1 import sandbox_pb2, sandbox_pb2_grpc
from gateway.door.permissions import Scope
from runtime import rpc_errors
from runtime.rpc_errors import Fault
from tests.gateway.venue import (
    ACCOUNT,
    ASSET,
    FOREIGN_ACCOUNT,
    Client,
    RunningGateway,
    Venue,
    fresh_id,
    status_of,
)

Code = grpc.StatusCode


def stub(client: Client) -> Any:
    return sandbox_pb2_grpc.SandboxServiceStub(client.channel)


def request(**changes: Any) -> sandbox_pb2.PayInRequest:
    values: dict[str, Any] = {
        "account_id": ACCOUNT,
        "asset_id": ASSET,
        "amount_atoms": "500",
        "request_id": fresh_id(),
    }
    return sandbox_pb2.PayInRequest(**{**values, **changes})


async def test_a_wish_goes_to_matching_with_its_own_id_and_the_answer_comes_back(
    venue: Venue, client: Client
) -> None:
    asked = request()
    first = await stub(client).PayIn(asked, metadata=client.metadata)
    again = await stub(client).PayIn(asked, metadata=client.metadata)
    assert (first.repeat, again.repeat) == (False, True)
    assert first.as_of_seq == venue.matching.engine.last_seq
    sent = venue.matching.pay_ins[0]
    assert sent.request_id == asked.request_id
    assert (sent.shard, sent.account_id, sent.asset_id, sent.amount_atoms) == (
        1,
        ACCOUNT,
        ASSET,
        "500",
    )


WRONG = (
    ({"account_id": FOREIGN_ACCOUNT}, "NOT_FOUND", "UNKNOWN_ACCOUNT"),
    ({"account_id": 4}, "NOT_FOUND", "UNKNOWN_ACCOUNT"),
    ({"amount_atoms": ""}, "INVALID_ARGUMENT", "INVALID_FIELD"),
    ({"amount_atoms": "-5"}, "INVALID_ARGUMENT", "INVALID_FIELD"),
    ({"amount_atoms": "1.5"}, "INVALID_ARGUMENT", "INVALID_FIELD"),
    ({"request_id": b"short"}, "INVALID_ARGUMENT", "INVALID_FIELD"),
)


@pytest.mark.parametrize(("changes", "code", "reason"), WRONG)
async def test_what_cannot_be_asked_never_reaches_matching(
    venue: Venue, client: Client, changes: dict[str, Any], code: str, reason: str
) -> None:
    call = stub(client).PayIn(request(**changes), metadata=client.metadata)
    assert await status_of(call) == (code, reason)
    assert venue.matching.pay_ins == []


FAULTS = (
    (Fault(Code.FAILED_PRECONDITION, "NOT_A_SANDBOX", ""), "FAILED_PRECONDITION", "NOT_A_SANDBOX"),
    (Fault(Code.FAILED_PRECONDITION, "NOT_PRIMARY", ""), "UNAVAILABLE", "SHARD_UNAVAILABLE"),
    (Fault(Code.ALREADY_EXISTS, "ID_REUSED", ""), "ALREADY_EXISTS", "ID_REUSED"),
    (Fault(Code.UNAVAILABLE, "UNAVAILABLE", ""), "UNAVAILABLE", "SHARD_UNAVAILABLE"),
    (Fault(Code.DEADLINE_EXCEEDED, "OUTCOME_UNKNOWN", ""), "DEADLINE_EXCEEDED", "OUTCOME_UNKNOWN"),
    (Fault(Code.INTERNAL, "", ""), "DEADLINE_EXCEEDED", "OUTCOME_UNKNOWN"),
)


@pytest.mark.parametrize(("fault", "code", "reason"), FAULTS)
async def test_a_refusal_of_matching_keeps_its_name_and_no_answer_is_an_unknown_outcome(
    venue: Venue, client: Client, fault: Fault, code: str, reason: str
) -> None:
    venue.matching.pay_in_fault = fault
    call = stub(client).PayIn(request(), metadata=client.metadata)
    assert await status_of(call) == (code, reason)


async def test_an_exhausted_faucet_says_when_to_come_back(venue: Venue, client: Client) -> None:
    metadata = {"retry_after_seconds": "90"}
    fault = Fault(Code.RESOURCE_EXHAUSTED, "FAUCET_EXHAUSTED", "", metadata)
    venue.matching.pay_in_fault = fault
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub(client).PayIn(request(), metadata=client.metadata)
    told = rpc_errors.fault_of(caught.value)
    assert (told.reason, told.retry_after_seconds) == ("FAUCET_EXHAUSTED", 90)


async def test_a_key_that_may_only_read_gets_no_play_money(
    venue: Venue, gateway: RunningGateway
) -> None:
    client = await venue.client(gateway, await venue.key(scopes=frozenset({Scope.READ})))
    call = stub(client).PayIn(request(), metadata=client.metadata)
    assert (await status_of(call))[0] == "PERMISSION_DENIED"
    assert venue.matching.pay_ins == []
