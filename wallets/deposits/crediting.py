"""What a new height makes of deposits: credits, second depths, ends, and credits taken back.

Called by the scanner in the transaction that applies a block. Each change of state, its entry in
the book and its one command to the engine are of that transaction. A deposit with a command that
has no answer yet waits: credits and reversals of one deposit alternate, whatever the engine says.
"""

from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime.postgres import Connection
from wallets.books import postings
from wallets.core import outbox
from wallets.core.outbox import Credited
from wallets.deposits import limits, rules, screening
from wallets.deposits.rules import Reason, Tier
from wallets.states import DepositState

D = DepositState

# Deposits of a suspended asset or network, and those that a screening has not let pass, wait where
# they are, so that others are looked at.
OPEN: Final = """
with unfinal as (
    select *, sum(amount_atoms) over (partition by account_id, asset_id)::text as sum_atoms
    from custody.deposit
    where network_id = $1 and not is_final
        and state in ('immature', 'confirming', 'credited', 'withdrawable'))
select unfinal.*, may.credit as may_credit
from unfinal join custody.asset using (network_id, asset_id)
    join custody.chain using (network_id)
    left join custody.deposit_screening screening using (deposit_id)
    cross join lateral (select $3 and not deposits_suspended and (not screens_deposits
        or coalesce(screening.verdict, '') in ('accept', 'release', 'return')) as credit) may
where state <> 'withdrawable' and tier_version > 0
    and not (state = 'confirming' and not may.credit)
    and not exists (select from custody.outbox o
                    where o.subject_id = deposit_id and o.answer_reason is null)
order by block_height, deposit_id limit $2
"""
TIERS: Final = """
select asset_id, version, above_atoms::text, credit_depth, withdrawable_depth
from custody.confirmation_tier where network_id = $1
"""
# Seen before any tier was registered.
ADOPT: Final = """
update custody.deposit d set tier_version = newest.version
from (select asset_id, max(version) as version from custody.confirmation_tier
      where network_id = $1 group by asset_id) newest
where d.network_id = $1 and d.asset_id = newest.asset_id and d.tier_version = 0
    and d.state in ('immature', 'confirming')
"""
RELEASE: Final = """
update custody.deposit d set state = 'confirming', reason = ''
from custody.asset a
where d.network_id = $1 and d.state = 'held' and d.reason = $2
    and a.network_id = d.network_id and a.asset_id = d.asset_id and not a.deposits_suspended
"""
FINAL: Final = """
select * from custody.deposit d
where network_id = $1 and state = 'withdrawable' and not is_final and block_height <= $2
    and not exists (select from custody.outbox o
                    where o.subject_id = d.deposit_id and o.answer_reason is null)
order by block_height, deposit_id limit $3
"""
ABSENT: Final = """
select * from custody.deposit d
where network_id = $1 and state = 'orphaned' and orphaned_height <= $2 and credit_count % 2 = 1
    and not exists (select from custody.outbox o
                    where o.subject_id = d.deposit_id and o.answer_reason is null)
order by orphaned_height, deposit_id limit $3
"""
DEPTHS: Final = """
select deposit_final_depth, deposit_absence_blocks from custody.chain where network_id = $1
"""


@dataclass(frozen=True, slots=True)
class Height:
    """The block that is applied, and up to where the chain itself calls blocks final (-1: none)."""

    tip: int
    final: int


async def apply_height(
    connection: Connection, network_id: int, height: Height, *, credits_any: bool = True
) -> None:
    """Everything that the new height changes, at most a page of each kind."""
    depths = await connection.fetchrow(DEPTHS, network_id)
    assert depths is not None, "deposits are of registered networks"
    await connection.execute(RELEASE, network_id, Reason.ASSET_SUSPENDED.value)
    await connection.execute(ADOPT, network_id)
    await screening.hold_again(connection, network_id)
    await _advance(connection, network_id, height, credits_any=credits_any)
    final = height.tip - depths["deposit_final_depth"] if height.final < 0 else height.final
    await _finalize(connection, network_id, min(final, height.tip))
    await _reverse(connection, network_id, height.tip - depths["deposit_absence_blocks"])


