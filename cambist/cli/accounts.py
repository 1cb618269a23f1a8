"""Which account a command means."""

import click

from cambist.client.client import Client
from cambist.client.errors import InvalidInput

account_option = click.option(
    "--account", "account_id", type=click.IntRange(1), help="Default: the key's only one."
)
accounts_option = click.option(
    "--account",
    "account_ids",
    type=click.IntRange(1),
    multiple=True,
    help="Default: all of the key.",
)


def one_account(client: Client, account_id: int | None) -> int:
    """The account. Raises InvalidInput when the key has several and none is named."""
    if account_id:
        return account_id
    known = client.account_ids
    if len(known) != 1:
        listed = ", ".join(str(account) for account in known[:10])
        text = f"the key has {len(known)} accounts ({listed}): give --account"
        raise InvalidInput("ACCOUNT_NOT_NAMED", text)
    return known[0]


def id_of(text: str) -> bytes:
    """A 16-byte id from hex. Raises InvalidInput."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 16:
        raise InvalidInput("BAD_LENGTH", f"{text!r} is not an id of 32 hex digits")
    return raw
