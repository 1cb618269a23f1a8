"""What commands print: tables for people, one JSON value per line for machines."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from cambist.client.events import Event

# Width of tables in a pipe: nothing is folded there.
PIPE_COLUMNS: Final = 200

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON value per line.")


def console() -> Console:
    """For people; made anew because tests and pipes exchange standard output."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=PIPE_COLUMNS)


def print_json(value: Any) -> None:
    """A line of JSON."""
    click.echo(json.dumps(value, default=plain))


def plain(value: Any) -> Any:
    """What JSON does not know: exact numbers as text, ids as hex, enums by name."""
    match value:
        case Enum():
            return value.name
        case Decimal():
            return f"{value:f}"
        case bytes():
            return value.hex()
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON")


def event_fields(event: Event) -> dict[str, Any]:
    """An event as plain data, its kind first."""
    found: dict[str, Any] = {"event": type(event).__name__}
    for field in fields(event):
        value = getattr(event, field.name)
        found[field.name] = plain(value) if isinstance(value, Enum | bytes) else value
    return found


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, left: int = 1) -> Table:
    """A table; the first `left` columns are text, the others numbers."""
    made = Table(box=None, padding=(0, 2, 0, 0))
    for index, name in enumerate(columns):
        made.add_column(name, justify="left" if index < left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(shown(cell) for cell in row))
    return made


def shown(value: Any) -> str:
    """A cell."""
    match value:
        case Enum():
            return value.name
        case Decimal():
            return f"{value:f}"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case bytes():
            return value.hex()
        case _:
            return str(value)
