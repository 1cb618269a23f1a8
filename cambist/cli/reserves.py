"""`cambist reserves`: what the venue published that it owes, and an account's part, checked here.

`cambist proof` checks the same from files, without the venue.
"""

import dataclasses
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from cambist.cli import failures
from cambist.cli.accounts import account_option, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, print_json
from cambist.cli.proof import FILE, proof_fields, read
from cambist.client.client import Client
from cambist.client.errors import InvalidInput
from cambist.client.instruments import Asset
from cambist.client.reserves import Coins, Report
from cambist.reserves.files import Proof, proof_to_json, read_root, report_to_json
from cambist.reserves.tree import HASH_BYTES, BadProof, Node

FOLDER: Final = click.Path(file_okay=False, path_type=Path)
Result = TypeVar("Result")
root_option = click.option("--root", default="", help="Hash of an older report; default: newest.")


@click.group()
def reserves() -> None:
    """Proof of what the venue owes, checked on this machine."""


@reserves.command()
@click.argument("symbol")
@root_option
@as_json
@pass_doors
def show(doors: Doors, symbol: str, *, root: str, as_json: bool) -> None:
    """Show what the venue published of SYMBOL: the same for everybody."""

    async def ask() -> tuple[Asset, Report]:
        async with doors.client() as client:
            asset = await asset_of(client, symbol)
            return asset, await client.reserves.report(asset.asset_id, hash_of(root))

    asset, report = run(ask())
    if as_json:
        print_json(report_fields(report))
        return
    made = datetime.fromtimestamp(report.made_ns // 1_000_000_000, UTC)
    click.echo(f"owed       {asset.units(report.root.atoms):f} {symbol} to all customers")
    click.echo(f"root       {report.root.digest.hex()}")
    click.echo(f"made       {made.isoformat()}, {report.leaves} leaves")
    for place in report.journal:
        click.echo(f"balances   of shard {place.shard} at sequence {place.seq}")
    click.echo(f"coins      {coins_line(report.coins)}")


@reserves.command()
@click.argument("symbol")
@account_option
@root_option
@click.option("--report", "report_file", type=FILE, help="One that you got elsewhere: its root.")
@click.option("--atoms", type=click.IntRange(min=0), help="What you own by your own books.")
@click.option("--save", "folder", type=FOLDER, help="Keep proof.json and report.json there.")
@as_json
@pass_doors
def check(doors: Doors, /, *, symbol: str, as_json: bool, **given: Any) -> None:
    """Fetch your account's proof of SYMBOL and check it here, below the published root.

    The venue must have given everybody the same root: compare it, or give --report.
    """
    asset, report, proof = run(fetch(doors, symbol, given))
    if given["folder"] is not None:
        save(given["folder"], report, proof)
    if as_json:
        print_json({**proof_fields(proof), "made_ns": report.made_ns})
        return
    owned, whole = asset.units(proof.atoms), asset.units(proof.root.atoms)
    click.echo(f"the proof holds: account {proof.account_id} is owed {owned:f} {symbol}")
    click.echo(f"of {whole:f} {symbol} below root {proof.root.digest.hex()}")
    if given["report_file"] is None:
        click.echo("compare this root with what somebody else was given")


async def fetch(doors: Doors, symbol: str, given: dict[str, Any]) -> tuple[Asset, Report, Proof]:
    """Report and proof, which holds. Raises BadProof and the SDK's errors."""
    elsewhere = None if given["report_file"] is None else read_root(read(given["report_file"]))
    async with doors.client() as client:
        asset = await asset_of(client, symbol)
        root = hash_of(given["root"])
        if elsewhere is not None:
            root = root_elsewhere(elsewhere, asset, root)
        report = await client.reserves.report(asset.asset_id, root)
        if elsewhere is not None and report.root != elsewhere[1]:
            raise BadProof("the venue tells another sum than the report that you have")
        account_id = one_account(client, given["account_id"])
        proof = await client.reserves.proof(account_id, asset.asset_id, report.root)
    if given["atoms"] is not None and given["atoms"] != proof.atoms:
        raise BadProof(f"it shows {proof.atoms} atoms, not {given['atoms']}")
    return asset, report, proof


def root_elsewhere(elsewhere: tuple[int, Node], asset: Asset, root: bytes) -> bytes:
    """The hash of a report from elsewhere. Raises InvalidInput when it is none that was meant."""
    asset_id, node = elsewhere
    if asset_id != asset.asset_id:
        raise InvalidInput("WRONG_REPORT", f"the report is of asset {asset_id}, not {asset.symbol}")
    if root and root != node.digest:
        raise InvalidInput("WRONG_REPORT", "--root and --report name different roots")
    return node.digest


async def asset_of(client: Client, symbol: str) -> Asset:
    """An asset by its symbol. Raises InvalidInput."""
    assets = await client.assets()
    if symbol not in assets:
        raise InvalidInput("UNKNOWN_ASSET", f"no asset {symbol}")
    return assets[symbol]


def hash_of(text: str) -> bytes:
    """A root's hash from hex; empty stays empty. Raises InvalidInput."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b"?"
    if digest and len(digest) != HASH_BYTES:
        raise InvalidInput("BAD_LENGTH", f"{text!r} is not a hash of {2 * HASH_BYTES} hex digits")
    return digest


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """As `failures.run`; a proof that does not hold ends the process with a line and status 1."""
    try:
        return failures.run(work)
    except BadProof as error:
        raise click.ClickException(f"the proof does not hold: {error}") from None


def save(folder: Path, report: Report, proof: Proof) -> None:
    """Both as files that `cambist proof` reads."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(report_to_json(report.asset_id, report.root))
        (folder / "proof.json").write_text(proof_to_json(proof))
    except OSError as error:
        raise click.ClickException(f"{folder}: {error.strerror}") from None


def coins_line(coins: Coins | None) -> str:
    """What the venue says to have; atoms, because decimals are the chain's."""
    if coins is None:
        return "not counted for this report"
    piles = ", ".join(f"{atoms} atoms {place}" for place, atoms in coins.atoms.items())
    return f"{piles or 'none'} on network {coins.network_id} at block {coins.height}"


def report_fields(report: Report) -> dict[str, Any]:
    """For programs: atoms as text, hashes in hex."""
    coins = report.coins
    return {
        "asset_id": report.asset_id,
        "root": report.root.digest,
        "root_atoms": str(report.root.atoms),
        "leaves": report.leaves,
        "journal": [dataclasses.asdict(place) for place in report.journal],
        "coins": coins
        and {
            **dataclasses.asdict(coins),
            "atoms": {place: str(atoms) for place, atoms in coins.atoms.items()},
        },
        "made_ns": report.made_ns,
    }
