"""`cambist`: the group of all commands and the options they share."""

from importlib import import_module
from pathlib import Path
from typing import Final

import click

from cambist.cli.doors import Doors
from cambist.client.channels import Tls

# Command to module and function: a command loads what it needs, and `cambist --help` nothing.
COMMANDS: Final = {
    "addresses": ("cambist.cli.addresses", "addresses"),
    "apply": ("cambist.cli.apply", "apply"),
    "balances": ("cambist.cli.balances", "balances"),
    "bench": ("cambist.cli.bench", "bench"),
    "book": ("cambist.cli.book", "book"),
    "cancel": ("cambist.cli.cancel", "cancel"),
    "cancel-after": ("cambist.cli.cancel_after", "cancel_after"),
    "cancel-firm": ("cambist.cli.cancel_firm", "cancel_firm"),
    "deposit": ("cambist.cli.deposit", "deposit"),
    "drop-copy": ("cambist.cli.drop_copy", "drop_copy"),
    "keys": ("cambist.cli.keys", "keys"),
    "kill-switch": ("cambist.cli.kill_switch", "kill_switch"),
    "ledger": ("cambist.cli.ledger", "ledger"),
    "order": ("cambist.cli.order", "order"),
    "pay-in": ("cambist.cli.pay_in", "pay_in"),
    "prevented-matches": ("cambist.cli.prevented_matches", "prevented_matches"),
    "proof": ("cambist.cli.proof", "proof"),
    "reference-price": ("cambist.cli.reference_price", "reference_price"),
    "replace": ("cambist.cli.replace", "replace"),
    "replay": ("cambist.cli.replay", "replay"),
    "reserves": ("cambist.cli.reserves", "reserves"),
    "status": ("cambist.cli.status", "status"),
    "switch-rules": ("cambist.cli.switch_rules", "switch_rules"),
    "top": ("cambist.cli.top", "top"),
    "trading-limits": ("cambist.cli.trading_limits", "trading_limits"),
    "withdraw": ("cambist.cli.withdraw", "withdraw"),
}
EXISTING: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


class LazyGroup(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All names."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """One command."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--endpoint",
    "endpoints",
    multiple=True,
    metavar="HOST:PORT",
    envvar="CAMBIST_ENDPOINT",
    default=("localhost:8443",),
    show_default=True,
    help="A gateway; several of one venue may be given.",
)
@click.option(
    "--key", "key_file", type=EXISTING, envvar="CAMBIST_KEY", help="Key file (`cambist keys new`)."
)
@click.option(
    "--admin",
    "admin_endpoints",
    multiple=True,
    metavar="HOST:PORT",
    envvar="CAMBIST_ADMIN",
    default=("localhost:7002",),
    show_default=True,
    help="Admin port of matching, for operators.",
)
@click.option("--shard", type=click.IntRange(1, 65_535), default=1, show_default=True)
@click.option(
    "--plaintext/--tls",
    "is_plain",
    default=None,
    help="Default: TLS, but plain text on the loopback when no PEM file is named.",
)
@click.option("--ca", type=EXISTING, envvar="CAMBIST_CA", help="Whom to trust (PEM).")
@click.option("--cert", type=EXISTING, envvar="CAMBIST_CERT", help="Our certificate (PEM).")
@click.option("--cert-key", type=EXISTING, envvar="CAMBIST_CERT_KEY", help="Its private key.")
@click.option("--server-name", default="", help="Name to check in the venue's certificate.")
@click.version_option(package_name="cambist")
@click.pass_context
def main(  # noqa: PLR0913 - options of the command line
    ctx: click.Context,
    *,
    endpoints: tuple[str, ...],
    key_file: Path | None,
    admin_endpoints: tuple[str, ...],
    shard: int,
    is_plain: bool | None,
    ca: Path | None,
    cert: Path | None,
    cert_key: Path | None,
    server_name: str,
) -> None:
    """Talk to a Cambist venue: firms with --endpoint and --key, operators with --admin."""
    tls = Tls(ca or "", cert or "", cert_key or "", server_name)
    ctx.obj = Doors(endpoints, admin_endpoints, key_file, shard, is_plain, tls)
