"""API keys and used nonces in Postgres. Every change of a key takes a new version number."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from gateway import limits
from gateway.door.permissions import Scope
from gateway.identity.keys import KeyRecord
from runtime.migrations import Migrations
from runtime.postgres import Database

MIGRATIONS: Final = Migrations("identity", Path(__file__).parent.parent / "migrations")

_SELECT: Final = """
select k.*, (select coalesce(array_agg(p.public_key order by p.added_ns desc), '{}')
             from identity.public_key p where p.key_id = k.key_id) as public_keys,
    (select max(added_ns) from identity.public_key p where p.key_id = k.key_id) as changed_ns
from identity.api_key k
"""
_INSERT: Final = """
insert into identity.api_key (key_id, firm_id, label, scopes, account_ids, market_ids, networks,
    is_read_only, orders_per_second, cancels_per_second, created_ns, expires_ns)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_TOUCH: Final = """
update identity.api_key set version = nextval('identity.key_version')
where key_id = $1 returning key_id
"""
_REVOKE: Final = """
update identity.api_key set revoked_ns = $2, version = nextval('identity.key_version')
where key_id = $1 and revoked_ns = 0 returning key_id
"""


class KeyExists(Exception):
    """An API key has this id already."""


class TooManyPublicKeys(Exception):
    """Two public keys are live; one must be retired first."""


@dataclass(frozen=True, slots=True)
class KeyStore:
    """Reads and writes API keys."""

    database: Database

    async def find(self, key_id: str) -> KeyRecord | None:
        """One key, revoked ones too."""
        row = await self.database.read_row(f"{_SELECT} where k.key_id = $1", key_id)
        return None if row is None else read_key(row)

    async def list_keys(self, firm_id: int | None = None) -> list[KeyRecord]:
        """Keys of a firm, or all; by id."""
        query = f"{_SELECT} where $1::bigint is null or k.firm_id = $1 order by k.key_id"
        return [read_key(row) for row in await self.database.read(query, firm_id)]

    async def changed_since(self, version: int) -> list[KeyRecord]:
        """Keys changed after a version, oldest change first, at most 1,000."""
        query = f"{_SELECT} where k.version > $1 order by k.version limit 1000"
        return [read_key(row) for row in await self.database.read(query, version)]

    async def newest_version(self) -> int:
        """Version of the last change; 0 without keys."""
        row = await self.database.read_row("select max(version) as newest from identity.api_key")
        return 0 if row is None or row["newest"] is None else int(row["newest"])

    async def create(self, key: KeyRecord) -> None:
        """Adds a key with its public keys; raises KeyExists."""
        values = (
            key.key_id,
            key.firm_id,
            key.label,
            sorted(key.scopes),
            sorted(key.account_ids),
            sorted(key.market_ids),
            [str(network) for network in key.networks],
            key.is_read_only,
            key.orders_per_second,
            key.cancels_per_second,
            key.created_ns,
            key.expires_ns,
        )
        try:
            async with self.database.transaction() as connection:
                await connection.execute(_INSERT, *values)
                await connection.executemany(
                    "insert into identity.public_key values ($1, $2, $3)",
                    [(key.key_id, public, key.created_ns) for public in key.public_keys],
                )
        except asyncpg.UniqueViolationError as error:
            raise KeyExists(key.key_id) from error

    async def revoke(self, key_id: str, now_ns: int) -> bool:
        """Revokes a key; False when there is none that lives."""
        return bool(await self.database.write(_REVOKE, key_id, now_ns))

    async def add_public_key(self, key_id: str, public_key: bytes, now_ns: int) -> bool:
        """A second public key, for rotation; False without the key. Raises TooManyPublicKeys."""
        async with self.database.transaction() as connection:
            if not await connection.fetch(_TOUCH, key_id):
                return False
            await connection.execute(
                "insert into identity.public_key values ($1, $2, $3) on conflict do nothing",
                key_id,
                public_key,
                now_ns,
            )
            count = await connection.fetchval(
                "select count(*) from identity.public_key where key_id = $1", key_id
            )
            if count > limits.LIVE_PUBLIC_KEYS_MAX:
                raise TooManyPublicKeys(key_id)
        return True

    async def retire_public_key(self, key_id: str, public_key: bytes) -> bool:
        """Takes a public key away; False when it was not there."""
        async with self.database.transaction() as connection:
            gone = await connection.fetch(
                "delete from identity.public_key where key_id = $1 and public_key = $2"
                " returning key_id",
                key_id,
                public_key,
            )
            await connection.execute(_TOUCH, key_id)
        return bool(gone)

    async def use_nonce(self, nonce: bytes, expires_ns: int) -> bool:
        """Marks a nonce as used; False when it was used before, on any gateway."""
        query = "insert into identity.used_nonce values ($1, $2) on conflict do nothing returning 1"
        return bool(await self.database.write(query, nonce, expires_ns))

    async def forget_nonces(self, before_ns: int) -> None:
        """Drops nonces that would be refused as over anyway."""
        await self.database.write(
            "delete from identity.used_nonce where expires_ns < $1", before_ns
        )


def read_key(row: asyncpg.Record) -> KeyRecord:
    """A key from its row."""
    networks: Sequence[str] = row["networks"]
    return KeyRecord(
        key_id=row["key_id"],
        firm_id=row["firm_id"],
        label=row["label"],
        public_keys=tuple(row["public_keys"]),
        scopes=frozenset(Scope(name) for name in row["scopes"]),
        account_ids=tuple(row["account_ids"]),
        market_ids=tuple(row["market_ids"]),
        networks=tuple(ipaddress.ip_network(network) for network in networks),
        is_read_only=row["is_read_only"],
        orders_per_second=row["orders_per_second"],
        cancels_per_second=row["cancels_per_second"],
        created_ns=row["created_ns"],
        expires_ns=row["expires_ns"],
        revoked_ns=row["revoked_ns"],
        version=row["version"],
        changed_ns=row["changed_ns"] or row["created_ns"],
    )
