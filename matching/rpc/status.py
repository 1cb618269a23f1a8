"""What a process says of itself; answered in every role."""

from cambist.internal.matching.v1 import matching_pb2
from matching.shard_state import ShardState


def status_of(state: ShardState, snapshot_seq: int) -> matching_pb2.GetStatusResponse:
    """The answer to GetStatus."""
    answer = matching_pb2.GetStatusResponse(
        shard=state.shard,
        role=matching_pb2.Role.ValueType(state.role),
        engine=state.engine_name,
        clock_offset_ns=state.clock_offset_ns,
        primary_endpoint=state.primary_endpoint,
        snapshot_seq=snapshot_seq,
    )
    primary, replay = state.primary, state.replay
    if primary is not None:
        answer.epoch = primary.committer.epoch
        answer.applied_seq = primary.sequencer.applied_seq
        answer.released_seq = primary.released.seq
        answer.state_hash = primary.released.tail.state_hash
        answer.inbox_commands = primary.inbox.commands
        answer.open_cursors = primary.sequencer.open_cursors
    elif replay is not None:
        answer.epoch = replay.tail.epoch
        answer.applied_seq = answer.released_seq = replay.tail.last_seq
        answer.state_hash = replay.tail.state_hash
    return answer
