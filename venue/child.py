"""Becomes another program that the kernel ends when the one who started it is gone.

`venue.processes` runs this file as a script: `python -I -S child.py PARENT_PID PROGRAM ARGUMENTS`.
The death signal is set here, after the exec, because code between fork and exec is not safe in a
parent with threads: with gRPC's threads alive such children crashed. It must import nothing of ours
and keep the process id.
"""

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1


def become(parent_pid: int, program: str, arguments: list[str]) -> None:
    """Runs PROGRAM in this process; ends when the parent was gone before the signal was set."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent_pid:
            sys.exit("the one who started this process is gone")
    os.execv(program, [program, *arguments])  # noqa: S606 - the program is our own Python


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
