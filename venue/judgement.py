"""After the flow: checker and reference replay as processes of their own, and the report."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from venue.engines import Sizes
from venue.plants import Plant
from venue.stack import Stack

JUDGE_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What checker and replay said; empty when one of them broke."""

    check: dict[str, Any]
    replay: dict[str, Any]
    trouble: str

    @property
    def ok(self) -> bool:
        """Whether every promise was kept and everything was judged."""
        return bool(not self.trouble and self.check.get("ok") and self.replay.get("ok"))

    def last_line(self) -> str:
        """The last line of a demo."""
        check = self.check
        conservation = {True: "ok", False: "broken"}.get(check.get("conserves", ""), "unknown")
        return (
            f"demo {'ok' if self.ok else 'failed'} orders={check.get('orders', 'unknown')} "
            f"trades={check.get('trades', 'unknown')} "
            f"acknowledged_lost={check.get('acknowledged_lost', 'unknown')} "
            f"duplicated={check.get('duplicated', 'unknown')} conservation={conservation}"
        )


async def judge(stack: Stack, logs: Path, plant: Plant | None, sizes: Sizes) -> Judgement:
    """Runs both at once on the evidence of this demo."""
    directory = stack.plan.directory
    outs = {"checker": directory / "check.json", "replay": directory / "replay.json"}
    checker = ["-m", "venue.checker", "--logs", str(logs), "--out", str(outs["checker"])]
    if plant is not None:
        checker += ["--plant", plant.value]
    replay = ["-m", "venue.replay", "--commands", str(sizes.replay_commands)]
    replay += ["--seconds", str(sizes.replay_seconds), "--out", str(outs["replay"])]
    trouble, found = [], {}
    for out in outs.values():
        out.unlink(missing_ok=True)
    environment = {"CAMBIST_CHECKER_DSN": stack.dsn}
    processes = [
        stack.processes.start("checker", checker, environment=environment),
        stack.processes.start("replay", replay, environment=environment),
    ]
    for process in processes:
        try:
            await asyncio.to_thread(process.popen.wait, JUDGE_SECONDS)
        except subprocess.TimeoutExpired:
            trouble.append(f"{process.name} did not end in {JUDGE_SECONDS:.0f} s")
            stack.processes.kill(process.name)
            continue
        del stack.processes.running[process.name]
        if outs[process.name].exists():
            found[process.name] = json.loads(outs[process.name].read_text())
        else:
            trouble.append(f"{process.name} broke: {process.log_tail()}")
    return Judgement(found.get("checker", {}), found.get("replay", {}), "\n".join(trouble))


def print_judgement(console: Console, judgement: Judgement) -> None:
    """Table of what was seen, and every finding."""
    table = Table(title="check", box=None, padding=(0, 2), title_justify="left")
    table.add_column("what")
    table.add_column("count", justify="right")
    rows = {
        "journal rows": "rows",
        "commands in the journal": "commands",
        "orders accepted": "orders",
        "trades": "trades",
        "ids acknowledged to clients": "acknowledged",
        "events in clients' logs": "client_events",
    }
    for label, name in rows.items():
        table.add_row(label, f"{judgement.check.get(name, 0):,}")
    table.add_row("commands carried out again", f"{judgement.replay.get('commands', 0):,}")
    console.print(table)
    for line in judgement.check.get("findings", []):
        console.print(f"  FOUND {line}", style="red", highlight=False, markup=False, soft_wrap=True)
    if judgement.replay.get("difference"):
        console.print(f"  REPLAY DIFFERS {judgement.replay['difference']}", style="red")
    if judgement.trouble:
        console.print(judgement.trouble, style="red", markup=False, soft_wrap=True)
    sys.stdout.flush()
