"""The commands of `kubectl cambist`. They change specs only; the operator does the rest."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import click

from cambist.cli import output
from cambist.kubectl import report as bundles
from cambist.kubectl import tables
from cambist.kubectl.cluster import Cluster, condition, wait

RECONCILE_ANNOTATION: Final = "cambist.dev/reconcile-at"
HALTED: Final = "HALTED"
seconds = click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(1, 600),
    default=20.0,
    show_default=True,
    help="Seconds to wait for the operator.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-n", "--namespace", default="", help="Namespace of the venue.")
@click.option("--context", "kube_context", default="", help="Context of the kubeconfig.")
@click.version_option(package_name="cambist")
@click.pass_context
def main(ctx: click.Context, *, namespace: str, kube_context: str) -> None:
    """Look at a venue on Kubernetes and steer it."""
    ctx.obj = Cluster(namespace, kube_context)


def show(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str, left: int) -> None:
    """A table, or a sentence when it would be empty."""
    found = list(rows)
    if found:
        output.console().print(output.table(columns, found, left=left))
    else:
        click.echo(empty)


@main.command()
@output.as_json
@click.pass_obj
def status(cluster: Cluster, *, as_json: bool) -> None:
    """WalletChains, Markets, and what a person should look at."""
    chains, markets = cluster.list("walletchains"), cluster.list("markets")
    if as_json:
        for item in (*chains, *markets):
            output.print_json(bundles.without_secrets(item))
        return
    show(tables.CHAIN_COLUMNS, map(tables.chain_row, chains), "no WalletChains", left=7)
    click.echo()
    show(tables.MARKET_COLUMNS, map(tables.market_row, markets), "no Markets", left=5)
    click.echo()
    found = tables.troubles([*chains, *markets])
    show(tables.TROUBLE_COLUMNS, found, "nothing needs you", left=4)


@main.command()
@output.as_json
@click.pass_obj
def markets(cluster: Cluster, *, as_json: bool) -> None:
    """Markets as asked for, and as the engine has them."""
    found = cluster.list("markets")
    if as_json:
        for item in found:
            output.print_json(bundles.without_secrets(item))
        return
    show(tables.MARKET_COLUMNS, map(tables.market_row, found), "no Markets", left=5)


def phase_of(cluster: Cluster, name: str) -> str:
    """The engine's phase as the operator last wrote it."""
    return str((cluster.get("market", name).get("status") or {}).get("phase", ""))


def is_done(cluster: Cluster, name: str) -> bool:
    """Whether the operator has acknowledged the Market's present generation."""
    market = cluster.get("market", name)
    synced = condition(market, "Synced")
    if synced.get("status") == "False" and is_present(market, synced):
        raise click.ClickException(f"refused: {synced['reason']}: {synced['message']}")
    return synced.get("status") == "True" and is_present(market, synced)


def is_present(market: dict[str, Any], synced: dict[str, Any]) -> bool:
    """Whether a condition speaks of the present generation."""
    return bool(synced.get("observedGeneration") == market["metadata"]["generation"])


@main.command()
@click.argument("name")
@seconds
@click.pass_obj
def halt(cluster: Cluster, *, name: str, timeout_seconds: float) -> None:
    """Halt the market NAME: orders are refused, cancels too, until it is resumed."""
    cluster.patch("market", name, {"halted": True})
    wait(lambda: phase_of(cluster, name) == HALTED, timeout_seconds, f"{name} is not halted")
    click.echo(f"{name} is halted")


@main.command()
@click.argument("name")
@seconds
@click.pass_obj
def resume(cluster: Cluster, *, name: str, timeout_seconds: float) -> None:
    """Resume the market NAME by the ladder; also after a halt of the engine's own."""
    if not cluster.get("market", name)["spec"]["halted"]:
        # The resource asks for an open market already: only a change is a request.
        cluster.patch("market", name, {"halted": True})
        wait(lambda: is_done(cluster, name), timeout_seconds, "the halt was not acknowledged")
    cluster.patch("market", name, {"halted": False})
    wait(lambda: is_done(cluster, name), timeout_seconds, f"{name} was not resumed")
    click.echo(f"{name} is in phase {phase_of(cluster, name)}")


@main.command()
@click.argument("name")
@click.option("--undo", is_flag=True, help="Back to scaling by what waits.")
@click.pass_obj
def drain(cluster: Cluster, *, name: str, undo: bool) -> None:
    """Drain all workers of the WalletChain NAME: none is stopped with work in its hands."""
    if undo:
        cluster.patch("walletchain", name, {"replicas": 1, "scaling": {"mode": "Auto"}})
        click.echo(f"{name} scales by what waits")
        return
    cluster.patch("walletchain", name, {"replicas": 0, "scaling": {"mode": "Manual"}})
    click.echo(f"{name} drains; follow it by: kubectl cambist status")


@main.command()
@click.argument("name")
@click.option("--undo", is_flag=True, help="Scale again.")
@click.pass_obj
def pause(cluster: Cluster, *, name: str, undo: bool) -> None:
    """Hold the number of workers of the WalletChain NAME as it is."""
    cluster.patch("walletchain", name, {"scaling": {"pause": not undo}})
    click.echo(f"{name} {'scales again' if undo else 'is paused'}")


@main.command()
@click.argument("kind", type=click.Choice(["walletchain", "market"]))
@click.argument("name")
@click.pass_obj
def reconcile(cluster: Cluster, *, kind: str, name: str) -> None:
    """Have the operator look at one resource now and apply its children anew."""
    moment = f"{RECONCILE_ANNOTATION}={time.time_ns()}"
    cluster.run("annotate", kind, name, "--overwrite", moment)
    click.echo(f"{kind} {name} is looked at")


@main.command()
@click.argument("name")
@click.option("--replicas", type=click.IntRange(0, 100), help="Workers; scaling.mode is Manual.")
@click.option("--dry-run", is_flag=True, help="Change nothing: show what would be.")
@click.pass_obj
def scale(cluster: Cluster, *, name: str, replicas: int | None, dry_run: bool) -> None:
    """Show the last decision for the WalletChain NAME, or set its workers by hand."""
    chain = cluster.get("walletchain", name)
    if replicas is not None:
        spec = {"replicas": replicas, "scaling": {"mode": "Manual"}}
        cluster.patch("walletchain", name, spec, dry_run=dry_run)
        current = (chain.get("status") or {}).get("replicas", 0)
        verb = "would go" if dry_run else "goes"
        how = " by drain" if replicas < current else ""
        click.echo(f"{name} {verb} from {current} to {replicas} workers{how}, mode Manual")
        return
    if not dry_run:
        raise click.UsageError("give --replicas or --dry-run")
    show(tables.DECISION_COLUMNS, tables.decision_rows(chain), "no decision yet", left=2)


@main.command()
@click.option(
    "--output",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("cambist-report.tar.gz"),
    show_default=True,
)
@click.pass_obj
def report(cluster: Cluster, *, path: Path) -> None:
    """Write a support bundle: resources, events and logs, without secrets."""
    count = bundles.write(cluster, path)
    click.echo(f"{path}: {count} files")
