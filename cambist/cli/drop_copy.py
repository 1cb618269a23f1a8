"""`cambist drop-copy`: every private event of accounts, as it becomes durable."""

from collections.abc import Sequence

import click

from cambist.cli import failures
from cambist.cli.accounts import accounts_option
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, event_fields, print_json
from cambist.client.events import Event

SKIPPED = ("event", "account_id", "received_ns", "sequenced_ns", "seq", "account_seq")


@click.command("drop-copy")
@accounts_option
@click.option(
    "--after",
    "resume_after_seq",
    type=click.IntRange(0),
    default=0,
    help="Resume after this journal sequence; default: a snapshot of open orders, then all.",
)
@click.option("--count", type=click.IntRange(1), help="End after so many events.")
@as_json
@pass_doors
def drop_copy(
    doors: Doors,
    *,
    account_ids: tuple[int, ...],
    resume_after_seq: int,
    count: int | None,
    as_json: bool,
) -> None:
    """Stream private events; each line of JSON has the `seq` to resume after."""
    failures.run(stream(doors, account_ids, resume_after_seq, count, as_json=as_json))


async def stream(
    doors: Doors,
    account_ids: Sequence[int],
    resume_after_seq: int,
    count: int | None,
    *,
    as_json: bool,
) -> None:
    """Prints until interrupted, or `count` is reached. Raises the SDK's errors."""
    told = 0
    async with doors.client() as client:
        copy = client.drop_copy(account_ids, resume_after_seq=resume_after_seq, shard=doors.shard)
        rows = copy.rows()
        try:
            async for row in rows:
                for event in row.events:
                    if as_json:
                        plain = event_fields(event)
                        head = {"durable_ns": row.durable_ns, "is_snapshot": row.is_snapshot}
                        print_json({**head, **plain})
                    else:
                        click.echo(line_of(event, is_snapshot=row.is_snapshot))
                    told += 1
                    if told == count:
                        return
        finally:
            await rows.aclose()
            await copy.close()


def line_of(event: Event, *, is_snapshot: bool) -> str:
    """An event in a line: where it stands, what it is, what it says."""
    mark = "=" if is_snapshot else " "
    said = " ".join(
        f"{name}={value}"
        for name, value in event_fields(event).items()
        if name not in SKIPPED and value not in (0, "", False)
    )
    kind = type(event).__name__
    return f"{event.seq:>12}{mark} {event.account_id} {kind:<14} {said}"
