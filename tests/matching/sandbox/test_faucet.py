"""The faucet of a sandbox: named refusals, bounds, and each wish once, whatever crashes."""

from typing import Any

import grpc
import grpc.aio
import pytest

from cambist.admin.v1 import admin_pb2
from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import events_pb2
from matching.sandbox.faucet import INSERT
from matching.sandbox.pay_in import PayIn
from matching.settings import MatchingSettings, SandboxSettings
from runtime import postgres, rpc_errors
from runtime.settings import PostgresSettings
from tests.matching.shard import (
    ACCOUNT,
    FIRM,
    OTHER,
    QUOTE,
    SHARD,
    Shard,
    private_events,
    running,
    settings,
    system_envelope,
)

UNITS = 10**6  # atoms of one whole unit of the test's assets


def sandbox(chosen: PostgresSettings, **bounds: Any) -> MatchingSettings:
    return settings(chosen, sandbox=SandboxSettings(enabled=True, **bounds))


def wish(number: int = 1, **changes: Any) -> matching_pb2.PayInRequest:
    values: dict[str, Any] = {
        "shard": SHARD,
        "request_id": number.to_bytes(16, "big"),
        "account_id": ACCOUNT,
        "asset_id": QUOTE,
        "amount_atoms": str(number),
    }
    return matching_pb2.PayInRequest(**{**values, **changes})


async def refused(call: Any) -> tuple[str, str, dict[str, str]]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    fault = rpc_errors.fault_of(caught.value)
    return fault.code.name, fault.reason, dict(fault.metadata)


async def credits_of(shard: Shard, account_id: int = ACCOUNT) -> list[int]:
    """Amounts of an account's credits, in order."""
    head = (await shard.status()).released_seq
    return [
        int.from_bytes(event.money_report.amount_atoms, "little")
        for row in await shard.rows(1, head, account_ids=[account_id])
        for event in private_events(row, account_id)
        if event.money_report.kind == events_pb2.MONEY_KIND_CREDIT
    ]


async def execute(chosen: PostgresSettings, statement: str, *values: Any) -> None:
    database = await postgres.connect(chosen, application_name="test")
    try:
        await database.write(statement, *values)
    finally:
        await database.close()


async def test_a_venue_that_is_no_sandbox_refuses_by_name_and_writes_nothing_down(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(settings(postgres_settings)) as shard:
        await shard.create_market()
        code, reason, _ = await refused(shard.stub.PayIn(wish()))
        assert (code, reason) == ("FAILED_PRECONDITION", "NOT_A_SANDBOX")
        assert await credits_of(shard) == []


async def test_a_wish_is_carried_out_once_however_often_it_is_asked_for(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(sandbox(postgres_settings)) as shard:
        await shard.create_market()
        assert not (await shard.stub.PayIn(wish(7))).repeat
        assert (await shard.stub.PayIn(wish(7))).repeat
        # The id is the account's own: another account may choose the same.
        assert not (await shard.stub.PayIn(wish(7, account_id=OTHER))).repeat
        assert (await credits_of(shard), await credits_of(shard, OTHER)) == ([7], [7])
        other = await refused(shard.stub.PayIn(wish(7, amount_atoms="8")))
        assert other[:2] == ("ALREADY_EXISTS", "ID_REUSED")
    async with running(sandbox(postgres_settings)) as shard:
        assert (await shard.stub.PayIn(wish(7))).repeat
        assert not (await shard.stub.PayIn(wish(8))).repeat
        assert await credits_of(shard) == [7, 8]


async def test_an_account_whose_number_fills_all_its_bits_is_paid_in(
    postgres_settings: PostgresSettings,
) -> None:
    largest = 2**64 - 1
    async with running(sandbox(postgres_settings)) as shard:
        await shard.create_market()
        account = admin_pb2.Account(account_id=largest, firm_id=FIRM)
        await shard.admin.CreateAccount(
            admin_pb2.CreateAccountRequest(shard=SHARD, account=account)
        )
        for _ in range(2):
            await shard.stub.PayIn(wish(7, account_id=largest))
        assert await credits_of(shard, largest) == [7]


WRONG: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"shard": 2}, "INVALID_ARGUMENT", "WRONG_SHARD"),
    ({"request_id": b"short"}, "INVALID_ARGUMENT", "BAD_LENGTH"),
    # Its money would be nobody's.
    ({"account_id": 9_999}, "NOT_FOUND", "UNKNOWN_ACCOUNT"),
    ({"account_id": 4}, "NOT_FOUND", "UNKNOWN_ACCOUNT"),
    ({"asset_id": 77}, "NOT_FOUND", "UNKNOWN_ASSET"),
    ({"amount_atoms": ""}, "INVALID_ARGUMENT", "INVALID_AMOUNT"),
    ({"amount_atoms": "0"}, "INVALID_ARGUMENT", "INVALID_AMOUNT"),
    ({"amount_atoms": "ten"}, "INVALID_ARGUMENT", "INVALID_AMOUNT"),
    ({"amount_atoms": str(5 * UNITS + 1)}, "INVALID_ARGUMENT", "AMOUNT_TOO_LARGE"),
)


