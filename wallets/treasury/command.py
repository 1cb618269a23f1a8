"""`python -m wallets treasury …`: bounds, cold addresses, refills, signed files.

Run by operators. People's keys are never near: a refill goes out as a file and comes back signed.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import click

from runtime.errors import ConfigurationError
from runtime.postgres import Database
from wallets import operating
from wallets.core.transactions import changing
from wallets.operating import Operation
from wallets.treasury import store
from wallets.treasury.bounds import Bounds
from wallets.treasury.networks import open_treasury
from wallets.treasury.step import Treasury
from wallets.worker.chains import open_chain

SHOWN: Final = 20
SHOW: Final = """
select t.attempt_id, t.source, t.target, t.amount_atoms, a.state, coalesce(a.txid, '') as txid,
    t.condition, cardinality(t.texts) as files, t.unsigned <> '' as by_people
from custody.treasury_transfer t join custody.attempt a using (attempt_id)
where t.network_id = $1 order by t.attempt_id desc limit $2
"""
ATOMS: Final = click.IntRange(min=0)


@click.group()
def treasury() -> None:
    """The venue's own transfers between hot and cold."""


@treasury.command()
@click.option("--floor", type=ATOMS, required=True)
@click.option("--target", type=ATOMS, required=True)
@click.option("--ceiling", type=ATOMS, required=True)
def bounds(floor: int, target: int, ceiling: int) -> None:
    """Keep the hot wallet between FLOOR and CEILING, in atoms; above it goes down to TARGET."""
    try:
        wanted = Bounds(floor, target, ceiling)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None

    async def run(found: Treasury) -> None:
        network_id = found.chain.network.network_id
        asset_id = await store.native_asset(found.database, network_id)
        async with changing(found.database, store.ACTOR, "bounds") as connection:
            await connection.execute(
                "insert into custody.treasury_bounds values ($1, $2, $3, $4, $5) "
                "on conflict (network_id, asset_id) do update set floor_atoms = $3, "
                "target_atoms = $4, ceiling_atoms = $5",
                network_id,
                asset_id,
                wanted.floor_atoms,
                wanted.target_atoms,
                wanted.ceiling_atoms,
            )

    carry_out(run)


@treasury.command()
@click.option("--index", type=click.IntRange(0, 2**31 - 1), required=True)
def watch(index: int) -> None:
    """Watch an address of the registered cold wallet, and print it for the signer's list."""

    async def run(found: Treasury) -> None:
        cold = await found.holds.cold_address(index)
        await found.database.write(
            "insert into custody.address (network_id, key, text, branch, generation, path_index) "
            "select $1, $2, $3, branch, generation, $4 from custody.key_branch "
            "where network_id = $1 and branch = 'cold' and not retired "
            "order by generation desc limit 1 on conflict do nothing",
            found.chain.network.network_id,
            cold.key,
            cold.text,
            index,
        )
        click.echo(cold.text)

    carry_out(run)


@treasury.command()
@click.argument("atoms", type=click.IntRange(min=1))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def refill(atoms: int, file: Path) -> None:
    """Plan ATOMS from cold to hot, and write FILE for those who hold the keys."""

    async def run(found: Treasury) -> None:
        number, text = await found.refill(atoms)
        file.write_text(f"{text}\n", encoding="utf-8")
        click.echo(f"transfer {number}")

    carry_out(run)


@treasury.command()
@click.argument("transfer", type=click.IntRange(min=1))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def take(transfer: int, file: Path) -> None:
    """Take the signatures of FILE for TRANSFER; with enough of them the worker sends it."""

    async def run(found: Treasury) -> None:
        signers, needed = await found.take(transfer, file.read_text(encoding="utf-8").strip())
        click.echo(f"{signers} of {needed} have signed")

    carry_out(run)


@treasury.command()
def show() -> None:
    """The last transfers, newest first."""

    async def run(found: Treasury) -> None:
        await show_transfers(found.database, found.chain.network.network_id)

    carry_out(run)


async def show_transfers(database: Database, network_id: int) -> None:
    """One line each."""
    for row in await database.read(SHOW, network_id, SHOWN):
        by = f"{row['files']} signed files" if row["by_people"] else "by the signer"
        waits = f", {row['condition']}" if row["condition"] else ""
        click.echo(
            f"{row['attempt_id']} {row['source']} to {row['target']} {row['amount_atoms']} atoms, "
            f"{by}: {row['state']} {row['txid']}{waits}".rstrip()
        )


def carry_out(work: Callable[[Treasury], Awaitable[None]]) -> None:
    """Runs it over the treasury of the network in the settings."""

    async def run(operation: Operation) -> None:
        network, database = operation.network, operation.database
        chain_file = Path(operation.settings.chain_file)
        opened = await open_chain(network, chain_file, database, operation.stack)
        found = open_treasury(database, opened.chain, None)
        if found is None:
            raise ConfigurationError(f"{network.chain} has no cold place yet")
        await work(found)

    operating.carry_out("treasury", run)
