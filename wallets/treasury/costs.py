"""What each deposit and each withdrawal cost, on every chain, and which deposits are gathered.

Called by the treasury's store in the transaction that ends a step of gathering; read by
`python -m wallets costs`. A step that failed cost as well. What a step was made for is known from
the height at which it was planned; one that says none came after a sweep, and is a cost of that.
"""

from typing import Final

from runtime.postgres import Connection, Database
from wallets.contract import AttemptId

# Each share is the difference of two whole numbers of a running sum: nothing is lost by division.
# Lent energy is taken back after the sweep: a cost of what the sweep moved. Rent is a cost like a
# fee.
SHARE: Final = """
with step as (
    select g.*, $2::numeric + case when t.target = 'network_cost' and a.state = 'final'
            then t.amount_atoms else 0 end as cost_atoms,
        (select max(s.attempt_id) from custody.gathering_step s
            join custody.attempt b using (attempt_id)
            where s.network_id = g.network_id and s.key = g.key and s.contract = g.contract
                and s.attempt_id < g.attempt_id and b.kind = 'sweep' and b.state = 'final'
        ) as swept_by
    from custody.gathering_step g join custody.attempt a using (attempt_id)
        join custody.treasury_transfer t using (attempt_id)
    where g.attempt_id = $1
), moved as (
    select d.deposit_id, d.amount_atoms, step.cost_atoms, sum(d.amount_atoms) over () as total,
        sum(d.amount_atoms) over (order by d.block_height, d.deposit_id) as up_to
    from step join custody.deposit d using (network_id, key, contract)
    where d.amount_atoms > 0 and case when step.up_to_height is null
        then exists (select from custody.gathering_cost c
            where c.attempt_id = step.swept_by and c.deposit_id = d.deposit_id)
        else d.block_height <= step.up_to_height and not d.is_gathered end
)
insert into custody.gathering_cost (attempt_id, deposit_id, cost_atoms)
select $1, deposit_id,
    div(cost_atoms * up_to, total) - div(cost_atoms * (up_to - amount_atoms), total)
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
# On TRON also what the transactions took, all of them together: energy, and atoms that were burned
# for it, for bytes, and for the rest.
PARTS: Final = """
sum(e.energy)::bigint as energy, sum(e.energy_sun)::text as energy_atoms,
    sum(e.bandwidth_sun)::text as bandwidth_atoms, sum(e.other_sun)::text as other_atoms
"""
DEPOSITS: Final = f"""
select encode(d.deposit_id, 'hex') as deposit, s.text as address, d.asset_id,
    d.amount_atoms::text as atoms, sum(c.cost_atoms)::text as cost_atoms,
    count(*) as transactions, array_agg(a.txid order by a.attempt_id) as txids, {PARTS}
from custody.gathering_cost c join custody.deposit d using (deposit_id)
    join custody.attempt a using (attempt_id)
    join custody.address s on s.network_id = d.network_id and s.key = d.key
    left join custody.tron_cost e on e.attempt_id = a.attempt_id
where d.network_id = $1 and ($2::bytea is null or c.deposit_id = $2)
group by d.deposit_id, s.text order by max(c.attempt_id) desc, d.deposit_id limit $3
"""  # noqa: S608
# The book has a transaction's fee with one of the withdrawals that it paid; they share it alike.
WITHDRAWALS: Final = f"""
with booked as (
    select cause_id as withdrawal_id, sum(amount_atoms) as atoms from custody.posting
    where network_id = $1 and account = 'network_cost' and cause <> 'treasury'
    group by cause_id
), paid as (
    select o.withdrawal_id, max(a.attempt_id) as last_id, count(*) as transactions,
        array_agg(a.txid order by a.attempt_id) as txids, {PARTS}
    from custody.attempt_output o join custody.attempt a using (attempt_id)
        left join custody.tron_cost e using (attempt_id)
    where a.network_id = $1 and a.state in ('final', 'failed')
    group by o.withdrawal_id
), shared as (
    select p.*, coalesce(sum(b.atoms) over (partition by last_id), 0) as atoms,
        count(*) over (partition by last_id) as members,
        row_number() over (partition by last_id order by withdrawal_id) as place
    from paid p left join booked b using (withdrawal_id)
)
select encode(withdrawal_id, 'hex') as withdrawal, p.asset_id, p.amount_atoms::text as atoms,
    (div(s.atoms * place, members) - div(s.atoms * (place - 1), members))::text as cost_atoms,
    transactions, txids, energy, energy_atoms, bandwidth_atoms, other_atoms
from shared s join custody.payout p using (withdrawal_id)
where $2::bytea is null or withdrawal_id = $2
order by last_id desc, withdrawal_id limit $3
"""  # noqa: S608


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


async def of_deposits(
    database: Database, network_id: int, deposit_id: bytes | None, rows_max: int
) -> list[dict[str, object]]:
    """In atoms of the native asset, those gathered last first, or of one."""
    return [dict(row) for row in await database.read(DEPOSITS, network_id, deposit_id, rows_max)]


async def of_withdrawals(
    database: Database, network_id: int, withdrawal_id: bytes | None, rows_max: int
) -> list[dict[str, object]]:
    """In atoms of the native asset, failed attempts included, the newest first, or of one."""
    rows = await database.read(WITHDRAWALS, network_id, withdrawal_id, rows_max)
    return [dict(row) for row in rows]