async def test_what_is_out_of_bounds_is_refused_by_name_and_uses_no_number(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(sandbox(postgres_settings, pay_in_units_max=5)) as shard:
        await shard.create_market()
        for changes, code, reason in WRONG:
            told = await refused(shard.stub.PayIn(wish(**changes)))
            assert told[:2] == (code, reason), changes
        assert told[2] == {"max_atoms": str(5 * UNITS)}
        await shard.stub.PayIn(wish(amount_atoms=str(5 * UNITS)))
        assert await credits_of(shard) == [5 * UNITS]


async def test_an_account_has_so_many_calls_an_hour_and_a_repeat_is_none_of_them(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(sandbox(postgres_settings, pay_ins_per_hour=2)) as shard:
        await shard.create_market()
        for number in (1, 2):
            await shard.stub.PayIn(wish(number))
        code, reason, metadata = await refused(shard.stub.PayIn(wish(3)))
        assert (code, reason) == ("RESOURCE_EXHAUSTED", "FAUCET_EXHAUSTED")
        assert 0 < int(metadata["retry_after_seconds"]) <= 3_600
        assert (await shard.stub.PayIn(wish(2))).repeat
        await shard.stub.PayIn(wish(3, account_id=OTHER))
        earlier = "update journal.pay_ins set created_at = created_at - interval '1 hour'"
        await execute(postgres_settings, earlier)
        assert not (await shard.stub.PayIn(wish(3))).repeat
        assert await credits_of(shard) == [1, 2, 3]


async def test_a_wish_that_was_written_down_and_not_sent_is_carried_out_before_the_next(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(sandbox(postgres_settings)) as shard:
        await shard.create_market()
        head = (await shard.status()).released_seq
        # Another process died after it wrote this down.
        lost = (SHARD, ACCOUNT, (5).to_bytes(16, "big"), QUOTE, 5, 99, head)
        await execute(postgres_settings, INSERT, *lost)
        assert not (await shard.stub.PayIn(wish(6))).repeat
        assert await credits_of(shard) == [5, 6]
        assert (await shard.stub.PayIn(wish(5))).repeat


async def test_a_wish_whose_answer_was_lost_is_found_in_the_journal(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(sandbox(postgres_settings)) as shard:
        await shard.create_market()
        await shard.stub.PayIn(wish(5))
        forget = "update journal.pay_ins set reason = null where number = 1"
        await execute(postgres_settings, forget)
    async with running(sandbox(postgres_settings)) as shard:
        assert (await shard.stub.PayIn(wish(5))).repeat
        assert not (await shard.stub.PayIn(wish(6))).repeat
        assert await credits_of(shard) == [5, 6]


async def test_a_wish_of_which_only_the_credit_was_sent_is_finished_and_not_credited_again(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(sandbox(postgres_settings)) as shard:
        await shard.create_market()
        head = (await shard.status()).released_seq
        lost = (SHARD, ACCOUNT, (5).to_bytes(16, "big"), QUOTE, 5, 99, head)
        await execute(postgres_settings, INSERT, *lost)
        credit, _ = PayIn(ACCOUNT, (5).to_bytes(16, "big"), QUOTE, 5).commands(1)
        link = await shard.link()
        await link.send(system_envelope(credit, correlation=99))
        await shard.until_released(head + 1)
        assert (await shard.stub.PayIn(wish(5))).repeat
        told = await shard.stub.PayIn(wish(6))
        assert (told.repeat, told.as_of_seq) == (False, (await shard.status()).released_seq)
        assert await credits_of(shard) == [5, 6]


async def test_old_wishes_are_forgotten_and_the_last_number_is_kept(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(sandbox(postgres_settings)) as shard:
        await shard.create_market()
        for number in (1, 2):
            await shard.stub.PayIn(wish(number))
        old = "update journal.pay_ins set created_at = now() - interval '8 days'"
        await execute(postgres_settings, old)
        assert not (await shard.stub.PayIn(wish(3))).repeat
        # Number 1 is gone, number 2 held the last number; so 1 is a new wish.
        assert (await shard.stub.PayIn(wish(2))).repeat
        assert not (await shard.stub.PayIn(wish(1))).repeat
        assert await credits_of(shard) == [1, 2, 3, 1]