async def _advance(
    connection: Connection, network_id: int, height: Height, *, credits_any: bool
) -> None:
    rows = await connection.fetch(OPEN, network_id, limits.DEPOSITS_PAGE, credits_any)
    tiers = await _read_tiers(connection, network_id) if rows else {}
    for row in rows:
        advanced = rules.advance(
            D(row["state"]),
            rules.choose_tier(tiers[row["asset_id"], row["tier_version"]], [int(row["sum_atoms"])]),
            depth=rules.depth_of(row["block_height"], height.tip),
            may_credit=row["may_credit"],
        )
        for state in advanced:
            await move(connection, row["deposit_id"], state)
            if state is D.CREDITED:
                await credit(connection, row)
                # What comes after a credit waits for its answer.
                break


async def _read_tiers(
    connection: Connection, network_id: int
) -> dict[tuple[int, int], tuple[Tier, ...]]:
    found: dict[tuple[int, int], tuple[Tier, ...]] = {}
    for row in await connection.fetch(TIERS, network_id):
        key = (row["asset_id"], row["version"])
        tier = Tier(int(row["above_atoms"]), row["credit_depth"], row["withdrawable_depth"])
        found[key] = (*found.get(key, ()), tier)
    return found


async def _finalize(connection: Connection, network_id: int, final_height: int) -> None:
    """No fork that we follow reaches them: the engine may forget them."""
    for row in await connection.fetch(FINAL, network_id, final_height, limits.DEPOSITS_PAGE):
        await connection.execute(
            "update custody.deposit set is_final = true where deposit_id = $1", row["deposit_id"]
        )
        await command(connection, outbox.FINALIZE, row)


async def _reverse(connection: Connection, network_id: int, absent_since: int) -> None:
    """No block has had them for so long that they count as lost."""
    for row in await connection.fetch(ABSENT, network_id, absent_since, limits.DEPOSITS_PAGE):
        await move(connection, row["deposit_id"], D.REVERSED)
        await _count(connection, row)
        await command(connection, outbox.REVERSE, row)
        await _post(connection, row, outbox.REVERSE, is_undone=True)


async def credit(connection: Connection, row: asyncpg.Record) -> None:
    """The next number of a deposit that stands taken back, or was never credited."""
    assert row["credit_count"] % 2 == 0, "a deposit that is credited is not credited again"
    await _count(connection, row)
    shard = await command(connection, outbox.CREDIT, row)
    await connection.execute(
        "update custody.deposit set shard = $2 where deposit_id = $1", row["deposit_id"], shard
    )
    await _post(connection, row, outbox.CREDIT, is_undone=False)


async def command(connection: Connection, kind: str, row: asyncpg.Record) -> int:
    """Numbers the command; the shard that it goes to."""
    deposit = Credited(
        row["deposit_id"], row["account_id"], row["asset_id"], int(row["engine_atoms"])
    )
    network_id = row["network_id"]
    shard = row["shard"] or await connection.fetchval(
        "select shard from custody.address where network_id = $1 and key = $2",
        network_id,
        row["key"],
    )
    return await outbox.put_deposit(
        connection, kind, deposit, network_id=network_id, shard=shard or 0
    )


async def move(connection: Connection, deposit_id: bytes, state: DepositState) -> None:
    """One change of state. The trigger refuses ways that are not permitted."""
    await connection.execute(
        "update custody.deposit set state = $2 where deposit_id = $1", deposit_id, state.value
    )


async def _count(connection: Connection, row: asyncpg.Record) -> None:
    await connection.execute(
        "update custody.deposit set credit_count = credit_count + 1 where deposit_id = $1",
        row["deposit_id"],
    )


async def _post(
    connection: Connection, row: asyncpg.Record, cause: str, *, is_undone: bool
) -> None:
    entries = postings.of_credit(
        row["asset_id"], int(row["amount_atoms"]), int(row["remainder_atoms"])
    )
    await postings.post(
        connection,
        row["network_id"],
        cause,
        row["deposit_id"],
        postings.undone(entries) if is_undone else entries,
    )
