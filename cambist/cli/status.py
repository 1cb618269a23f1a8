"""`cambist status`: role, epoch, sequences and inbox of the processes of a shard."""

import sys
from typing import Any

import click

from cambist.admin.v1 import admin_pb2
from cambist.cli import failures
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, print_json, table
from cambist.client.errors import CambistError, Unavailable, Unknown

NS_PER_MS = 1e6
COLUMNS = (
    "process",
    "role",
    "engine",
    "epoch",
    "released",
    "snapshot",
    "inbox",
    "clock ms",
)


@click.command()
@as_json
@pass_doors
def status(doors: Doors, *, as_json: bool) -> None:
    """Show each --admin process; exit status 1 unless one of them is primary."""
    answers = failures.run(ask_all(doors))
    if as_json:
        for endpoint, answer in answers.items():
            print_json({"process": endpoint, **plain_status(answer)})
    else:
        rows = [row_of(endpoint, answer) for endpoint, answer in answers.items()]
        console().print(table(COLUMNS, rows, left=3))
    if not any(is_primary(answer) for answer in answers.values()):
        click.secho("error: NO_PRIMARY: none of them holds the shard", fg="red", err=True)
        sys.exit(failures.FAILED)


async def ask_all(doors: Doors) -> dict[str, admin_pb2.GetStatusResponse | CambistError]:
    """The answer of each process, or why there is none. Raises Rejected."""
    answers: dict[str, admin_pb2.GetStatusResponse | CambistError] = {}
    for endpoint in doors.admin_endpoints:
        async with doors.admin(endpoint) as admin:
            try:
                answers[endpoint] = await admin.status()
            except (Unavailable, Unknown) as error:
                answers[endpoint] = error
    return answers


def is_primary(answer: admin_pb2.GetStatusResponse | CambistError) -> bool:
    """Whether a process holds the shard."""
    return (
        isinstance(answer, admin_pb2.GetStatusResponse)
        and answer.role == admin_pb2.SHARD_ROLE_PRIMARY
    )


def role_name(answer: admin_pb2.GetStatusResponse) -> str:
    """PRIMARY, STANDBY and so on; a number that a newer venue knows."""
    if answer.role in admin_pb2.ShardRole.values():
        return admin_pb2.ShardRole.Name(answer.role).removeprefix("SHARD_ROLE_")
    return str(answer.role)


def row_of(endpoint: str, answer: admin_pb2.GetStatusResponse | CambistError) -> list[Any]:
    """A row of the table."""
    if isinstance(answer, CambistError):
        return [endpoint, "UNREACHABLE", *("" for _ in COLUMNS[2:])]
    return [
        endpoint,
        role_name(answer),
        answer.engine,
        answer.epoch,
        answer.released_seq,
        answer.snapshot_seq,
        answer.inbox_commands,
        f"{answer.clock_offset_ns / NS_PER_MS:+.1f}",
    ]


def plain_status(answer: admin_pb2.GetStatusResponse | CambistError) -> dict[str, Any]:
    """The same for machines."""
    if isinstance(answer, CambistError):
        return {"role": "UNREACHABLE", "error": str(answer)}
    return {
        "role": role_name(answer),
        "shard": answer.shard,
        "engine": answer.engine,
        "epoch": answer.epoch,
        "applied_seq": answer.applied_seq,
        "released_seq": answer.released_seq,
        "snapshot_seq": answer.snapshot_seq,
        "inbox_commands": answer.inbox_commands,
        "open_cursors": answer.open_cursors,
        "clock_offset_ns": answer.clock_offset_ns,
        "state_hash": answer.state_hash.hex(),
        "primary_endpoint": answer.primary_endpoint,
    }
