"""AdminService: every change is journaled, may be done again, and is refused by name."""

from typing import Any

import grpc
import grpc.aio
import pytest

from cambist.admin.v1 import admin_pb2
from cambist.internal.journal.v1 import system_pb2
from cambist.orders.v1 import enums_pb2
from matching.admin.adjustments import INSERT, SOURCE_ID
from runtime import postgres, rpc_errors
from runtime.settings import PostgresSettings
from tests.matching.shard import (
    ACCOUNT,
    BASE,
    EXTERNAL,
    FIRM,
    MARKET,
    OTHER,
    QUOTE,
    SHARD,
    Shard,
    adjustment,
    new_order,
    private_events,
    running,
    settings,
    system_events,
    unary_envelope,
)


async def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), rpc_errors.fault_of(caught.value).reason


def asset(asset_id: int = 1, symbol: str = "BTC", decimals: int = 6) -> Any:
    return admin_pb2.CreateAssetRequest(
        shard=SHARD,
        asset=admin_pb2.Asset(asset_id=asset_id, symbol=symbol, decimals=decimals),
    )


def market(**changes: Any) -> Any:
    values: dict[str, Any] = {
        "market_id": MARKET,
        "symbol": "BTC-USDT",
        "base_asset_id": BASE,
        "quote_asset_id": QUOTE,
        "lot_size_atoms": "1000",
        "tick_size_atoms": "1000",
        **changes,
    }
    return admin_pb2.CreateMarketRequest(market=admin_pb2.Market(**values))


def firm(firm_id: int = FIRM, name: str = "firm") -> Any:
    return admin_pb2.CreateFirmRequest(shard=SHARD, firm=admin_pb2.Firm(firm_id=firm_id, name=name))


def account(account_id: int = ACCOUNT, **changes: Any) -> Any:
    values = {"firm_id": FIRM, "open_orders_max": 10_000, **changes}
    return admin_pb2.CreateAccountRequest(
        shard=SHARD, account=admin_pb2.Account(account_id=account_id, **values)
    )


async def listed(shard: Shard) -> admin_pb2.ListDefinitionsResponse:
    answer: admin_pb2.ListDefinitionsResponse = await shard.admin.ListDefinitions(
        admin_pb2.ListDefinitionsRequest(shard=SHARD)
    )
    return answer


async def test_what_exists_is_created_again_without_a_change(market_shard: Shard) -> None:
    admin = market_shard.admin
    before = await listed(market_shard)
    for call in (
        admin.CreateAsset(asset()),
        admin.CreateMarket(market()),
        admin.CreateFirm(firm()),
        admin.CreateAccount(account()),
    ):
        assert (await call).existed
    after = await listed(market_shard)
    assert after.seq > before.seq, "each try is journaled"
    after.seq = before.seq
    assert after == before


async def test_another_definition_of_what_exists_is_refused(market_shard: Shard) -> None:
    admin = market_shard.admin
    for call in (
        admin.CreateAsset(asset(decimals=9)),
        admin.CreateMarket(market(lot_size_atoms="2000")),
        admin.CreateMarket(market(symbol="OTHER")),
        admin.CreateFirm(firm(name="other")),
        admin.CreateAccount(account(self_trade_group_id=7)),
        # The symbol is taken by another asset.
        admin.CreateAsset(asset(asset_id=9)),
    ):
        assert await refused(call) == (grpc.StatusCode.ALREADY_EXISTS, "DUPLICATE_ID")


async def test_definitions_are_listed_with_defaults_filled_in(market_shard: Shard) -> None:
    answer = await listed(market_shard)
    assert [one.symbol for one in answer.assets] == ["BTC", "USDT"]
    assert [one.name for one in answer.firms] == ["firm"]
    assert answer.account_count == 2
    (only,) = answer.markets
    assert (only.market_id, only.symbol) == (MARKET, "BTC-USDT")
    assert only.phase == enums_pb2.MARKET_PHASE_CONTINUOUS
    assert only.tick_value_atoms == 1
    assert (only.lot_size_atoms, only.tick_size_atoms) == ("1000", "1000")
    assert only.limits.price_step_ticks == 1
    assert only.limits.resting_orders_max == 2_000_000
    assert answer.seq == (await market_shard.status()).released_seq


async def test_limits_and_phases_change_and_are_seen(market_shard: Shard) -> None:
    admin = market_shard.admin
    new_limits = admin_pb2.MarketLimits(price_step_ticks=5, taker_fee_ppm=100)
    await admin.UpdateMarket(admin_pb2.UpdateMarketRequest(market_id=MARKET, limits=new_limits))
    await admin.Halt(admin_pb2.HaltRequest(shard=SHARD, market_id=MARKET))
    (only,) = (await listed(market_shard)).markets
    assert (only.limits.price_step_ticks, only.limits.taker_fee_ppm) == (5, 100)
    assert only.phase == enums_pb2.MARKET_PHASE_HALTED
    resume = admin_pb2.ResumeRequest(
        shard=SHARD, market_id=0, phase=enums_pb2.MARKET_PHASE_POST_ONLY
    )
    await admin.Resume(resume)
    (only,) = (await listed(market_shard)).markets
    assert only.phase == enums_pb2.MARKET_PHASE_POST_ONLY
    again = admin_pb2.SetAccountLimitsRequest(
        shard=SHARD, account_id=ACCOUNT, open_orders_max=5, frozen=True
    )
    await admin.SetAccountLimits(again)
    # Limits may have changed since: the account is still the one that was created.
    assert (await admin.CreateAccount(account())).existed


