"""A row larger than a customary message reaches a gateway whole."""

import asyncio
import secrets

import pytest

from cambist.admin.v1 import admin_pb2
from cambist.orders.v1 import commands_pb2
from gateway.shard.link import LinkSettings
from gateway.shard.shard import Shard as GatewayShard
from gateway.shard.shard import ShardParts
from matching import engines
from runtime import limits
from runtime.clock import SystemClock
from runtime.settings import TlsSettings
from tests.matching.shard import (
    CANCEL,
    FIRM,
    QUOTE,
    SECONDS,
    SHARD,
    Shard,
    adjustment,
    established,
    new_order,
    now_ns,
    session_envelope,
    system_envelope,
)

ACCOUNTS = range(5_000, 5_006)
ORDERS_EACH = 10_000
ENVELOPE = 1_000

pytestmark = pytest.mark.skipif(not engines.has_kernel(), reason="too many orders without a kernel")


async def fill_book(shard: Shard) -> int:
    """Very many orders of several accounts on one session; its next cancel clears them."""
    for account_id in ACCOUNTS:
        account = admin_pb2.Account(account_id=account_id, firm_id=FIRM, open_orders_max=10_000)
        await shard.admin.CreateAccount(
            admin_pb2.CreateAccountRequest(shard=SHARD, account=account)
        )
        await shard.admin.Adjust(adjustment(account_id, QUOTE))
    link = await shard.link()
    command = established(5, link.link_id, 1)
    del command.session_established.account_ids[:]
    command.session_established.account_ids.extend(ACCOUNTS)
    await link.send(system_envelope(command))
    head = (await shard.status()).released_seq
    number = 1
    for account_id in ACCOUNTS:
        for _ in range(ORDERS_EACH // ENVELOPE):
            orders = [new_order(account_id=account_id) for _ in range(ENVELOPE)]
            await link.send(session_envelope(5, number, orders))
            number += ENVELOPE
    await shard.until_released(head + len(ACCOUNTS) * ORDERS_EACH)
    cancels = [
        commands_pb2.Command(
            mass_cancel=commands_pb2.MassCancel(
                request_id=secrets.token_bytes(16), account_id=account_id, sent_time_ns=now_ns()
            )
        )
        for account_id in ACCOUNTS
    ]
    before = (await shard.status()).released_seq
    await link.send(session_envelope(5, 1, cancels, command_class=CANCEL))
    await shard.until_released(before + len(cancels))
    return int(before + len(cancels))


def gateway_shard(endpoint: str) -> GatewayShard:
    settings = LinkSettings(SHARD, (endpoint,), "test", TlsSettings(), lambda: 77)
    return GatewayShard(ShardParts(settings, SystemClock(), secrets.randbits, 1 << 30))


@pytest.mark.slow
async def test_a_gateway_takes_a_row_with_very_many_cancelled_orders(market: Shard) -> None:
    gateway = gateway_shard(f"127.0.0.1:{market.ports.port}")
    running = asyncio.create_task(gateway.run())
    head = await fill_book(market)
    async with asyncio.timeout(SECONDS):
        await gateway.feed.wait_for(head)
    rows = gateway.feed.ring.rows_after(head - len(ACCOUNTS), head, 10)
    assert max(len(row.events) for row in rows) > limits.RECEIVE_BYTES_MAX
    running.cancel()
    await asyncio.wait({running})
