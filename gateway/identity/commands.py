"""`python -m gateway keys …`: the operator's way to API keys. Private keys never come here."""

import asyncio
import ipaddress
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from gateway.door.permissions import Scope
from gateway.identity.keys import KeyRecord, Network
from gateway.identity.store import KeyExists, KeyStore, TooManyPublicKeys
from gateway.settings import GatewaySettings
from runtime import postgres
from runtime.clock import NANOSECONDS_PER_SECOND
from runtime.errors import RuntimeFault

Result = TypeVar("Result")
PUBLIC_KEY_BYTES = 32
SCOPES = click.Choice([scope.value for scope in Scope])
DEFAULT_SCOPES = ("TRADE", "CANCEL", "READ", "MARKET_DATA", "TRANSFER")


def with_store(work: Callable[[KeyStore], Awaitable[Result]]) -> Result:
    """Runs `work` on the configured database; faults end the process with a line."""

    async def run() -> Result:
        from gateway import server

        settings = GatewaySettings.load()
        chosen = await server.database_settings(settings)
        database = await postgres.connect(chosen, application_name="cambist-gateway-keys")
        try:
            return await work(KeyStore(database))
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except RuntimeFault as error:
        click.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(1)


def public_key(_context: click.Context, _parameter: click.Parameter, value: str) -> bytes:
    """An Ed25519 public key in hex."""
    try:
        raw = bytes.fromhex(value)
    except ValueError as error:
        raise click.BadParameter("not hexadecimal") from error
    if len(raw) != PUBLIC_KEY_BYTES:
        raise click.BadParameter(f"{len(raw)} bytes, not {PUBLIC_KEY_BYTES}")
    return raw


def networks(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[Network, ...]:
    """Networks in CIDR form."""
    try:
        return tuple(ipaddress.ip_network(value) for value in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group()
def keys() -> None:
    """API keys of firms."""


@keys.command()
@click.option("--firm", "firm_id", type=click.IntRange(1, 2**32 - 1), required=True)
@click.option("--public-key", callback=public_key, required=True, help="Ed25519, 64 hex digits.")
@click.option("--key-id", default="", help="Default: a random one.")
@click.option("--label", default="")
@click.option("--scope", "scopes", multiple=True, type=SCOPES, help="Default: all but money out.")
@click.option("--account", "account_ids", multiple=True, type=int, help="Default: all.")
@click.option("--market", "market_ids", multiple=True, type=int, help="Default: all.")
@click.option("--network", "networks", multiple=True, callback=networks, help="CIDR.")
@click.option("--read-only", "is_read_only", is_flag=True)
@click.option("--orders-per-second", type=click.IntRange(0), default=0, help="0 = the default.")
@click.option("--cancels-per-second", type=click.IntRange(0), default=0, help="0 = the default.")
@click.option("--expires-in-seconds", type=click.IntRange(0), default=0, help="0 = never.")
def create(**options: Any) -> None:
    """Register a public key; prints the key's id."""
    now_ns = time.time_ns()
    seconds = options.pop("expires_in_seconds")
    scopes = options.pop("scopes") or DEFAULT_SCOPES
    record = KeyRecord(
        key_id=options.pop("key_id") or secrets.token_hex(8),
        public_keys=(options.pop("public_key"),),
        scopes=frozenset(Scope(name) for name in scopes),
        created_ns=now_ns,
        expires_ns=now_ns + seconds * NANOSECONDS_PER_SECOND if seconds else 0,
        revoked_ns=0,
        version=0,
        **options,
    )
    try:
        with_store(lambda store: store.create(record))
    except KeyExists as error:
        raise click.ClickException(f"key {error} exists") from error
    click.echo(record.key_id)


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Revoke a key: its sessions end within seconds."""
    if not with_store(lambda store: store.revoke(key_id, time.time_ns())):
        raise click.ClickException(f"no live key {key_id}")


@keys.command()
@click.argument("key_id")
@click.option("--public-key", callback=public_key, required=True)
def rotate(key_id: str, public_key: bytes) -> None:
    """Add the next public key; the present one stays until it is retired."""
    try:
        found = with_store(lambda store: store.add_public_key(key_id, public_key, time.time_ns()))
    except TooManyPublicKeys as error:
        raise click.ClickException("two public keys are live: retire one first") from error
    if not found:
        raise click.ClickException(f"no key {key_id}")


@keys.command()
@click.argument("key_id")
@click.option("--public-key", callback=public_key, required=True)
def retire(key_id: str, public_key: bytes) -> None:
    """Take a public key away."""
    if not with_store(lambda store: store.retire_public_key(key_id, public_key)):
        raise click.ClickException("no such public key")


@keys.command("list")
@click.option("--firm", "firm_id", type=int, default=None)
def list_keys(firm_id: int | None) -> None:
    """List keys, one per line."""
    for key in with_store(lambda store: store.list_keys(firm_id)):
        state = "revoked" if key.revoked_ns else "live"
        scopes = ",".join(sorted(key.effective_scopes))
        public = ",".join(value.hex() for value in key.public_keys)
        click.echo(f"{key.key_id} firm={key.firm_id} {state} scopes={scopes} keys={public}")
