"""The client processes of a demo: starts them, follows what they tell, stops them."""

import asyncio
import contextlib
import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from venue.engines import Sizes
from venue.flow.definitions import FirmPlan
from venue.latency import Histogram
from venue.processes import Process
from venue.stack import Stack
from venue.trader.config import FirmConfig, TraderConfig
from venue.trader.firm_trader import STAGES

POLL_SECONDS: Final = 0.1
STOP_SECONDS: Final = 90.0


@dataclass(slots=True)
class Follower:
    """Reads the status lines of one process as it writes them."""

    process: Process
    position: int = 0
    status: dict[str, Any] = field(default_factory=dict)

    def poll(self, latencies: dict[str, Histogram]) -> None:
        """Takes new lines; adds their latencies."""
        with self.process.log_path.open("rb") as file:
            file.seek(self.position)
            text = file.read()
        whole = text.rfind(b"\n") + 1
        self.position += whole
        for line in text[:whole].splitlines():
            if not line.startswith(b'{"sent"'):
                continue
            self.status = json.loads(line)
            for stage, plain in self.status.pop("latencies").items():
                latencies[stage].merge(Histogram.from_plain(plain))


@dataclass(frozen=True, slots=True)
class Moment:
    """All clients together at one moment."""

    monotonic: float
    sent: int
    answered: int
    unanswered: int
    fills: int
    refused: int
    open_orders: int
    faults: int


class Traders:
    """All client processes of a venue."""

    def __init__(self, stack: Stack, log_directory: Path) -> None:
        self._stack = stack
        self.log_directory = log_directory
        self._followers: list[Follower] = []
        self.total = {stage: Histogram() for stage in STAGES}
        # Of the last second or so, for the live view.
        self.recent = {stage: Histogram() for stage in STAGES}

    def start(
        self,
        firms: Sequence[FirmPlan],
        keys: Mapping[int, Path],
        sizes: Sizes,
        *,
        seed: int,
        processes: int = 2,
        commands_per_second: int = 0,
    ) -> None:
        """Starts the processes; firms are dealt out among them."""
        self.log_directory.mkdir(parents=True, exist_ok=True)
        for index in range(min(processes, len(firms))):
            config = TraderConfig(
                name=f"trader-{index + 1}",
                # Each begins with another gateway.
                endpoints=self._stack.endpoints[index:] + self._stack.endpoints[:index],
                authority_file="",
                firms=tuple(
                    FirmConfig(firm.firm_id, firm.name, firm.account_ids, str(keys[firm.firm_id]))
                    for firm in firms[index::processes]
                ),
                seed=seed,
                run=int(time.time()),
                log_directory=str(self.log_directory),
                window_commands=sizes.window_commands,
                burst_commands=sizes.burst_commands,
                commands_per_second=commands_per_second,
            )
            path = self.log_directory / f"{config.name}.json"
            config.save(path)
            process = self._stack.processes.start(
                config.name, ["-m", "venue.trader", str(path)], takes_input=True
            )
            self._followers.append(Follower(process))

    def poll(self) -> Moment:
        """Reads what they told; raises ProcessFailed when one has ended by itself."""
        latencies = {stage: Histogram() for stage in STAGES}
        for follower in self._followers:
            follower.poll(latencies)
            status = follower.process.popen.poll()
            if status or (status == 0 and not follower.status.get("done")):
                raise follower.process.fail(f"ended with status {status}")
        for stage, histogram in latencies.items():
            self.total[stage].merge(histogram)
            if histogram.total:
                self.recent[stage] = histogram
        names = "sent", "answered", "unanswered", "fills", "refused", "open_orders", "faults"
        sums = [sum(follower.status.get(name, 0) for follower in self._followers) for name in names]
        return Moment(time.monotonic(), *sums)

    def sent(self) -> tuple[int, ...]:
        """Commands sent so far by each process, as it told last."""
        return tuple(follower.status.get("sent", 0) for follower in self._followers)

    def has_answered(self, sent: Sequence[int]) -> bool:
        """Whether each process has as many answers as it had sent then."""
        return all(
            follower.status.get("answered", 0) >= count
            for follower, count in zip(self._followers, sent, strict=True)
        )

    async def stop(self) -> Moment:
        """Tells them to stop and waits until all have heard their last answer.

        Raises ProcessFailed when one fails or takes too long.
        """
        deadline = time.monotonic() + STOP_SECONDS
        self._say(b"stop\n")
        while not all(follower.status.get("quiet") for follower in self._followers):
            self.poll()
            late = [one for one in self._followers if not one.status.get("quiet")]
            if late and time.monotonic() > deadline:
                raise late[0].process.fail(f"is not quiet after {STOP_SECONDS:.0f} s")
            await asyncio.sleep(POLL_SECONDS)
        # Now that none sends any more, each can hear everything that concerns it.
        self._say(b"end\n")
        for follower in self._followers:
            process = follower.process
            if process.popen.stdin is not None:
                process.popen.stdin.close()
            try:
                status = await asyncio.to_thread(
                    process.popen.wait, max(0.1, deadline - time.monotonic())
                )
            except subprocess.TimeoutExpired:
                raise process.fail(f"did not end in {STOP_SECONDS:.0f} s") from None
            if status:
                raise process.fail(f"ended with status {status}")
            self._stack.processes.running.pop(process.name, None)
        return self.poll()

    def _say(self, word: bytes) -> None:
        """To all; one that has ended is found by the next look."""
        for follower in self._followers:
            stdin = follower.process.popen.stdin
            assert stdin is not None, "traders are started with a pipe"
            with contextlib.suppress(BrokenPipeError):
                stdin.write(word)
                stdin.flush()

    def log_paths(self) -> list[Path]:
        """The clients' logs."""
        return sorted(self.log_directory.glob("*.log"))
