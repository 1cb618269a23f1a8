"""`python -m wallets engine-ahead …`: ends the stop `EngineAhead`, one command after the other.

Run by operators beside the workers. It sends nothing to the engine and nothing to a chain.
"""

from collections.abc import Awaitable, Callable

import click

from wallets import operating
from wallets.engines import open_engines, read_engines
from wallets.operating import BY, Operation
from wallets.restoring.settling import Settling


@click.group("engine-ahead")
def engine_ahead() -> None:
    """Commands that the engine took and this database never gave."""


@engine_ahead.command()
def show() -> None:
    """Those that nobody has settled, with what the engine did."""

    async def run(settling: Settling) -> None:
        unknown = [one for one in await settling.read_all() if one.is_open]
        known = {one.number: str(one) for one in await settling.read_effects(unknown)}
        for one in unknown:
            number = f"{one.number[0]}/{one.number[1]}"
            click.echo(known.get(one.number, f"{number}: not in the journal any more"))

    carry_out(run)


@engine_ahead.command()
@BY
def adopt(people: tuple[str, ...]) -> None:
    """Settle what is simple: credits become credited, withdrawals are parked and never paid here.

    What is left is shown with the reason.
    """

    async def run(settling: Settling) -> None:
        done, left = await settling.adopt(people)
        for one in done:
            click.echo(f"settled {one}")
        for one, why in left:
            click.echo(f"left {one}: {why}")

    carry_out(run)


@engine_ahead.command()
@click.argument("number", metavar="SOURCE/NUMBER")
@click.option("--note", required=True, help="What became of it.")
@BY
def settle(number: str, note: str, people: tuple[str, ...]) -> None:
    """Say that people have settled SOURCE/NUMBER."""
    source_id, _, source_seq = number.partition("/")
    if not (source_id.isdigit() and source_seq.isdigit()):
        raise click.BadParameter("SOURCE/NUMBER", param_hint="NUMBER")
    place = int(source_id), int(source_seq)

    async def run(settling: Settling) -> None:
        await settling.settle(place, note, people)
        click.echo("settled")

    carry_out(run)


@engine_ahead.command()
@BY
def end(people: tuple[str, ...]) -> None:
    """Let payouts and deposits of the network go on, once everything is settled."""

    async def run(settling: Settling) -> None:
        await settling.end(people)
        click.echo("payouts and deposits go on")

    carry_out(run)


def carry_out(work: Callable[[Settling], Awaitable[None]]) -> None:
    """Runs it over the network of the settings."""

    async def run(operation: Operation) -> None:
        settings = operation.settings
        engines = read_engines("CAMBIST_WALLETS_ENGINES", settings.engines)
        channels = await open_engines(engines, settings.engine_tls, operation.stack)
        await work(Settling(operation.database, operation.network.network_id, channels))

    operating.carry_out("engine-ahead", run)
