"""Archives every private event of a firm, each once, and goes on where it ended.

    python examples/drop_copy_archiver.py localhost:8443 reader.json archive.jsonl

Every line is an event with the journal sequence it belongs to; a new archive begins with the orders
that were open then, marked `snapshot` (they share the account's last sequence number). A row is
written and flushed as a whole before the next one; after a crash the file is cut back to its last
whole row, and the stream resumes after it: no event is missing, none stands twice.
"""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cambist.client import Client, DropCopyRow


def plain(value: Any) -> Any:
    """What JSON does not know: ids."""
    return value.hex() if isinstance(value, bytes) else value


def lines_of(row: DropCopyRow) -> list[str]:
    """The events of a row, then a line that ends it."""
    mark = {"snapshot": True} if row.is_snapshot else {}
    events = [
        json.dumps({"kind": type(event).__name__, **mark, **asdict(event)}, default=plain)
        for event in row.events
    ]
    return [*events, json.dumps({"row_end": row.last_seq})]


def resume_point(path: Path) -> int:
    """The last whole row of the archive; what follows it is cut off. 0 = a new archive."""
    if not path.exists():
        return 0
    last_seq = end = whole = 0
    with path.open("rb+") as file:
        for line in file:
            end += len(line)
            if line.endswith(b"\n") and line.startswith(b'{"row_end"'):
                last_seq, whole = json.loads(line)["row_end"], end
        file.truncate(whole)
    return last_seq


async def archive(endpoint: str, key_file: str, path: Path) -> None:
    """Archives until interrupted."""
    after = resume_point(path)
    async with Client.connect(endpoint, key_file=key_file) as client:
        copy = client.drop_copy(resume_after_seq=after)
        try:
            with path.open("a", encoding="utf-8") as file:
                async for row in copy.rows():
                    # Pages of the first snapshot have no resume point: only the last ends a row.
                    lines = lines_of(row)
                    file.write("\n".join(lines[:-1] if row.more_pages else lines) + "\n")
                    file.flush()
                    print(f"seq {row.last_seq}: {len(row.events)} events")
        finally:
            await copy.close()


if __name__ == "__main__":
    try:
        asyncio.run(archive(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
    except KeyboardInterrupt:
        sys.exit(130)
