"""One process of a worker, and of the people who decide: it passes the gate, or is killed in it.

Run by `test_crashes.py` as `python -m tests.wallets.screening.one_life`. It says which points it
passes, and dies of SIGKILL at the one that it is given: nothing of it is cleaned up.
"""

import argparse
import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import SecretStr

from runtime import postgres
from runtime.clock import SystemClock
from runtime.postgres import Database
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.core.conftest import request
from tests.wallets.core.memory_chain import MemoryApprover, MemoryChain, MemorySigner
from tests.wallets.crash_points import Countdown, Sites
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.errors import Fenced, Rejected
from wallets.screening import held, withdrawals
from wallets.screening.verdicts import Answer, Question, Verdict
from wallets.screening.withdrawals import Screened

SITES: Final = Sites(withdrawals, held)
PEOPLE: Final = ("anna", "boris")
ID: Final = request().withdrawal_id
Decide = Callable[[Database], Awaitable[None]]


class Killed(Countdown):
    """Says each point on its way, and dies as a process does."""

    def pass_point(self, when: str, name: str) -> None:
        passed = f"{when} {name}"
        print(passed, flush=True)
        if self.point == passed:
            self.times -= 1
            if self.times == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Screen:
    """Says one thing of all."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.asked_count = 0

    async def judge(self, question: Question) -> Answer:
        assert question.subject_id == ID
        self.asked_count += 1
        return Answer(self.verdict, "SANCTIONED", "case 7")


async def decide(database: Database, decision: str) -> None:
    """What a person does; who heard no answer asks again, and hears that it was decided."""
    await held.read_held(database, NETWORK_ID)
    decides = held.release if decision == "release" else held.refuse
    try:
        await decides(database, NETWORK_ID, ID, PEOPLE)
    except Rejected as error:
        if error.reason != "WITHDRAWAL_STATE":
            raise


async def live(database: Database, verdict: Verdict, decision: str, countdown: Countdown) -> None:
    """One step of a worker, and the decision where there is one; then again the worker."""
    mortal = countdown.before(database)
    screened = Screened(
        mortal, countdown.before(MemoryApprover()), countdown.before(Screen(verdict)), SystemClock()
    )
    # Nothing is built here: the step after an approval is the next process's.
    worker = Pipeline(Store(database, NETWORK_ID, "first"), MemoryChain(), screened, MemorySigner())
    with contextlib.suppress(Fenced):
        await worker.step()
    if decision:
        await decide(mortal, decision)
    if decision == "release":
        await worker.step()


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--verdict", type=Verdict, required=True)
    parser.add_argument("--decision", default="")
    parser.add_argument("--point", default="")
    parser.add_argument("--times", type=int, default=0)
    given = parser.parse_args()
    settings = PostgresSettings(dsn=SecretStr(given.dsn))
    database = await postgres.connect(settings, application_name="first")
    await live(database, given.verdict, given.decision, Killed(SITES, given.point, given.times))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
