"""Runs a command's coroutine; whatever it raises on purpose becomes a line and an exit status.

0    done
1    the venue said no, or a comparison failed
2    the command line, a file or a key is wrong; nothing was sent
3    the venue cannot be reached
4    nobody knows whether it happened
130  interrupted
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, Final, NoReturn, TypeVar

import click

from cambist.client.errors import CambistError, InvalidInput, SessionEnded, Unavailable, Unknown

Result = TypeVar("Result")
FAILED: Final = 1
WRONG_USE: Final = 2
UNREACHABLE: Final = 3
OUTCOME_UNKNOWN: Final = 4
INTERRUPTED: Final = 130


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """The result; errors of the SDK end the process with a line on standard error."""
    try:
        return asyncio.run(work)
    except CambistError as error:
        fail(error)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        sys.exit(0)


def fail(error: CambistError) -> NoReturn:
    """Tells an error and ends the process."""
    click.secho(f"error: {describe(error)}", fg="red", err=True)
    sys.exit(status_of(error))


def describe(error: CambistError) -> str:
    """One line: the reason first, as the venue names it."""
    text = str(error)
    if isinstance(error, Unknown):
        return f"OUTCOME_UNKNOWN: {text}" + (f" (id {error.id.hex()})" if error.id else "")
    return text


def status_of(error: CambistError) -> int:
    """The exit status of an error."""
    match error:
        case InvalidInput():
            return WRONG_USE
        case Unavailable() | SessionEnded(reason="UNREACHABLE"):
            return UNREACHABLE
        case Unknown():
            return OUTCOME_UNKNOWN
        case _:
            return FAILED
