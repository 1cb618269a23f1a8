"""What a block pays to deposit addresses, as rows of deposits; and taken back with its block.

Called by the scanner in the transaction that moves its watermark. All keys of a block are matched
by one indexed query. It credits nothing: what the engine holds as credited when its block comes
back is credited already, and is never judged anew.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from runtime.postgres import Connection
from wallets.contract import Block, Movement
from wallets.deposits import limits, refusals, rules
from wallets.deposits.addresses import BRANCH
from wallets.deposits.rules import DepositAsset, Reason, Verdict
from wallets.errors import Broken, Condition, Stuck
from wallets.states import DepositState

D = DepositState

OURS: Final = """
select key, account_id from custody.address
where network_id = $1 and branch = $2 and key = any($3::bytea[])
"""
# What we send ourselves so that a token can move is no deposit. Its id is stored before it is sent.
TOP_UPS: Final = """
select txid from custody.attempt
where network_id = $1 and txid = any($2::text[]) and kind = 'top_up'
"""
ASSETS: Final = """
select asset_id, contract, decimals, engine_decimals, deposit_minimum_atoms::text as minimum,
    deposits_suspended
from custody.asset where network_id = $1
"""
ADD: Final = """
insert into custody.deposit (deposit_id, network_id, txid, index, key, account_id, asset_id,
    contract, amount_atoms, engine_atoms, remainder_atoms, state, tier_version)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'seen', (
    select coalesce(max(version), 0) from custody.confirmation_tier
    where network_id = $2 and asset_id = $7))
on conflict do nothing
"""
KNOWN: Final = """
select deposit_id, state, reason, credit_count
from custody.deposit where deposit_id = any($1::bytea[])
"""
# Nobody's account changes while the engine holds a credit of it. What people gave to the venue's
# account, to be paid back, stays there.
SEE_AGAIN: Final = """
update custody.deposit d set
    account_id = case when credit_count % 2 = 1 then account_id else coalesce((
        select nullif(return_account_id, 0) from custody.deposit_screening g
        where g.deposit_id = d.deposit_id), $2) end,
    block_hash = $3, block_height = $4, orphaned_height = null
where deposit_id = $1
"""
SET: Final = "update custody.deposit set state = $2, reason = $3 where deposit_id = $1"
PROVE: Final = """
insert into custody.deposit_proof (deposit_id, block_hash, height, header, proof, node)
values ($1, $2, $3, $4, $5, '') on conflict do nothing
"""
UNDO: Final = """
update custody.deposit set state = 'orphaned', block_hash = null, block_height = null,
    orphaned_height = $2
