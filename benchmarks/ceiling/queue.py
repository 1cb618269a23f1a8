"""A bounded list that is emptied whole: what waits while the other side is busy."""

import asyncio
from collections import deque

from benchmarks.ceiling.wire import Piece


class Waiting:
    """Pieces that wait; `put` blocks when `orders_max` orders are there."""

    def __init__(self, orders_max: int) -> None:
        self._orders_max = orders_max
        self._pieces: deque[Piece] = deque()
        self._orders = 0
        self._changed = asyncio.Event()
        self._freed = asyncio.Event()

    async def put(self, piece: Piece) -> None:
        """Adds a piece, when there is room."""
        while self._orders and self._orders + piece.orders > self._orders_max:
            self._freed.clear()
            await self._freed.wait()
        self._pieces.append(piece)
        self._orders += piece.orders
        self._changed.set()

    async def take(self, orders_max: int, bytes_max: int) -> list[Piece]:
        """All that waits, up to both limits, at least one piece."""
        while not self._pieces:
            self._changed.clear()
            await self._changed.wait()
        taken: list[Piece] = []
        orders = size = 0
        while self._pieces:
            piece = self._pieces[0]
            if taken and (orders + piece.orders > orders_max or size + len(piece.data) > bytes_max):
                break
            taken.append(self._pieces.popleft())
            orders += piece.orders
            size += len(piece.data)
        self._orders -= orders
        self._freed.set()
        return taken
