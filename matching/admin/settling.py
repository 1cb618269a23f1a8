"""Carries out a command that was written down before, also when it may have been sent already.

Called for commands of sources with dense numbers: adjustments, and what the faucet of a sandbox
gives. The engine applies a number once; of one that it had before the answer is in the journal.
"""

from typing import Final

from cambist.internal.journal.v1 import system_pb2
from cambist.orders.v1 import enums_pb2
from matching.admin.desk import Desk
from matching.errors import Rejected
from matching.journal.reader import JournalReader
from matching.primary import Primary
from matching.release.answers import answers_in

REPEAT: Final = enums_pb2.REJECT_REASON_SOURCE_REPEAT


async def settle(
    primary: Primary,
    desk: Desk,
    reader: JournalReader,
    command: system_pb2.SystemCommand,
    correlation: int,
    after_seq: int,
) -> int:
    """The RejectReason of the first answer, 0 = done. `after_seq`: head when it was written down.

    Raises what Desk.carry_out does, and Rejected when the answer is not in the journal any more.
    """
    reason = await desk.carry_out(primary, command, correlation)
    if reason != REPEAT:
        return reason
    async for row in reader.events_between(after_seq + 1, primary.released.seq):
        for answered, first_reason in answers_in(row.events):
            if answered == correlation and first_reason != REPEAT:
                return first_reason
    raise Rejected("ANSWER_NOT_FOUND", "it was applied; its answer is not in the journal")
