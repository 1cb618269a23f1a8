"""What a row of the engine's event journal says to custody.

Called by the reader. Pure: it decides nothing and leaves out what custody does not act on.
"""

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import enums_pb2
from wallets.contract import WithdrawalId
from wallets.core.inbox import Answered, JournalRow, Requested
from wallets.core.outbox import numbers_of
from wallets.journal import system_events


def journal_row(shard: int, row: matching_pb2.EventRow) -> JournalRow:
    """The row as the inbox takes it. Raises Broken when its bytes are none."""
    events = (event_of(event) for event in system_events(row.events))
    known = tuple(event for event in events if event is not None)
    return JournalRow(shard, row.first_seq, row.last_seq, known)


def event_of(event: frames_pb2.SystemEvent) -> Requested | Answered | None:
    """A request or an answer; None for everything else."""
    match event.WhichOneof("event"):
        case "withdrawal_requested":
            asked = event.withdrawal_requested
            return Requested(
                WithdrawalId(asked.withdrawal_id),
                asked.account_id,
                asked.asset_id,
                asked.network_id,
                int.from_bytes(asked.amount_atoms, "little"),
                int.from_bytes(asked.fee_atoms, "little"),
                asked.destination,
            )
        case "answer":
            return _answer_of(event.answer)
    return None


def _answer_of(answer: frames_pb2.SystemAnswer) -> Answered | None:
    """None when the engine did not take the number: the command before it was lost on its way.

    The sender sends both again, so this is no answer yet.
    """
    if answer.reason == enums_pb2.REJECT_REASON_SOURCE_GAP:
        return None
    source_id, source_seq = numbers_of(answer.correlation)
    return Answered(source_id, source_seq, answer.reason)
