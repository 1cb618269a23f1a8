"""Plays: short scripts that lead the flow into the corners of the rules.

Each play is a function of a Flow that sends a few commands; one that needs answers in between is a
generator and yields where a batch ends. The stream deals them from a shuffled deck, so that every
play occurs again and again. A play must never assert anything.
"""

from collections.abc import Callable, Iterator
from typing import Final

from tests.differential.flow.flow import Flow
from tests.differential.flow.plays import (
    administration,
    amendments,
    cancels,
    damage,
    disconnects,
    fee_tiers,
    ids,
    markets,
    matching,
    money,
    parts_and_ends,
    poison,
    price_bands,
    protected_markets,
    refused_orders,
    scramble,
    sessions,
    trading_limits,
    waiting_orders,
)

Play = Callable[[Flow], Iterator[None] | None]
DECK: Final[tuple[Play, ...]] = (
    *refused_orders.PLAYS,
    *ids.PLAYS,
    *cancels.PLAYS,
    *amendments.PLAYS,
    *matching.PLAYS,
    *markets.PLAYS,
    *sessions.PLAYS,
    *money.PLAYS,
    *administration.PLAYS,
    *poison.PLAYS,
    *scramble.PLAYS,
)
SECOND_DECK: Final[tuple[Play, ...]] = (
    *DECK,
    *waiting_orders.PLAYS,
    *parts_and_ends.PLAYS,
    *disconnects.PLAYS,
    *fee_tiers.PLAYS,
    *protected_markets.PLAYS,
    *price_bands.PLAYS,
    *trading_limits.PLAYS,
)
# Batches that are refused whole; they cost no sequence numbers.
DAMAGED: Final[tuple[Play, ...]] = damage.PLAYS
