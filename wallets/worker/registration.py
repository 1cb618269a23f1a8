"""Registers a network with its assets, tiers, key branches and sources, from a JSON file.

Called by `python -m wallets apply FILE`. What is there and equal stays; what is there and different
is refused by name, because payouts and deposits were made under it. Nothing is ever removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import asyncpg
from pydantic import BeforeValidator, StringConstraints

from runtime.errors import ConfigurationError
from runtime.postgres import Connection, Database
from wallets.core.transactions import changing
from wallets.errors import Rejected
from wallets.service.deriving import derives
from wallets.worker.chains import parse, read_json

ACTOR: Final = "apply"
HOT_TABLES: Final = {"ethereum": "ethereum_lane", "tron": "tron_account"}


def without_prefix(value: object) -> object:
    """A hash as nodes of Ethereum write it, as we store it."""
    return value.lower().removeprefix("0x") if isinstance(value, str) else value


# Of the first block. Another spelling would be another chain to the worker, and nothing would move.
BlockHash = Annotated[
    str, BeforeValidator(without_prefix), StringConstraints(pattern="^[0-9a-f]{64}$")
]


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset on the network; `contract` in hex, empty for the native one."""

    asset_id: int
    symbol: str
    decimals: int
    engine_decimals: int
    deposit_minimum_atoms: int
    withdrawal_minimum_atoms: int
    contract: str = ""
    # Taken from the customer for each withdrawal.
    withdrawal_fee_engine_atoms: int = 0


@dataclass(frozen=True, slots=True)
class Tier:
    """Confirmations above a sum, in atoms of the chain."""

    asset_id: int
    version: int
    above_atoms: int
    credit_depth: int
    withdrawable_depth: int


@dataclass(frozen=True, slots=True)
class Branch:
    """An extended public key below which addresses lie."""

    branch: str
    generation: int
    scheme: str
    extended_public_key: str
    birthday_height: int


@dataclass(frozen=True, slots=True)
class Place:
    """A key of a branch."""

    branch: str
    path_index: int


@dataclass(frozen=True, slots=True)
class HotAccount:
    """An account of Ethereum or TRON that pays: a place of a branch."""

    branch: str
    path_index: int
    # It takes no payouts and helps deposit addresses.
    is_station: bool = False
    # Of TRON: the permission that payouts name, and the keys that sign with it.
    permission_id: int = 0
    signers: Sequence[Place] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Who numbers commands towards a shard."""

    source_id: int
    shard: int


@dataclass(frozen=True, slots=True)
class Registration:
    """The file."""

    chain: str
    network: str
    network_id: int
    genesis_hash: BlockHash
    assets: Sequence[Asset]
    sources: Sequence[Source]
    tiers: Sequence[Tier] = ()
    branches: Sequence[Branch] = ()
    # Of Ethereum and TRON, whose payouts leave from accounts.
    hot_accounts: Sequence[HotAccount] = ()
    # Blocks after which a deposit cannot change, where the chain itself calls none final.
    deposit_final_depth: int = 100
    # Blocks without a credited deposit after which its credit is taken back.
    deposit_absence_blocks: int = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One row: what finds it, and what it says beside."""

    table: str
    key: dict[str, Any]
    values: dict[str, Any]


def read_registration(path: Path) -> Registration:
    """The file, checked; raises ConfigurationError that names the fields at fault."""
    wanted = parse(Registration, read_json(path, "registration"), "registration")
    known = {asset.asset_id for asset in wanted.assets}
    if strange := {tier.asset_id for tier in wanted.tiers} - known:
        raise ConfigurationError(f"registration: tiers of unknown assets {sorted(strange)}")
    every = {(tier.asset_id, tier.version) for tier in wanted.tiers}
    whole = {(tier.asset_id, tier.version) for tier in wanted.tiers if tier.above_atoms == 0}
    if gaps := every - whole:
        raise ConfigurationError(f"registration: tiers without one from 0: {sorted(gaps)}")
    return wanted


