"""`cambist keys`: key pairs of the challenge logon. The private half stays in its file."""

from pathlib import Path

import click

from cambist.cli import failures
from cambist.cli.output import as_json, print_json
from cambist.client.errors import CambistError, InvalidInput
from cambist.client.keys import ApiKey


@click.group()
def keys() -> None:
    """API keys of a firm."""


@keys.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--key-id", required=True, help="Name under which the operator registers it.")
@as_json
def new(file: Path, key_id: str, *, as_json: bool) -> None:
    """Make a pair, write it to FILE, print the public half."""
    try:
        key = ApiKey.generate(key_id)
        try:
            key.save(file)
        except OSError as error:
            raise InvalidInput("INVALID_KEY", f"{file}: {error.strerror}") from error
    except CambistError as error:
        failures.fail(error)
    tell(key, as_json=as_json)
    if not as_json:
        click.echo("Only the public half leaves this machine: the operator registers it with")
        command = f"--firm FIRM --key-id {key.key_id} --public-key {key.public_hex}"
        click.echo(f"  python -m gateway keys create {command}")


@keys.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def show(file: Path, *, as_json: bool) -> None:
    """Print id and public half of a key file."""
    try:
        key = ApiKey.load(file)
    except CambistError as error:
        failures.fail(error)
    tell(key, as_json=as_json)


def tell(key: ApiKey, *, as_json: bool) -> None:
    """The public half."""
    if as_json:
        print_json({"key_id": key.key_id, "public_key": key.public_hex})
    else:
        click.echo(f"key id      {key.key_id}\npublic key  {key.public_hex}")
