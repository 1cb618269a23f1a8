"""Begins and ends the stop of a network whose database has to be verified.

Called by the command. Who ends it is two persons, after a check that found nothing; both names are
in the chain of changes.
"""

from collections.abc import Sequence
from typing import Final

from runtime.postgres import Database
from wallets.core.transactions import changing
from wallets.errors import Rejected
from wallets.people import check_people

ACTOR: Final = "people"
STOP: Final = "select custody.stop_until_verified($1, $2)"
# What was stopped for another reason stays so.
END: Final = """
update custody.chain set withdrawals_stopped = stopped_before <> '',
    stopped_reason = stopped_before, stopped_before = ''
where network_id = $1 and withdrawals_stopped and stopped_reason like 'Restored:%'
returning stopped_reason
"""
EVENT: Final = """
insert into custody.event (kind, subject_id, state_before, state_after, actor, reason)
values ('restore', $1, 'stopped', $2, $3, $4)
"""


async def stop(database: Database, network_id: int, reason: str) -> None:
    """Payouts wait until a check agrees. Raises Unavailable, Unknown."""
    async with changing(database, ACTOR, reason) as connection:
        await connection.execute(STOP, network_id, reason)


async def end(database: Database, network_id: int, people: Sequence[str]) -> str:
    """What still stops the network; empty = payouts go on.

    Raises Rejected, Unavailable, Unknown.
    """
    names = " and ".join(check_people(people))
    async with changing(database, ACTOR, f"verified, ended by {names}") as connection:
        remaining = await connection.fetchval(END, network_id)
        if remaining is None:
            raise Rejected("NOT_STOPPED", "no stop of this kind to end")
        after = "stopped" if remaining else "paying"
        reason = f"verified, ended by {names}"
        await connection.execute(EVENT, str(network_id), after, ACTOR, reason)
        return str(remaining)
