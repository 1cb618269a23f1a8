"""Kill switches of a firm and of the shard, which rules version 2 knows."""

from collections.abc import Iterator
from typing import Any

import grpc
import grpc.aio
import pytest

from cambist.admin.v1 import admin_pb2
from cambist.orders.v1 import enums_pb2
from runtime import rpc_errors
from tests.matching.shard import (
    FIRM,
    MARKET,
    SHARD,
    Shard,
    new_order,
    private_events,
    unary_envelope,
)

NO_REASON = enums_pb2.CANCEL_REASON_UNSPECIFIED
LEVELS: list[tuple[dict[str, Any], int]] = [
    ({"firm_id": FIRM}, enums_pb2.CANCEL_REASON_KILLED),
    ({"whole_shard": True}, enums_pb2.CANCEL_REASON_MARKET_CLEARED),
]


def kill(*, active: bool = True, **named: Any) -> admin_pb2.SetKillSwitchRequest:
    return admin_pb2.SetKillSwitchRequest(shard=SHARD, active=active, **named)


def reports_of(rows: list[Any]) -> Iterator[tuple[int, int]]:
    """Reject and cancel reason of each report."""
    for row in rows:
        for event in private_events(row):
            report = event.execution_report
            yield report.reject_reason, report.cancel_reason


@pytest.mark.parametrize(("level", "cancel_reason"), LEVELS)
async def test_a_firm_or_the_whole_shard_is_stopped_and_let_go_on(
    market: Shard, level: dict[str, Any], cancel_reason: int
) -> None:
    link = await market.link()
    await market.admin.SwitchRules(admin_pb2.SwitchRulesRequest(shard=SHARD, version=2))
    before = (await market.status()).released_seq
    await link.send(unary_envelope(new_order()))
    await market.until_released(before + 1)
    await market.admin.SetKillSwitch(kill(**level))
    # The order goes with the next batch, which the sequencer's clock begins.
    await market.until_released(before + 3)
    await link.send(unary_envelope(new_order()))
    await market.until_released(before + 4)
    await market.admin.SetKillSwitch(kill(**level, active=False))
    await link.send(unary_envelope(new_order()))
    await market.until_released(before + 6)
    found = list(reports_of(await market.rows(before + 1, before + 6)))
    none = enums_pb2.REJECT_REASON_UNSPECIFIED
    assert found == [
        (none, NO_REASON),
        (none, cancel_reason),
        (enums_pb2.REJECT_REASON_KILLED, NO_REASON),
        (none, NO_REASON),
    ]


@pytest.mark.parametrize("level", [level for level, _ in LEVELS])
async def test_the_first_rules_version_refuses_both(market: Shard, level: dict[str, Any]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await market.admin.SetKillSwitch(kill(**level))
    assert rpc_errors.fault_of(caught.value).reason == "UNSUPPORTED"


@pytest.mark.parametrize(
    "named", [{}, {"firm_id": FIRM, "whole_shard": True}, {"firm_id": FIRM, "market_id": MARKET}]
)
async def test_exactly_one_level_is_named(market: Shard, named: dict[str, Any]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await market.admin.SetKillSwitch(kill(**named))
    assert rpc_errors.fault_of(caught.value).reason == "INVALID_PARAMETER"
