"""What the process tells operators of itself; answered in every role."""

from cambist.admin.v1 import admin_pb2
from matching.rpc.status import status_of
from matching.shard_state import ShardState
from runtime.stages import BOUNDS_NS, Stage, StageMeter

STAGES = (Stage.SEQUENCED, Stage.MATCHED, Stage.DURABLE)


def operator_status(state: ShardState, stages: StageMeter) -> admin_pb2.GetStatusResponse:
    """The answer to GetStatus of AdminService."""
    known = status_of(state, state.replay.snapshot_seq if state.replay is not None else 0)
    return admin_pb2.GetStatusResponse(
        shard=known.shard,
        role=admin_pb2.ShardRole.ValueType(known.role),
        epoch=known.epoch,
        applied_seq=known.applied_seq,
        released_seq=known.released_seq,
        snapshot_seq=known.snapshot_seq,
        inbox_commands=known.inbox_commands,
        state_hash=known.state_hash,
        engine=known.engine,
        clock_offset_ns=known.clock_offset_ns,
        open_cursors=known.open_cursors,
        primary_endpoint=known.primary_endpoint,
        duration_bounds_ns=BOUNDS_NS,
        stages=[
            admin_pb2.StageStatistics(
                stage=stage.value,
                commands=stages.counts[stage].commands,
                batches=stages.counts[stage].batches,
            )
            for stage in STAGES
        ],
    )
