"""Whether a network requires verdicts: two persons decide, and the chain of changes keeps it.

Called by the commands of deposits and of withdrawals.
"""

from collections.abc import Sequence
from typing import Final

from runtime.postgres import Database
from wallets.core.transactions import changing
from wallets.people import check_people
from wallets.screening.verdicts import Subject

ACTOR: Final = "people"
REQUIRE: Final = {
    Subject.DEPOSIT: "update custody.chain set screens_deposits = $2 where network_id = $1",
    Subject.WITHDRAWAL: "update custody.chain set screens_withdrawals = $2 where network_id = $1",
}
EVENT: Final = {Subject.DEPOSIT: "screening", Subject.WITHDRAWAL: "withdrawal_screening"}


async def require(
    database: Database, network_id: int, subject: Subject, people: Sequence[str], *, on: bool
) -> None:
    """Whether credits, or approvals, need a verdict from now on. Raises Rejected."""
    names = check_people(people)
    reason = f"screening {'on' if on else 'off'} by {' and '.join(names)}"
    async with changing(database, ACTOR, reason) as connection:
        await connection.execute(REQUIRE[subject], network_id, on)
        # Not a change of a state, and kept among them all the same: in the chain of hashes.
        await connection.execute(
            "insert into custody.event (kind, subject_id, state_before, state_after, actor, reason)"
            " values ($1, $2, '', $3, $4, $5)",
            EVENT[subject],
            str(network_id),
            "on" if on else "off",
            ACTOR,
            reason,
        )
