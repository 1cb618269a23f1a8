"""What the database knows of deposit addresses: what was paid in, what was tried, what was lent.

Used by `gathering`; reads only. What was paid in costs no call to a node: an address whose deposits
have been gathered, or never reached the minimum, is not looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runtime.postgres import Database
from wallets.tron import limits
from wallets.tron.accounts import HotAccount

PAID_IN: Final = """
select a.key, a.branch, a.path_index, d.contract, d.asset_id
from custody.deposit d join custody.address a using (network_id, key)
    join unnest($3::bytea[], $4::text[]) as m (contract, minimum) on m.contract = d.contract
where d.network_id = $1 and d.state = 'withdrawable' and not d.is_gathered
    and (d.key > $2 or d.key = any($6::bytea[]))
group by a.key, a.branch, a.path_index, d.contract, d.asset_id, m.minimum
having sum(d.amount_atoms) >= m.minimum::numeric
order by a.key, d.contract limit $5
"""
# Helped and not swept since: they are looked at in each round, so that help is not in vain.
HELPED: Final = """
select key from (
    select distinct on (g.key) g.key, a.kind, a.changed_at
    from custody.gathering_step g join custody.attempt a using (attempt_id)
    where g.network_id = $1 and a.state in ('final', 'failed')
    order by g.key, g.attempt_id desc
) as last
where kind in ('top_up', 'delegation', 'rental')
    and changed_at > clock_timestamp() - $2 * interval '1 hour'
order by changed_at desc limit $3
"""
# Transactions that came to nothing lately; a sweep that is dead cost nothing.
TROUBLE: Final = """
select g.key, a.kind, count(*) as times
from custody.gathering_step g join custody.attempt a using (attempt_id)
where g.network_id = $1 and g.key = any($2::bytea[])
    and a.changed_at > clock_timestamp() - $3 * interval '1 hour'
    and (a.state = 'failed' or (a.state = 'dead' and a.kind <> 'sweep') or a.kind = 'rental')
group by g.key, a.kind
"""
# Lent and not taken back: the last that ended well was a loan.
LENT: Final = """
select * from (
    select distinct on (g.key) g.key, g.contract, a.kind, h.branch, h.path_index
    from custody.gathering_step g join custody.attempt a using (attempt_id)
        join custody.address h on h.network_id = g.network_id and h.key = g.key
    where g.network_id = $1 and g.key > $2 and a.state = 'final'
        and a.kind in ('delegation', 'reclaim')
    order by g.key, g.attempt_id desc
) as last where kind = 'delegation' order by key limit $3
"""


# Of the busiest of the last days.
ENERGY_OF_A_DAY: Final = """
select coalesce(max(energy), 0)::bigint as energy from (
    select sum(c.energy) as energy
    from custody.tron_cost c join custody.attempt a using (attempt_id)
    where c.network_id = $1 and a.kind = $2
        and c.created_at > clock_timestamp() - $3 * interval '1 day'
    group by date_trunc('day', c.created_at)
) as days
"""
BEHIND_ALL: Final = b"\xff" * 22


@dataclass(frozen=True, slots=True)
class PaidIn:
    """An asset that was paid to an address, above the minimum and not gathered yet."""

    place: HotAccount
    contract: bytes
    asset_id: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Addresses that are not lent to, and those that are not swept, for some hours."""

    loans: frozenset[bytes]
    sweeps: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Loan:
    """Energy that was lent to an address, for the sweep of one asset."""

    place: HotAccount
    contract: bytes


async def read_page(
    database: Database, network_id: int, minimum: Mapping[bytes, int], after: bytes
) -> tuple[list[PaidIn], bytes]:
    """The next rows behind an address, all of one address together, and where the next begin."""
    page = await _read(database, network_id, minimum, after, [])
    if len(page) < limits.SWEEP_PAGE_MAX:
        return page, b""
    last = page[-1].place.account
    whole = [one for one in page if one.place.account != last]
    # More assets than a page on one address: those that fit.
    return (whole, whole[-1].place.account) if whole else (page, last)


async def read_helped(
    database: Database, network_id: int, minimum: Mapping[bytes, int]
) -> list[PaidIn]:
    """What lies on addresses that were helped lately and not swept since."""
    rows = await database.read(HELPED, network_id, limits.HELP_LASTS_HOURS, limits.SWEEP_PAGE_MAX)
    keys = [row["key"] for row in rows]
    return await _read(database, network_id, minimum, BEHIND_ALL, keys) if keys else []


async def _read(
    database: Database,
    network_id: int,
    minimum: Mapping[bytes, int],
    after: bytes,
    keys: list[bytes],
) -> list[PaidIn]:
    rows = await database.read(
        PAID_IN,
        network_id,
        after,
        list(minimum),
        [str(atoms) for atoms in minimum.values()],
        limits.SWEEP_PAGE_MAX,
        keys,
    )
    return [
        PaidIn(
            HotAccount(row["key"], row["branch"], row["path_index"]),
            row["contract"],
            row["asset_id"],
        )
        for row in rows
    ]


async def read_trouble(database: Database, network_id: int, keys: list[bytes]) -> Trouble:
    """Of these addresses, those where something was tried in vain lately."""
    rows = await database.read(TROUBLE, network_id, keys, limits.PAUSE_HOURS)
    loans = {row["key"] for row in rows if row["kind"] in ("delegation", "rental")}
    sweeps = {
        row["key"]
        for row in rows
        if row["kind"] == "sweep" and row["times"] >= limits.SWEEP_FAILURES_MAX
    }
    return Trouble(frozenset(loans), frozenset(sweeps))


async def read_loans(database: Database, network_id: int, after: bytes) -> tuple[list[Loan], bytes]:
    """The next loans behind an address that were not taken back, and where the next begin."""
    rows = await database.read(LENT, network_id, after, limits.LOANS_MAX)
    loans = [
        Loan(HotAccount(row["key"], row["branch"], row["path_index"]), row["contract"])
        for row in rows
    ]
    return loans, loans[-1].place.account if len(loans) == limits.LOANS_MAX else b""


async def read_energy_of_a_day(database: Database, network_id: int, kind: str) -> int:
    """Energy that attempts of a kind used on the busiest of the last days, whoever had it."""
    row = await database.read_row(ENERGY_OF_A_DAY, network_id, kind, limits.NEED_DAYS)
    return 0 if row is None else int(row["energy"])
