"""Blocks are read in processes of their own: a scan that catches up uses a second processor.

Held by the node set; used as an asynchronous context. A process starts with the first block, ends
with the one that started it, however that ends, and sees nothing but what nodes answered. It knows
no keys and no database.
"""

import asyncio
import gc
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from runtime.errors import Unavailable
from wallets.contract import Block, Movement
from wallets.ethereum import limits
from wallets.ethereum.block_reading import Answers, read_answers

# Objects between two looks for cycles, of which reading makes none: a block alone is half of it.
OBJECTS_PER_COLLECTION: Final = 100_000
# A block as it is sent: as plain tuples it takes a third of the time.
Packed = tuple[tuple[Any, ...], list[tuple[Any, ...]]]


class ReadingProcesses:
    """So many processes as are needed, at most `limits.READING_PROCESSES`."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
            self._pool = None

    async def read(
        self, answers: Answers, contracts: frozenset[bytes], *, checks_roots: bool
    ) -> Block:
        """As `block_reading.read_answers`. Raises Unavailable as well when a process was killed."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                limits.READING_PROCESSES,
                # A fork would copy the threads' locks and the connections of this process.
                mp_context=multiprocessing.get_context("spawn"),
                initializer=begin,
            )
        pool = self._pool
        work = partial(read_packed, answers, contracts, checks_roots=checks_roots)
        try:
            return unpacked(await asyncio.get_running_loop().run_in_executor(pool, work))
        except BrokenProcessPool as error:
            # The next block starts another.
            if self._pool is pool:
                self._pool = None
            raise Unavailable("the process that reads blocks was killed") from error


def begin() -> None:
    """How a process begins."""
    gc.set_threshold(OBJECTS_PER_COLLECTION)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """The queue between the two does not tell that the other end is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "runs in a process that another one started"
    parent.join()
    os._exit(1)


def read_packed(answers: Answers, contracts: frozenset[bytes], *, checks_roots: bool) -> Packed:
    """What the process does. Raises Quarantined, Unavailable."""
    block = read_answers(answers, contracts, checks_roots=checks_roots)
    whole = (block.ref, block.parent_hash, block.time_ns, block.header, block.spent)
    return whole, [
        (move.txid, move.index, move.contract, move.key, move.amount_atoms, move.proof)
        for move in block.movements
    ]


def unpacked(packed: Packed) -> Block:
    """The block that was sent."""
    (ref, parent_hash, time_ns, header, spent), moves = packed
    movements = tuple(
        Movement(txid, index, contract, key, amount_atoms, is_coinbase=False, proof=proof)
        for txid, index, contract, key, amount_atoms, proof in moves
    )
    return Block(ref, parent_hash, time_ns, header, movements, spent)
