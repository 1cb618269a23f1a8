"""Deposit addresses in a database that was made anew: derived again, and whose they were.

Called by `python -m wallets addresses …`. The extended public key tells every address and nobody's
account: which place was given to whom is what `read_given` lists, to be kept elsewhere. No place
that may have been given out is ever given to another account, listed or not.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from runtime.postgres import Connection, Database
from wallets.core.transactions import changing
from wallets.deposits import limits
from wallets.deposits.addresses import ADD, BRANCH, DERIVED_UP_TO, Derives
from wallets.errors import Rejected
from wallets.people import check_people

ACTOR: Final = "people"
GIVEN: Final = """
select generation, path_index, account_id, shard, coalesce(request_id, ''::bytea), text
from custody.address
where network_id = $1 and branch = $2 and account_id > 0 and (generation, path_index) > ($3, $4)
order by generation, path_index limit $5
"""
LOCK: Final = """
select extended_public_key, next_index from custody.key_branch
where network_id = $1 and branch = $2 and generation = $3 for update
"""
NEWEST: Final = """
select max(generation) from custody.key_branch
where network_id = $1 and branch = $2 and not retired
"""
NEVER_AGAIN: Final = """
update custody.key_branch set next_index = greatest(next_index, $4)
where network_id = $1 and branch = $2 and generation = $3
"""
FIND: Final = """
select text, account_id from custody.address
where network_id = $1 and branch = $2 and generation = $3 and path_index = $4
"""
# Who asked again before the restoration keeps the address that the request got then.
GIVE_BACK: Final = """
update custody.address set account_id = $5, shard = $6, request_id = case when exists (
    select from custody.address other
    where other.network_id = $1 and other.account_id = $5 and other.request_id = $7) then null
    else $7 end
where network_id = $1 and branch = $2 and generation = $3 and path_index = $4
"""
EVENT: Final = """
insert into custody.event (kind, subject_id, state_before, state_after, actor, reason)
values ('addresses', $1, $2, $3, $4, $5)
"""


@dataclass(frozen=True, slots=True)
class Given:
    """A place that an account has; deposits on it are credited on `shard`."""

    generation: int
    place: int
    account_id: int
    shard: int
    request_id: bytes
    text: str


async def read_given(database: Database, network_id: int) -> AsyncIterator[Given]:
    """All of a network, by generation and place."""
    last = (0, -1)
    while True:
        rows = await database.read(GIVEN, network_id, BRANCH, *last, limits.ADDRESSES_PAGE)
        for row in rows:
            yield Given(*row)
        if len(rows) < limits.ADDRESSES_PAGE:
            return
        last = rows[-1]["generation"], rows[-1]["path_index"]


async def restore(
    database: Database,
    adapter: Derives,
    network_id: int,
    places: int,
    given: Sequence[Given],
    people: Sequence[str],
) -> int:
    """Derives so many places and those after them, and says whose they are; how many were given.

    `places` are of the newest live branch; those of the list count for every branch that it names.
    Again it changes nothing. All of it or nothing. Raises Rejected, Unavailable, Unknown.
    """
    names = check_people(people)
    if not 0 <= places <= limits.RESTORED_PLACES_MAX:
        raise Rejected("TOO_MANY_PLACES", f"at most {limits.RESTORED_PLACES_MAX} at once")
    reason = f"{places} places and {len(given)} owners restored by {' and '.join(names)}"
    async with changing(database, ACTOR, reason) as connection:
        newest = await connection.fetchval(NEWEST, network_id, BRANCH)
        if newest is None:
            raise Rejected("NO_BRANCH", "the network has no live branch for deposits")
        wanted = {int(newest): places}
        for one in given:
            wanted[one.generation] = max(wanted.get(one.generation, 0), one.place + 1)
        for generation, count in sorted(wanted.items()):
            before, after = await _derive(connection, adapter, network_id, generation, count)
            await connection.execute(
                EVENT, f"{network_id}/{generation}", str(before), str(after), ACTOR, reason
            )
        return sum([await _give(connection, network_id, one) for one in given])


async def _derive(
    connection: Connection, adapter: Derives, network_id: int, generation: int, count: int
) -> tuple[int, int]:
    """The next place that is given out, before and after. Raises Rejected."""
    branch = await connection.fetchrow(LOCK, network_id, BRANCH, generation)
    if branch is None or count > limits.RESTORED_PLACES_MAX:
        raise Rejected("NO_BRANCH", f"no place {count - 1} of generation {generation}")
    last = await connection.fetchval(DERIVED_UP_TO, network_id, BRANCH, generation)
    found = [
        (place, adapter.create_wallet(branch["extended_public_key"], place))
        for place in range(last + 1, count + limits.LOOK_AHEAD + 1)
    ]
    await connection.executemany(
        ADD,
        [(network_id, one.key, one.text, BRANCH, generation, place) for place, one in found],
    )
    await connection.execute(NEVER_AGAIN, network_id, BRANCH, generation, count)
    return branch["next_index"], max(branch["next_index"], count)


async def _give(connection: Connection, network_id: int, given: Given) -> bool:
    """Whether it was nobody's so far. Raises Rejected."""
    at = (network_id, BRANCH, given.generation, given.place)
    row = await connection.fetchrow(FIND, *at)
    if row is None or row["text"] != given.text:
        raise Rejected("OTHER_ADDRESS", f"place {given.place} is not {given.text}")
    if row["account_id"] == given.account_id:
        return False
    if row["account_id"]:
        raise Rejected("ADDRESS_GIVEN", f"{given.text} is account {row['account_id']}'s")
    await connection.execute(
        GIVE_BACK, *at, given.account_id, given.shard, given.request_id or None
    )
    return True
