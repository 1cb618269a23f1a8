"""Blocks that another process reads: the same ones, and an end of it is no end of the scan."""

import asyncio
import sys
from collections.abc import AsyncIterator

import psutil
import pytest

from runtime.errors import Unavailable
from tests.wallets.ethereum.test_block_reading import BLOCK, RECEIPTS, REF
from wallets.ethereum.block_reading import Answers, read_answers
from wallets.ethereum.proofs import FalseBlock
from wallets.ethereum.reading_processes import ReadingProcesses

ANSWERS = Answers(REF, BLOCK, RECEIPTS)
# Says who reads, and waits to be killed.
STARTS = """
import asyncio, psutil
from tests.wallets.ethereum.test_reading_processes import ANSWERS, readers
from wallets.ethereum.reading_processes import ReadingProcesses

async def main():
    async with ReadingProcesses() as processes:
        await processes.read(ANSWERS, frozenset(), checks_roots=False)
        print(*(one.pid for one in readers(psutil.Process())), flush=True)
        await asyncio.sleep(600)

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.fixture
async def processes() -> AsyncIterator[ReadingProcesses]:
    async with ReadingProcesses() as found:
        yield found


def readers(process: psutil.Process) -> list[psutil.Process]:
    """Processes that were started to read blocks, and run."""
    return [one for one in process.children() if reads(one)]


def reads(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        # Of this test or of one before it: it ended, and may not have been waited for.
        return False


async def test_a_block_is_the_same_whoever_reads_it(processes: ReadingProcesses) -> None:
    block = await processes.read(ANSWERS, frozenset(), checks_roots=False)
    assert block == read_answers(ANSWERS, frozenset(), checks_roots=False)
    assert block.movements


async def test_what_is_wrong_with_a_block_is_told_as_by_this_process(
    processes: ReadingProcesses,
) -> None:
    with pytest.raises(FalseBlock, match="sha3Uncles"):
        await processes.read(ANSWERS, frozenset(), checks_roots=True)
    with pytest.raises(Unavailable, match="without a block"):
        await processes.read(Answers(REF, BLOCK, b"{}"), frozenset(), checks_roots=False)


async def test_after_a_process_was_killed_the_next_block_is_read_by_another(
    processes: ReadingProcesses,
) -> None:
    await processes.read(ANSWERS, frozenset(), checks_roots=False)
    (reader,) = readers(psutil.Process())
    reader.kill()
    while await is_read(processes):
        pass
    assert await is_read(processes)
    assert readers(psutil.Process()) != [reader]


async def is_read(processes: ReadingProcesses) -> bool:
    try:
        await processes.read(ANSWERS, frozenset(), checks_roots=False)
    except Unavailable:
        return False
    return True


async def test_a_process_ends_with_the_one_that_started_it_when_that_is_killed() -> None:
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTS, stdout=asyncio.subprocess.PIPE
    )
    assert started.stdout is not None
    reader = psutil.Process(int(await started.stdout.readline()))
    started.kill()
    await started.wait()
    await asyncio.to_thread(reader.wait, 10)
    assert not reader.is_running()
