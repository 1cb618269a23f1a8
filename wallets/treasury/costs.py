"""What gathering cost, deposit by deposit, and which deposits are gathered.

Called by the treasury's store in the transaction that ends a step of gathering; `read` by commands.
A step that failed cost as well. What a step was made for is known from the height at which it was
planned; a step that did not say one is nobody's cost here.
"""

from typing import Final

from runtime.postgres import Connection, Database
from wallets.contract import AttemptId

# Each share is the difference of two whole numbers of a running sum: nothing is lost by division.
SHARE: Final = """
with moved as (
    select d.deposit_id, d.amount_atoms, sum(d.amount_atoms) over () as total,
        sum(d.amount_atoms) over (order by d.block_height, d.deposit_id) as up_to
    from custody.gathering_step g join custody.deposit d using (network_id, key, contract)
    where g.attempt_id = $1 and d.block_height <= g.up_to_height and not d.is_gathered
        and d.amount_atoms > 0
)
insert into custody.gathering_cost (attempt_id, deposit_id, cost_atoms)
select $1, deposit_id, div($2::numeric * up_to, total) - div($2 * (up_to - amount_atoms), total)
from moved on conflict do nothing
"""
# A deposit that a reorganisation brought to that height after the plan is not in what was moved.
GATHERED: Final = """
with step as (
    select g.network_id, g.key, g.contract, g.up_to_height, t.amount_atoms
        + case when g.contract = '' then a.fee_atoms_max else 0 end as moved_atoms
    from custody.gathering_step g join custody.attempt a using (attempt_id)
        join custody.treasury_transfer t using (attempt_id)
    where g.attempt_id = $1
), lay as (
    select d.deposit_id, sum(d.amount_atoms) over () as total, step.moved_atoms
    from step join custody.deposit d using (network_id, key, contract)
    where d.block_height <= step.up_to_height and not d.is_gathered
)
update custody.deposit set is_gathered = true
where deposit_id in (select deposit_id from lay where total <= moved_atoms)
"""
EMPTIED: Final = """
update custody.deposit set is_gathered = true
where network_id = $1 and key = $2 and contract = $3 and block_height <= $4 and not is_gathered
"""
COSTS: Final = """
select encode(d.deposit_id, 'hex') as deposit, s.text as address, d.asset_id,
    d.amount_atoms::text as atoms, sum(c.cost_atoms)::text as cost_atoms,
    count(*) as transactions, array_agg(a.txid order by a.attempt_id) as txids
from custody.gathering_cost c join custody.deposit d using (deposit_id)
    join custody.attempt a using (attempt_id)
    join custody.address s on s.network_id = d.network_id and s.key = d.key
where d.network_id = $1 and ($2::bytea is null or c.deposit_id = $2)
group by d.deposit_id, s.text order by max(c.attempt_id) desc, d.deposit_id limit $3
"""


async def share(connection: Connection, attempt_id: AttemptId, cost_atoms: int) -> None:
    """Over the deposits that the step was made for, by their amounts; once."""
    await connection.execute(SHARE, attempt_id, cost_atoms)


async def mark_gathered(connection: Connection, attempt_id: AttemptId) -> None:
    """What a sweep that is final has moved."""
    await connection.execute(GATHERED, attempt_id)


async def mark_emptied(
    database: Database, network_id: int, key: bytes, contract: bytes, height: int
) -> None:
    """What was paid to an address up to a height lies there no more, whoever moved it."""
    await database.write(EMPTIED, network_id, key, contract, height)


async def read(
    database: Database, network_id: int, deposit_id: bytes | None, rows_max: int
) -> list[dict[str, object]]:
    """Costs of deposits in atoms of the native asset, those gathered last first, or of one."""
    return [dict(row) for row in await database.read(COSTS, network_id, deposit_id, rows_max)]
