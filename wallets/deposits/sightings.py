"""What a block pays to deposit addresses, as rows of deposits; and taken back with its block.

Called by the scanner in the transaction that moves its watermark. All keys of a block are matched
by one indexed query. It credits nothing.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from runtime.postgres import Connection
from wallets.contract import Block, Movement
from wallets.deposits import limits, rules
from wallets.deposits.addresses import BRANCH
from wallets.deposits.rules import DepositAsset
from wallets.errors import Broken
from wallets.states import DepositState

OURS: Final = """
select key, account_id from custody.address
where network_id = $1 and branch = $2 and key = any($3::bytea[])
"""
ASSETS: Final = """
select asset_id, contract, decimals, engine_decimals, deposit_minimum_atoms::text as minimum,
    deposits_suspended
from custody.asset where network_id = $1
"""
ADD: Final = """
insert into custody.deposit (deposit_id, network_id, txid, index, key, account_id, asset_id,
    contract, amount_atoms, engine_atoms, remainder_atoms, state)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'seen')
"""
SEE_AGAIN: Final = """
update custody.deposit set state = 'seen', account_id = $2 where deposit_id = $1
"""
JUDGE: Final = """
update custody.deposit set state = $2, reason = $3, block_hash = $4, block_height = $5
where deposit_id = $1
"""
PROVE: Final = """
insert into custody.deposit_proof (deposit_id, block_hash, height, header, proof, node)
values ($1, $2, $3, $4, $5, '') on conflict do nothing
"""
UNDO: Final = """
update custody.deposit set state = 'orphaned', block_hash = null, block_height = null
where network_id = $1 and block_height = $2 and block_hash = $3
"""


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
    found = {
        deposit_id_of(network_id, movement): movement
        for movement in block.movements
        if movement.key in accounts
    }
    if not found:
        return
    known = {
        row["deposit_id"]: row["state"]
        for row in await connection.fetch(
            "select deposit_id, state from custody.deposit where deposit_id = any($1::bytea[])",
            list(found),
        )
    }
    assets = await _read_assets(connection, network_id)
    for deposit_id, movement in found.items():
        account_id, (asset_id, asset) = (
            accounts[movement.key],
            assets.get(movement.contract, (0, None)),
        )
        verdict = rules.judge(movement, asset, account_id=account_id)
        if deposit_id not in known:
            await connection.execute(
                ADD,
                deposit_id,
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
        elif known[deposit_id] == DepositState.ORPHANED:
            await connection.execute(SEE_AGAIN, deposit_id, account_id)
        else:
            continue
        ref = block.ref
        await connection.execute(
            JUDGE,
            deposit_id,
            verdict.state.value,
            verdict.reason.value,
            ref.block_hash,
            ref.height,
        )
        await connection.execute(
            PROVE, deposit_id, ref.block_hash, ref.height, block.header, movement.proof
        )


async def undo_block(connection: Connection, network_id: int, block: tuple[int, str]) -> None:
    """What a block gave is orphaned: it may come back in another one."""
    await connection.execute(UNDO, network_id, *block)


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
