"""The operator: `python -m control`."""

import sys

import click

from control import server
from control.settings import ControlSettings
from runtime import process
from runtime.errors import ConfigurationError


@click.command()
def main() -> None:
    """Reconcile WalletChains and Markets of one namespace until SIGTERM."""
    try:
        settings = ControlSettings.load()
    except ConfigurationError as error:
        click.echo(f"configuration: {error}", err=True)
        sys.exit(process.ExitStatus.CONFIGURATION)
    sys.exit(
        process.run(lambda stop: server.serve(settings, stop), service="control", settings=settings)
    )


if __name__ == "__main__":
    main()
