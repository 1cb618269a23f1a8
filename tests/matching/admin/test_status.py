"""What the admin port tells of the process, and that it fits what was carried out."""

import grpc
import grpc.aio
import pytest

from cambist.admin.v1 import admin_pb2
from runtime.stages import BOUNDS_NS
from tests.matching.shard import ACCOUNT, FIRM, OTHER, SECONDS, SHARD, Shard


async def status(shard: Shard) -> admin_pb2.GetStatusResponse:
    request = admin_pb2.GetStatusRequest(shard=SHARD)
    answer: admin_pb2.GetStatusResponse = await shard.admin.GetStatus(request, timeout=SECONDS)
    return answer


async def test_the_primary_tells_its_role_and_counts_each_stage(market: Shard) -> None:
    answer = await status(market)
    inner = await market.status()
    assert answer.role == admin_pb2.SHARD_ROLE_PRIMARY
    assert (answer.shard, answer.epoch, answer.engine) == (SHARD, inner.epoch, inner.engine)
    assert answer.released_seq == inner.released_seq > 0
    assert answer.state_hash == inner.state_hash
    assert tuple(answer.duration_bounds_ns) == BOUNDS_NS
    stages = {stage.stage: stage for stage in answer.stages}
    assert list(stages) == ["sequenced", "matched", "durable"]
    # EpochStarted and clock commands are the venue's own: they wait in no inbox.
    assert 0 < stages["sequenced"].commands < stages["matched"].commands
    assert stages["matched"].commands == stages["durable"].commands
    for stage in stages.values():
        assert len(stage.batches) == len(BOUNDS_NS) + 1
        assert 0 < sum(stage.batches) <= stage.commands


async def test_another_shard_is_refused_by_name(shard: Shard) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await shard.admin.GetStatus(admin_pb2.GetStatusRequest(shard=2), timeout=SECONDS)
    assert "shard 1" in (caught.value.details() or "")


async def test_accounts_are_told_as_they_stand(market: Shard) -> None:
    limits = admin_pb2.SetAccountLimitsRequest(
        shard=SHARD, account_id=ACCOUNT, open_orders_max=7, id_capacity=99, frozen=True
    )
    await market.admin.SetAccountLimits(limits, timeout=SECONDS)
    asked = admin_pb2.GetAccountsRequest(shard=SHARD, account_ids=[OTHER, 9_999, ACCOUNT])
    answer = await market.admin.GetAccounts(asked, timeout=SECONDS)
    assert [account.account_id for account in answer.accounts] == [OTHER, ACCOUNT]
    changed = answer.accounts[1]
    assert (changed.firm_id, changed.open_orders_max, changed.id_capacity) == (FIRM, 7, 99)
    assert [account.frozen for account in answer.accounts] == [False, True]


async def test_too_many_accounts_at_once_are_refused_by_name(shard: Shard) -> None:
    asked = admin_pb2.GetAccountsRequest(shard=SHARD, account_ids=range(1, 1_002))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await shard.admin.GetAccounts(asked, timeout=SECONDS)
    assert "1000" in (caught.value.details() or "")