async def test_a_kill_switch_clears_an_account_and_a_market(market_shard: Shard) -> None:
    shard = market_shard
    link = await shard.link()
    before = (await shard.status()).released_seq
    for account_id in (ACCOUNT, OTHER):
        await link.send(unary_envelope(new_order(account_id=account_id)))
    await shard.until_released(before + 2)
    kill = admin_pb2.SetKillSwitchRequest(shard=SHARD, account_id=ACCOUNT, active=True)
    await shard.admin.SetKillSwitch(kill)
    kill = admin_pb2.SetKillSwitchRequest(shard=SHARD, market_id=MARKET, active=True)
    await shard.admin.SetKillSwitch(kill)
    # The market's orders go by a cursor, which a clock command of the sequencer continues.
    rows = await shard.rows(before + 3, before + 5)
    reasons = [
        event.execution_report.cancel_reason
        for account_id in (ACCOUNT, OTHER)
        for row in rows
        for event in private_events(row, account_id)
        if event.HasField("execution_report")
    ]
    assert reasons == [enums_pb2.CANCEL_REASON_KILLED, enums_pb2.CANCEL_REASON_MARKET_CLEARED]
    closed = [
        event.cursor_closed.cancelled_count
        for row in rows
        for event in system_events(row)
        if event.HasField("cursor_closed")
    ]
    assert closed == [1]


INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
WRONG: list[tuple[str, Any, grpc.StatusCode, str]] = [
    ("CreateAsset", asset(symbol="", asset_id=5), INVALID, "BAD_LENGTH"),
    ("CreateAsset", asset(symbol="X" * 33, asset_id=5), INVALID, "BAD_LENGTH"),
    ("CreateAsset", asset(symbol="X", asset_id=0), INVALID, "INVALID_PARAMETER"),
    ("CreateAsset", asset(symbol="X", asset_id=5, decimals=31), INVALID, "INVALID_PARAMETER"),
    ("CreateAsset", admin_pb2.CreateAssetRequest(shard=9), INVALID, "WRONG_SHARD"),
    ("CreateMarket", market(market_id=MARKET + (1 << 16)), INVALID, "WRONG_SHARD"),
    ("CreateMarket", market(lot_size_atoms="1.5"), INVALID, "INVALID_AMOUNT"),
    ("CreateMarket", market(lot_size_atoms="-1"), INVALID, "INVALID_AMOUNT"),
    ("CreateMarket", market(lot_size_atoms="9" * 40), INVALID, "INVALID_AMOUNT"),
    (
        "CreateMarket",
        market(market_id=MARKET + 1, symbol="Y", base_asset_id=77),
        NOT_FOUND,
        "UNKNOWN_ASSET",
    ),
    (
        "CreateMarket",
        market(market_id=MARKET + 1, symbol="Y", tick_size_atoms="1"),
        INVALID,
        "TICK_VALUE_NOT_INTEGER",
    ),
    ("UpdateMarket", admin_pb2.UpdateMarketRequest(market_id=65_599), NOT_FOUND, "UNKNOWN_MARKET"),
    ("SetPhase", admin_pb2.SetPhaseRequest(market_id=MARKET), INVALID, "INVALID_PARAMETER"),
    (
        "SetPhase",
        admin_pb2.SetPhaseRequest(market_id=MARKET, phase=enums_pb2.MARKET_PHASE_OPENING_AUCTION),
        grpc.StatusCode.UNIMPLEMENTED,
        "UNSUPPORTED",
    ),
    ("Halt", admin_pb2.HaltRequest(shard=SHARD, market_id=65_599), NOT_FOUND, "UNKNOWN_MARKET"),
    (
        "Resume",
        admin_pb2.ResumeRequest(
            shard=SHARD, market_id=MARKET, phase=enums_pb2.MARKET_PHASE_CONTINUOUS
        ),
        PRECONDITION,
        "PHASE",
    ),
    ("CreateFirm", firm(firm_id=0), INVALID, "INVALID_PARAMETER"),
    ("CreateAccount", account(account_id=5), INVALID, "INVALID_PARAMETER"),
    ("CreateAccount", account(account_id=9_999, firm_id=77), NOT_FOUND, "UNKNOWN_FIRM"),
    (
        "SetAccountLimits",
        admin_pb2.SetAccountLimitsRequest(shard=SHARD, account_id=77_777),
        NOT_FOUND,
        "UNKNOWN_ACCOUNT",
    ),
    (
        "SetKillSwitch",
        admin_pb2.SetKillSwitchRequest(shard=SHARD, account_id=1, market_id=1),
        INVALID,
        "INVALID_PARAMETER",
    ),
    (
        "SwitchRules",
        admin_pb2.SwitchRulesRequest(shard=SHARD, version=99),
        PRECONDITION,
        "UNKNOWN_RULES_VERSION",
    ),
    (
        "SkipPoisonCommand",
        admin_pb2.SkipPoisonCommandRequest(shard=SHARD, seq=1_000_000),
        INVALID,
        "INVALID_PARAMETER",
    ),
    ("ListDefinitions", admin_pb2.ListDefinitionsRequest(shard=2), INVALID, "WRONG_SHARD"),
]