where network_id = $1 and block_height = $2 and block_hash = $3
returning is_final
"""
# In no block: seen in the memory pool perhaps.
ABSENT: Final = (D.SEEN, D.ORPHANED, D.REPLACED, D.REVERSED)


def deposit_id_of(network_id: int, movement: Movement) -> bytes:
    """The same output or log is the same deposit in whatever block it stands."""
    text = f"{network_id}:{movement.txid}:{movement.index}"
    return hashlib.sha256(text.encode()).digest()[:16]


async def apply_block(connection: Connection, network_id: int, block: Block) -> None:
    """Stores each movement to a deposit address; one that is on the books in a block stays."""
    if len(block.movements) > limits.MOVEMENTS_MAX:
        raise Broken(f"block {block.ref.height} has {len(block.movements)} movements")
    keys = list({movement.key for movement in block.movements})
    accounts = {
        row["key"]: row["account_id"]
        for row in await connection.fetch(OURS, network_id, BRANCH, keys)
    }
    txids = [movement.txid for movement in block.movements if movement.key in accounts]
    rows = await connection.fetch(TOP_UPS, network_id, txids) if txids else []
    top_ups = {row["txid"] for row in rows}
    found = {
        deposit_id_of(network_id, movement): movement
        for movement in block.movements
        if movement.key in accounts and movement.txid not in top_ups
    }
    if not found:
        return
    known = {row["deposit_id"]: row for row in await connection.fetch(KNOWN, list(found))}
    assets = await _read_assets(connection, network_id)
    for deposit_id, movement in found.items():
        row = known.get(deposit_id)
        account_id = accounts[movement.key]
        asset_id, asset = assets.get(movement.contract, (0, None))
        verdict = rules.judge(movement, asset, account_id=account_id)
        if row is not None and row["state"] not in ABSENT and not has_owner_now(row, verdict):
            continue
        if row is None:
            await _add(connection, network_id, movement, (account_id, asset_id, verdict))
        ref = block.ref
        await connection.execute(SEE_AGAIN, deposit_id, account_id, ref.block_hash, ref.height)
        for state, reason in ways_of(row, verdict):
            await connection.execute(SET, deposit_id, state.value, reason)
        await connection.execute(
            PROVE, deposit_id, ref.block_hash, ref.height, block.header, movement.proof
        )


async def see_pool(connection: Connection, network_id: int, movements: Sequence[Movement]) -> None:
    """Rows of what the memory pool pays to customers and would be credited; known ones stay."""
    if not movements:
        return
    keys = list({movement.key for movement in movements})
    accounts = {
        row["key"]: row["account_id"]
        for row in await connection.fetch(OURS, network_id, BRANCH, keys)
    }
    assets = await _read_assets(connection, network_id)
    for movement in movements:
        account_id = accounts.get(movement.key, 0)
        asset_id, asset = assets.get(movement.contract, (0, None))
        verdict = rules.judge(movement, asset, account_id=account_id)
        if verdict.state in (D.CONFIRMING, D.HELD):
            await _add(connection, network_id, movement, (account_id, asset_id, verdict))


async def _add(
    connection: Connection, network_id: int, movement: Movement, judged: tuple[int, int, Verdict]
) -> None:
    account_id, asset_id, verdict = judged
    await connection.execute(
        ADD,
        deposit_id_of(network_id, movement),
        network_id,
        movement.txid,
        movement.index,
        movement.key,
        account_id,
        asset_id,
        movement.contract,
        movement.amount_atoms,
        verdict.units.engine_atoms,
        verdict.units.remainder_atoms,
    )


def has_owner_now(known: asyncpg.Record, verdict: Verdict) -> bool:
    """Whether its place was nobody's when it was seen, and is read again as somebody's.

    Mined coins stay where they are: their maturity would have to be waited for.
    """
    was_nobodys = known["state"] == D.UNCLAIMED and known["reason"] == Reason.ADDRESS_NOT_GIVEN_OUT
    return was_nobodys and verdict.reason not in (Reason.ADDRESS_NOT_GIVEN_OUT, Reason.IMMATURE)


def ways_of(known: asyncpg.Record | None, verdict: Verdict) -> list[tuple[DepositState, str]]:
    """The states, with reasons, through which what is in a block goes; `known` was in none."""
    if known is None or known["state"] == D.SEEN:
        return [(verdict.state, verdict.reason)]
    if known["credit_count"] % 2 == 1:
        # The engine has it, or has it in suspense: there it waits for people again.
        credited = (D.CREDITED, known["reason"])
        is_refused = known["reason"].startswith(refusals.PREFIX)
        return [credited, (D.HELD, known["reason"])] if is_refused else [credited]
    if known["state"] not in (D.REVERSED, D.UNCLAIMED):
        return [(D.SEEN, ""), (verdict.state, verdict.reason)]
    if verdict.state in (D.HELD, D.UNCLAIMED):
        return [(D.CONFIRMING, ""), (verdict.state, verdict.reason)]
    return [(D.CONFIRMING, "")]


async def undo_block(connection: Connection, network_id: int, block: tuple[int, str]) -> None:
    """What a block gave is orphaned: it may come back in another one.

    Raises Stuck for a block that has a deposit which the engine was told to forget.
    """
    for row in await connection.fetch(UNDO, network_id, *block):
        if row["is_final"]:
            raise Stuck(Condition.REORG_TOO_DEEP, f"block {block[0]} has a final deposit")


async def _read_assets(
    connection: Connection, network_id: int
) -> Mapping[bytes, tuple[int, DepositAsset]]:
    return {
        row["contract"]: (
            row["asset_id"],
            DepositAsset(
                row["decimals"],
                row["engine_decimals"],
                int(row["minimum"]),
                row["deposits_suspended"],
            ),
        )
        for row in await connection.fetch(ASSETS, network_id)
    }
