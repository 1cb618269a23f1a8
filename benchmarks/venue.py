"""`python -m benchmarks.venue`: durable commands per second and latency, beside the ceiling.

Venue and ceiling run in turns on one database in the same run; every case is repeated and told as
the median with its spread. Writes build/bench/venue.json; with `--docs` also
docs/benchmarks/venue.md.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from benchmarks import recovery, results, snapshot_load
from benchmarks.results import Case
from benchmarks.venue_bench import ACCOUNTS_PER_SESSION, Bench
from benchmarks.venue_load import VenueLoad
from benchmarks.venue_sizes import Options, read_options
from cambist.client.client import Client
from cambist.client.keys import ApiKey
from venue import engines
from venue.flow.definitions import firms
from venue.setup import create_keys, create_venue
from venue.stack import Stack, StackPlan

WARM_COMMANDS: Final = 20_000
WARM_BATCH: Final = 100
TEXT: Final = """
Durable commands per second over the SDK, answers decoded by the client, everything (client,
gateway, matching, Postgres) on one machine. The mix is 50 % new orders (15 % of them IOC that
trade), 40 % cancels, 10 % amendments.

- `orders/BATCHxSESSIONS`: commands per message and sessions. `ceiling` is the frozen program of
  `benchmarks/ceiling` in turns with the venue: two bare gRPC hops and the same statement for the
  same request, answer and row bytes. Snapshotter and projector, which nothing waits for, do not
  run.
- `helpers/…`: the same while snapshotter and projector run on the same cores.
- `latency/…`: one order at a time on one session; its ceiling is the same path without a kernel.
- `stage/…`: each stage's share of the time from the gateway's receipt to delivery, and
  `processor/…` the processor time of each process, both at the largest load.
- `recovery/…`: from a SIGKILL of matching, with a new start at once, to the next acknowledged
  order, with a snapshot and so many commands in the journal.
- `replay/…`: the whole journal carried out again from its first row, every row compared.
- `snapshot/…`: single orders while snapshots of so many resting orders are taken; the ceiling is
  the same without.
"""


async def measure(options: Options, console: Console, directory: Path) -> list[Case]:
    """Everything that was asked for, on a venue of its own."""
    sizes, kinds = options.sizes, options.kinds
    cases: list[Case] = []
    (firm,) = firms(1, ACCOUNTS_PER_SESSION * max(sizes.sessions))
    engine = engines.sizes().engine
    plan = StackPlan(directory / "venue", gateway_count=1, engine=engine, helpers=False)
    async with Stack(plan) as stack:
        await create_venue(stack, [firm])
        keys = await create_keys(stack, [firm], directory / "keys")
        key = ApiKey.load(keys[firm.firm_id])
        async with Client.connect(stack.endpoints, key) as client:
            bench = Bench(stack, client, firm, sizes, console)
            commands = min(WARM_COMMANDS, sizes.commands_max)
            await bench.venue(VenueLoad(WARM_BATCH, 1, commands, commands // 4))
            if "latency" in kinds:
                cases += await bench.latency()
            if "orders" in kinds:
                cases += await bench.throughput()
    if "recovery" in kinds:
        cases += await recovery.measure(sizes, console, directory / "recovery")
    if "snapshot" in kinds:
        cases += await snapshot_load.measure(sizes, console, directory / "snapshots")
    return cases


def main() -> int:
    """Measures, prints, writes."""
    options = read_options(sys.argv[1:], has_kernel=engines.has_kernel())
    console = Console(width=120)
    if not engines.has_kernel():
        console.print(engines.reference_notice(), style="bold yellow", soft_wrap=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cambist-bench-") as directory:
        cases = uvloop.run(measure(options, console, Path(directory)))
    results.show(console, f"venue, {results.machine()}", cases)
    path = results.save("venue", cases)
    console.print(f"written to {path}; took {time.monotonic() - started:.0f} s", highlight=False)
    if options.writes_page:
        results.write_page("venue", "The venue beside its ceiling", TEXT, cases)
    return 0


if __name__ == "__main__":
    sys.exit(main())
