"""Throughput and latency of a running venue, in turns with the ceiling program.

Called by `benchmarks.venue`. The ceiling of a case moves as many bytes per command as the venue was
seen to move in that case: requests, answers and event rows.
"""

import os
import statistics
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console

from benchmarks import journal_figures, results
from benchmarks.ceiling import client as ceiling
from benchmarks.ceiling_servers import running_ceiling
from benchmarks.results import Case, case_of
from benchmarks.venue_load import VenueLoad, VenueOutcome
from benchmarks.venue_load import run as run_venue
from benchmarks.venue_sizes import Sizes
from cambist.client.client import Client
from venue.flow.definitions import FirmPlan
from venue.stack import Stack

ACCOUNTS_PER_SESSION: Final = 3
NS_PER_MS: Final = 1_000_000
MICROSECONDS: Final = 1_000_000
PERCENTILES: Final = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))
# Of the ceiling's measured seconds, spent before the clock runs.
CEILING_WARM_SHARE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a load: the venue's outcome, and the ceiling's beside it."""

    venue: VenueOutcome
    ceiling: ceiling.Outcome


@dataclass(slots=True)
class Bench:
    """A venue and the ceiling on one database."""

    stack: Stack
    client: Client
    firm: FirmPlan
    sizes: Sizes
    console: Console
    _runs: int = field(default=0, init=False)

    def accounts(self, sessions: int) -> list[tuple[int, ...]]:
        """Accounts of each session."""
        ids, count = self.firm.account_ids, ACCOUNTS_PER_SESSION
        return [ids[index * count : (index + 1) * count] for index in range(sessions)]

    async def venue(self, load: VenueLoad) -> VenueOutcome:
        """The venue alone. Raises LoadStopped."""
        self._runs += 1
        run_number = int.from_bytes(os.urandom(3), "big") << 8 | self._runs % 256
        accounts = self.accounts(load.sessions)
        return await run_venue(self.client, load, accounts, run_number, self.pids())

    async def rounds(self, load: VenueLoad) -> list[Round]:
        """Venue and ceiling in turns."""
        done: list[Round] = []
        async with AsyncExitStack() as stack:
            endpoint = ""
            for _ in range(self.sizes.rounds):
                head = await journal_figures.head(self.stack.dsn)
                outcome = await self.venue(load)
                if not endpoint:
                    servers = running_ceiling(
                        self.stack.dsn,
                        self.stack.plan.directory,
                        answer_bytes=outcome.answer_bytes_each,
                        row_bytes=await journal_figures.row_bytes(self.stack.dsn, head),
                    )
                    endpoint = await stack.enter_async_context(servers)
                done.append(Round(outcome, await self.ceiling(endpoint, load, outcome)))
        return done

    async def ceiling(
        self, endpoint: str, load: VenueLoad, outcome: VenueOutcome
    ) -> ceiling.Outcome:
        """One round of the ceiling."""
        seconds = self.sizes.ceiling_seconds
        bare = ceiling.Load(
            load.batch,
            load.sessions,
            outcome.request_bytes_each,
            load.window_commands,
            seconds * CEILING_WARM_SHARE,
            seconds,
        )
        return await ceiling.run(endpoint, bare)

    async def throughput(self) -> list[Case]:
        """All pairs of batch and sessions; then stages and processor time of the largest."""
        cases: list[Case] = []
        rounds: list[Round] = []
        for batch in self.sizes.batches:
            for sessions in self.sizes.sessions:
                window = self.sizes.window_of(batch, sessions)
                load = VenueLoad(batch, sessions, self.sizes.commands_of(batch), window)
                rounds = await self.rounds(load)
                values = [one.venue.per_second for one in rounds]
                bare = [one.ceiling.per_second for one in rounds]
                cases.append(case_of(f"orders/{batch}x{sessions}", "commands/s", values, bare))
                self.say(cases[-1], rounds[-1].venue)
        return cases + parts_of(rounds)

    async def latency(self) -> list[Case]:
        """One order at a time: percentiles, and those of the same path without a kernel."""
        rounds = await self.rounds(VenueLoad(1, 1, self.sizes.latency_commands, 1))
        cases = []
        for name, share in PERCENTILES:
            ours = [one.venue.latency.percentile(share) / NS_PER_MS for one in rounds]
            floor = [one.ceiling.latency.percentile(share) / NS_PER_MS for one in rounds]
            cases.append(case_of(f"latency/{name}", "ms", ours, floor))
            self.say(cases[-1])
        shares = [one.venue.stage_shares() for one in rounds]
        return cases + [
            case_of(f"latency/share/{stage}", "share", [share[stage] for share in shares])
            for stage in shares[0]
        ]

    def say(self, case: Case, outcome: VenueOutcome | None = None) -> None:
        """One line about a finished case."""
        line = "  ".join(results.cells(case))
        if outcome is not None and outcome.commands:
            line += f"  fills {outcome.fills / outcome.commands:.0%}"
            line += f"  refused {outcome.refused / outcome.commands:.1%}"
        self.console.print(line, highlight=False)

    def pids(self) -> dict[str, int]:
        """Processes whose processor time is told."""
        pids = {name: process.pid for name, process in self.stack.processes.running.items()}
        assert self.stack.postgres is not None, "the stack is started"
        return pids | {"client": os.getpid(), "postgres": self.stack.postgres.postmaster_pid}


def parts_of(rounds: list[Round]) -> list[Case]:
    """Where the time goes at one load: share per stage, processor time per command, the mix."""
    shares = [one.venue.stage_shares() for one in rounds]
    cases = [
        case_of(f"stage/{stage}", "share", [share[stage] for share in shares])
        for stage in shares[0]
    ]
    for name in sorted(rounds[0].venue.processor_seconds):
        used = [
            one.venue.processor_seconds[name] * MICROSECONDS / one.venue.commands_in_all
            for one in rounds
        ]
        cases.append(case_of(f"processor/{name}", "µs/command", used))
    fills = statistics.median(one.venue.fills / max(1, one.venue.commands) for one in rounds)
    return [*cases, case_of("mix/fills", "fills/command", [fills])]
