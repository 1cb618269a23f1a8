"""`python -m venue.checker`: checks a journal and the clients' logs; exit status 1 on a finding.

The DSN is read from CAMBIST_CHECKER_DSN. With `--plant` the evidence is changed first; a plant
that found no place is a failure of its own (status 3).
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from venue.checker.check import Check, Report
from venue.checker.journal import last_seq, read_rows
from venue.plants import Plant, RowPlant, plant_log

NOT_PLANTED = 3


async def check(dsn: str, shard: int, log_paths: list[Path], plant: Plant | None) -> Report | None:
    """The report; None when the plant found no place."""
    is_planted = plant is None or plant_log(plant, log_paths)
    middle = (await last_seq(dsn, shard)) // 2
    row_plant = RowPlant(plant, middle) if plant is not None and not is_planted else None
    with tempfile.TemporaryDirectory(prefix="cambist-checker-") as directory:
        checking = Check(log_paths, Path(directory))
        async for row in read_rows(dsn, shard):
            shown = row if row_plant is None else row_plant.take(row)
            if shown is not None:
                checking.take(shown)
        report = checking.finish()
    return report if is_planted or (row_plant is not None and row_plant.is_done) else None


def to_plain(report: Report, seconds: float) -> dict[str, object]:
    """For JSON."""
    return {
        "ok": report.findings.ok,
        "rows": report.row_count,
        "commands": report.command_count,
        "orders": report.order_count,
        "trades": report.trade_count,
        "acknowledged": report.acknowledged_count,
        "client_events": report.client_event_count,
        "acknowledged_lost": report.acknowledged_lost,
        "duplicated": report.duplicated,
        "conserves": report.conserves,
        "last_seq": report.last_seq,
        "findings": report.findings.lines(),
        "seconds": round(seconds, 1),
    }


def main() -> int:
    """Checks and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shard", type=int, default=1)
    parser.add_argument("--logs", type=Path, help="folder with *.log of clients")
    parser.add_argument("--plant", type=Plant, choices=list(Plant))
    parser.add_argument("--out", type=Path, help="writes the report here as JSON")
    given = parser.parse_args()
    started = time.monotonic()
    paths = sorted(given.logs.glob("*.log")) if given.logs else []
    report = uvloop.run(check(os.environ["CAMBIST_CHECKER_DSN"], given.shard, paths, given.plant))
    if report is None:
        print(f"plant {given.plant} found no place", file=sys.stderr)
        return NOT_PLANTED
    plain = to_plain(report, time.monotonic() - started)
    if given.out:
        given.out.write_text(json.dumps(plain, indent=1))
    for line in report.findings.lines():
        print(line)
    print(json.dumps({name: value for name, value in plain.items() if name != "findings"}))
    return 0 if report.findings.ok else 1


if __name__ == "__main__":
    sys.exit(main())
