"""`python -m wallets reserves make | prove`: the report for all, and one account's part of it.

Run by an operator. The directory's `leaves.json` holds every balance and salt: it is the venue's
own, readable by its owner alone, and goes to nobody.
"""

import os
from pathlib import Path
from random import SystemRandom
from typing import Final

import click

from cambist.reserves.files import Proof, proof_to_json
from cambist.reserves.tree import make as make_tree
from wallets.engines import Primary, open_engines, read_engines
from wallets.operating import Operation, carry_out
from wallets.reconciliation.networks import counts_of
from wallets.reserves.liabilities import (
    leaves_to_json,
    merged,
    read_leaves,
    read_liabilities,
    read_reserves,
    report,
)
from wallets.reserves.published import publish

REPORT: Final = "report.json"
LEAVES: Final = "leaves.json"
OWNER_ONLY: Final = 0o600
FOLDER: Final = click.Path(file_okay=False, path_type=Path)


@click.group()
def reserves() -> None:
    """Proof of what the venue owes and has."""


@reserves.command()
@click.option("--asset", "asset_id", type=click.IntRange(min=1), required=True)
@click.option("--directory", type=FOLDER, required=True)
def make(asset_id: int, directory: Path) -> None:
    """Write DIRECTORY/report.json for everybody, and leaves.json for the venue alone.

    Accounts may ask for their proofs over RPC from then on.
    """

    async def run(operation: Operation) -> None:
        settings, network = operation.settings, operation.network
        found = []
        engines = read_engines("CAMBIST_WALLETS_ENGINES", settings.engines)
        channels = await open_engines(engines, settings.engine_tls, operation.stack)
        for shard, those in channels.items():
            found.append(await read_liabilities(shard, Primary(those), asset_id))
        counts = counts_of(settings.chain)
        coins = None
        if counts is not None:
            coins = await read_reserves(operation.database, network.network_id, counts)
        tree = make_tree(asset_id, merged(found), SystemRandom())
        told = report(tree, found, coins)
        write(directory, LEAVES, leaves_to_json(tree), OWNER_ONLY)
        await publish(operation.database, tree, told)
        # Last: a root that everybody may read has proofs.
        write(directory, REPORT, told, 0o644)
        click.echo(f"root {tree.root.digest.hex()} of {tree.root.atoms} atoms")

    carry_out("reserves", run)


@reserves.command()
@click.option("--account", "account_id", type=click.IntRange(min=1), required=True)
@click.option("--directory", type=FOLDER, required=True)
def prove(account_id: int, directory: Path) -> None:
    """Print what ACCOUNT is given; it checks it with `cambist proof`."""
    tree = read_leaves((directory / LEAVES).read_text(encoding="utf-8"))
    parts = tuple(tree.prove(account_id))
    if not parts:
        raise click.ClickException(f"account {account_id} is not in this proof")
    atoms = sum(part.leaf.atoms for part in parts)
    click.echo(proof_to_json(Proof(tree.asset_id, account_id, atoms, tree.root, parts)), nl=False)


def write(directory: Path, name: str, text: str, mode: int) -> None:
    """A whole file or none; its mode is right from the beginning."""
    directory.mkdir(parents=True, exist_ok=True)
    draft = directory / f".{name}.new"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    draft.replace(directory / name)
