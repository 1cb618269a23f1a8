"""`python -m wallets.tron.costs`: what withdrawals and gathered deposits cost, in sun.

For operators; it reads the database alone. A deposit's cost is that of all that its gathering took:
an account, energy, failed tries, its sweep, and the energy taken back. Deposits that one sweep took
along share it.
"""

import json
import sys
from typing import Any, Final

import click

from runtime.postgres import Database
from wallets import operating
from wallets.operating import Operation
from wallets.tron import limits

# Failed attempts of a withdrawal are part of what it cost.
WITHDRAWALS: Final = """
select encode(o.withdrawal_id, 'hex') as withdrawal, p.asset_id, count(*) as transactions,
    sum(c.energy)::bigint as energy, sum(c.energy_sun)::bigint as energy_sun,
    sum(c.bandwidth_sun)::bigint as bandwidth_sun, sum(c.other_sun)::bigint as other_sun,
    sum(c.energy_sun + c.bandwidth_sun + c.other_sun)::bigint as cost_sun
from custody.tron_cost c join custody.attempt_output o using (attempt_id)
    join custody.payout p using (withdrawal_id)
where c.network_id = $1 and ($2::bytea is null or o.withdrawal_id = $2)
group by o.withdrawal_id, p.asset_id order by max(c.attempt_id) desc limit $3
"""
# Steps belong to the next sweep that ended well; what is taken back, to the one before.
DEPOSITS: Final = """
with step as (
    select g.key, g.contract, g.attempt_id, a.kind, t.created_at,
        a.kind = 'sweep' and a.state = 'final' as is_end,
        c.energy, c.energy_sun, c.bandwidth_sun, c.other_sun,
        case when a.kind = 'rental' and a.state = 'final' then t.amount_atoms else 0 end as rent_sun
    from custody.gathering_step g join custody.attempt a using (attempt_id)
        join custody.treasury_transfer t using (attempt_id)
        join custody.tron_cost c using (attempt_id)
    where g.network_id = $1 and ($2::bytea is null or g.key = $2)
), numbered as (
    select *, greatest(0, count(*) filter (where is_end) over (
        partition by key, contract order by attempt_id
        rows between unbounded preceding and 1 preceding)
        - (kind = 'reclaim')::integer) as gathering
    from step
), gathering as (
    select key, contract, gathering, max(attempt_id) filter (where is_end) as sweep_id,
        max(created_at) filter (where is_end) as swept_at,
        lag(max(created_at) filter (where is_end)) over (
            partition by key, contract order by gathering) as before_at,
        sum(energy) as energy, sum(energy_sun) as energy_sun,
        sum(bandwidth_sun) as bandwidth_sun, sum(other_sun) as other_sun,
        sum(rent_sun) as rent_sun
    from numbered group by key, contract, gathering
)
select encode(d.deposit_id, 'hex') as deposit, s.text as address, d.asset_id,
    d.amount_atoms::text as atoms, count(*) over (partition by g.sweep_id) as shared_by,
    a.txid as sweep, g.energy::bigint, g.energy_sun::bigint, g.bandwidth_sun::bigint,
    g.other_sun::bigint, g.rent_sun::bigint,
    (g.energy_sun + g.bandwidth_sun + g.other_sun + g.rent_sun)::bigint as cost_sun
from gathering g join custody.attempt a on a.attempt_id = g.sweep_id
    join custody.deposit d on d.network_id = $1 and d.key = g.key and d.contract = g.contract
        and d.seen_at < g.swept_at and (g.before_at is null or d.seen_at >= g.before_at)
    join custody.address s on s.network_id = $1 and s.key = g.key
order by g.sweep_id desc, d.deposit_id limit $3
"""


async def of_withdrawals(
    database: Database, network_id: int, withdrawal_id: bytes | None = None
) -> list[dict[str, Any]]:
    """The newest first, or one."""
    rows = await database.read(WITHDRAWALS, network_id, withdrawal_id, limits.COSTS_SHOWN_MAX)
    return [dict(row) for row in rows]


async def of_deposits(
    database: Database, network_id: int, key: bytes | None = None
) -> list[dict[str, Any]]:
    """Those gathered last first, or of one address."""
    rows = await database.read(DEPOSITS, network_id, key, limits.COSTS_SHOWN_MAX)
    return [dict(row) for row in rows]


@click.command()
@click.argument("what", type=click.Choice(["withdrawals", "deposits"]))
def main(what: str) -> None:
    """Show costs of one network, a JSON object for each line, the newest first."""

    async def run(operation: Operation) -> None:
        network_id = operation.network.network_id
        read = of_withdrawals if what == "withdrawals" else of_deposits
        for row in await read(operation.database, network_id):
            click.echo(json.dumps(row))

    operating.carry_out("tron-costs", run)


if __name__ == "__main__":
    sys.exit(main())