@pytest.fixture
def market_shard(market: Shard) -> Shard:
    return market


async def test_what_is_wrong_is_refused_by_name_and_changes_nothing(market_shard: Shard) -> None:
    before = await listed(market_shard)
    for method, request, code, reason in WRONG:
        call = getattr(market_shard.admin, method)(request)
        assert await refused(call) == (code, reason), f"{method} {request}"
    after = await listed(market_shard)
    after.seq = before.seq
    assert after == before


async def balance_events(shard: Shard, account_id: int) -> list[int]:
    """Amounts of the adjustments of an account, in order."""
    head = (await shard.status()).released_seq
    rows = await shard.rows(1, head, account_ids=[account_id])
    return [
        int.from_bytes(event.money_report.amount_atoms, "little", signed=True)
        for row in rows
        for event in private_events(row, account_id)
        if event.HasField("money_report")
    ]


async def test_an_adjustment_happens_once_however_often_it_is_asked_for(
    market_shard: Shard,
) -> None:
    request = adjustment(ACCOUNT, QUOTE, amount_atoms=77, number=5)
    assert not (await market_shard.admin.Adjust(request)).repeat
    assert (await market_shard.admin.Adjust(request)).repeat
    assert (await balance_events(market_shard, ACCOUNT)).count(77) == 1
    request.amount_atoms = "78"
    assert await refused(market_shard.admin.Adjust(request)) == (INVALID, "ID_REUSED")


async def test_a_refused_adjustment_is_refused_again_and_does_not_block_the_next(
    market_shard: Shard,
) -> None:
    request = adjustment(ACCOUNT, 77, number=6)
    for _ in range(2):
        assert await refused(market_shard.admin.Adjust(request)) == (NOT_FOUND, "UNKNOWN_ASSET")
    malformed = adjustment(ACCOUNT, QUOTE, number=7)
    malformed.first_approver = ""
    for _ in range(2):
        assert await refused(market_shard.admin.Adjust(malformed)) == (INVALID, "BAD_LENGTH")
    short = adjustment(ACCOUNT, QUOTE, number=8)
    short.adjustment_id = b"short"
    assert (await refused(market_shard.admin.Adjust(short)))[0] is INVALID
    assert not (await market_shard.admin.Adjust(adjustment(ACCOUNT, QUOTE, number=9))).repeat


async def test_an_adjustment_that_was_written_down_and_not_sent_is_carried_out_first(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings)
    async with running(chosen) as shard:
        await shard.create_market()
        head = (await shard.status()).released_seq
        database = await postgres.connect(postgres_settings, application_name="test")
        # Another process died after it wrote this down.
        command = system_pb2.Adjust(
            source_id=SOURCE_ID,
            source_seq=5,
            adjustment_id=b"w" * 16,
            from_account_id=EXTERNAL,
            to_account_id=ACCOUNT,
            asset_id=QUOTE,
            amount_atoms=(123).to_bytes(16, "little"),
            first_approver="one",
            second_approver="two",
        )
        await database.write(INSERT, SHARD, 5, b"w" * 16, command.SerializeToString(), 99, head)
        await database.close()
        await shard.admin.Adjust(adjustment(ACCOUNT, QUOTE, amount_atoms=124, number=1))
        assert (await balance_events(shard, ACCOUNT))[-2:] == [123, 124]


async def test_an_adjustment_whose_answer_was_lost_is_found_in_the_journal(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings)
    request = adjustment(ACCOUNT, QUOTE, amount_atoms=55, number=3)
    async with running(chosen) as shard:
        await shard.create_market()
        await shard.admin.Adjust(request)
        unknown = adjustment(ACCOUNT, 99, number=4)
        await refused(shard.admin.Adjust(unknown))
        database = await postgres.connect(postgres_settings, application_name="test")
        await database.write("update journal.adjustments set reason = null where source_seq >= 5")
        await database.close()
    async with running(chosen) as shard:
        assert (await shard.admin.Adjust(request)).repeat
        assert await refused(shard.admin.Adjust(unknown)) == (NOT_FOUND, "UNKNOWN_ASSET")
        assert (await balance_events(shard, ACCOUNT)).count(55) == 1
