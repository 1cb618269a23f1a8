"""Processes that we start, watch and end: by the process id recorded here, never by name.

Every child is a session of its own, so that Ctrl-C reaches us alone and we end them in order. On
Linux the kernel ends them when we die without doing so.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from venue import child

STOP_SECONDS: Final = 15.0
LOG_TAIL_BYTES: Final = 3_000


class ProcessFailed(Exception):
    """A process ended, or did not come up; the text has the end of its log."""


@dataclass(slots=True)
class Process:
    """One child."""

    name: str
    popen: subprocess.Popen[bytes]
    log_path: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.popen.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.popen.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Sends a signal; nothing happens when it has ended."""
        if self.is_running:
            self.popen.send_signal(number)

    def wait(self, timeout_seconds: float | None = None) -> int:
        """Waits for the end; the exit status. Raises subprocess.TimeoutExpired."""
        status = self.popen.wait(timeout_seconds)
        if self.popen.stdin is not None:
            # What it did not read any more is of no use to anyone.
            with contextlib.suppress(BrokenPipeError):
                self.popen.stdin.close()
        return status

    def log_tail(self) -> str:
        """The end of what it printed."""
        with contextlib.suppress(FileNotFoundError):
            return self.log_path.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        return ""

    def fail(self, what: str) -> ProcessFailed:
        """An error about this process."""
        return ProcessFailed(f"{self.name} (pid {self.pid}) {what}:\n{self.log_tail()}")


@dataclass(slots=True)
class Processes:
    """All children, in the order they were started; `stop_all` ends them in reverse."""

    directory: Path
    running: dict[str, Process] = field(default_factory=dict)

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        takes_input: bool = False,
        program: str = sys.executable,
    ) -> Process:
        """Starts `PROGRAM ARGUMENTS` (Python); what it prints goes to NAME.log (appended)."""
        self.directory.mkdir(parents=True, exist_ok=True)
        log_path = self.directory / f"{name}.log"
        with log_path.open("ab") as log:
            popen = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    child.__file__,
                    str(os.getpid()),
                    program,
                    *arguments,
                ],
                stdin=subprocess.PIPE if takes_input else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        process = Process(name, popen, log_path)
        self.running[name] = process
        (self.directory / f"{name}.pid").write_text(f"{process.pid}\n")
        return process

    def kill(self, name: str) -> int:
        """SIGKILL and wait for the end; its pid."""
        process = self.running.pop(name)
        process.send(signal.SIGKILL)
        process.wait()
        return process.pid

    async def stop(self, name: str) -> int | None:
        """SIGTERM, and SIGKILL when that takes too long; the exit status."""
        process = self.running.pop(name, None)
        if process is None:
            return None
        # A frozen process cannot obey; tests freeze them.
        process.send(signal.SIGCONT)
        process.send(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return await asyncio.to_thread(process.wait, STOP_SECONDS)
        process.send(signal.SIGKILL)
        return await asyncio.to_thread(process.wait)

    async def stop_all(self) -> None:
        """Ends all children, the last one first."""
        for name in reversed(list(self.running)):
            await self.stop(name)

    def check(self) -> None:
        """Raises ProcessFailed when a child has ended by itself."""
        for process in self.running.values():
            if not process.is_running:
                raise process.fail(f"ended with status {process.popen.returncode}")