def lines(wanted: Registration) -> list[Line]:
    """The rows that a registration means; raises ConfigurationError."""
    here = {"network_id": wanted.network_id}
    chain = Line(
        "chain",
        {"chain": wanted.chain, "network": wanted.network},
        {
            **here,
            "genesis_hash": wanted.genesis_hash,
            "deposit_final_depth": wanted.deposit_final_depth,
            "deposit_absence_blocks": wanted.deposit_absence_blocks,
        },
    )
    return [
        chain,
        *(
            Line(
                "asset",
                {**here, "asset_id": one.asset_id},
                {
                    "contract": _contract(one.contract),
                    "symbol": one.symbol,
                    "decimals": one.decimals,
                    "engine_decimals": one.engine_decimals,
                    "deposit_minimum_atoms": one.deposit_minimum_atoms,
                    "withdrawal_minimum_atoms": one.withdrawal_minimum_atoms,
                    "withdrawal_fee_engine_atoms": one.withdrawal_fee_engine_atoms,
                },
            )
            for one in wanted.assets
        ),
        *(
            Line(
                "confirmation_tier",
                {
                    **here,
                    "asset_id": one.asset_id,
                    "version": one.version,
                    "above_atoms": one.above_atoms,
                },
                {"credit_depth": one.credit_depth, "withdrawable_depth": one.withdrawable_depth},
            )
            for one in wanted.tiers
        ),
        *(
            Line(
                "key_branch",
                {**here, "branch": one.branch, "generation": one.generation},
                {
                    "scheme": one.scheme,
                    "extended_public_key": one.extended_public_key,
                    "birthday_height": one.birthday_height,
                },
            )
            for one in wanted.branches
        ),
        *(
            Line("source", {"source_id": one.source_id}, {**here, "shard": one.shard})
            for one in wanted.sources
        ),
        *(_hot_account(wanted, one) for one in wanted.hot_accounts),
    ]


def _hot_account(wanted: Registration, one: HotAccount) -> Line:
    """Its account is reckoned from the branch's key. Raises ConfigurationError."""
    if wanted.chain not in HOT_TABLES:
        raise ConfigurationError(f"registration: hot accounts on {wanted.chain}")
    account = _account(wanted, Place(one.branch, one.path_index))
    # Another account may be taken out of use later: that contradicts nothing.
    draining = {"is_draining": True} if one.is_station else {}
    return Line(
        HOT_TABLES[wanted.chain],
        {"network_id": wanted.network_id, "account": account},
        {
            "branch": one.branch,
            "path_index": one.path_index,
            **draining,
            **_signers(wanted, one),
        },
    )


def _account(wanted: Registration, place: Place) -> bytes:
    """The account of a place of a branch of the file. Raises ConfigurationError."""
    keys = [own.extended_public_key for own in wanted.branches if own.branch == place.branch]
    if len(keys) != 1:
        raise ConfigurationError(f"registration: a hot account of {len(keys)} branches")
    try:
        return derives(wanted.chain, wanted.network).create_wallet(keys[0], place.path_index).key
    except Rejected as error:
        raise ConfigurationError(f"registration: hot account: {error}") from None


def _signers(wanted: Registration, one: HotAccount) -> dict[str, Any]:
    """Who signs for an account of several keys. Raises ConfigurationError."""
    if wanted.chain != "tron":
        if one.permission_id or one.signers:
            raise ConfigurationError(f"registration: an account of several keys on {wanted.chain}")
        return {}
    if bool(one.permission_id) != bool(one.signers):
        raise ConfigurationError("registration: permission_id and signers go together")
    if one.is_station and one.signers:
        raise ConfigurationError("registration: a station signs with its own key")
    return {
        "permission_id": one.permission_id,
        "signer_accounts": [_account(wanted, place) for place in one.signers],
        "signer_branches": [place.branch for place in one.signers],
        "signer_path_indexes": [place.path_index for place in one.signers],
    }


def _contract(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise ConfigurationError("registration: a contract that is no hex") from None


async def apply(database: Database, wanted: Registration) -> None:
    """All of it or nothing. Raises ConfigurationError for what contradicts what is there."""
    async with changing(database, ACTOR) as connection:
        for line in lines(wanted):
            await _apply_line(connection, line)


async def _apply_line(connection: Connection, line: Line) -> None:
    row = {**line.key, **line.values}
    # Names of tables and columns are our own, above; values are parameters.
    columns = ", ".join(row)
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    where = " and ".join(f"{name} = ${number}" for number, name in enumerate(line.key, 1))
    named = f"{line.table} {line.key}"
    try:
        await connection.execute(
            f"insert into custody.{line.table} ({columns}) values ({places}) "  # noqa: S608
            f"on conflict ({', '.join(line.key)}) do nothing",
            *row.values(),
        )
    except asyncpg.IntegrityConstraintViolationError as error:
        raise ConfigurationError(f"registration: {named}: {error}") from None
    found = await connection.fetchrow(
        f"select * from custody.{line.table} where {where}",  # noqa: S608
        *line.key.values(),
    )
    assert found is not None, "it was inserted above, or was there"
    if changed := [name for name, value in line.values.items() if found[name] != value]:
        raise ConfigurationError(f"registration: {named} is there with another {changed}")
