"""What every chain's adapter must do on a real node, whatever the chain.

A chain's folder has a class that inherits `AdapterConformance` and a fixture `world` that is its
`World`. Nothing here knows a chain; final is what is three blocks deep.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import pytest
from aiohttp import web

from runtime.errors import Unavailable
from wallets.contract import (
    Attempt,
    Block,
    BlockRef,
    BroadcastOutcome,
    Builds,
    ConfirmationState,
    Destination,
    Payout,
)
from wallets.errors import Broken, InvalidAddress, Stuck

S = ConfirmationState
FINAL_DEPTH = 3
SENDS = ("sendrawtransaction", "eth_sendRawTransaction")
SENT = (BroadcastOutcome.ACCEPTED, BroadcastOutcome.KNOWN)


class Chain(Builds, Protocol):
    """What of `Adapter` no pipeline needs, beside what it needs."""

    def create_wallet(self, extended_public_key: str, index: int) -> Destination:
        """As in `Adapter`."""

    async def tip(self) -> BlockRef:
        """As in `Adapter`."""

    async def read_block(self, height: int) -> Block:
        """As in `Adapter`."""


class World(Protocol):
    """A real node with money of ours, and the adapter on it."""

    chain: Chain
    extended_public_key: str
    # Texts that are no destination here, by what is wrong with them.
    refused: Mapping[str, str]
    # From which height payments are looked for.
    first_height: int

    def payout(self, number: int) -> Payout:
        """Withdrawals of one amount to one destination, by number."""

    async def attempt(
        self, payout: Payout, must_use: Sequence[str] = (), owned: Sequence[str] = ()
    ) -> Attempt:
        """Planned by the adapter, signed and stored; not sent."""

    def anchors(self, attempt: Attempt) -> tuple[str, ...]:
        """All that it uses up."""

    async def mine(self, count: int) -> None:
        """Blocks with all that is in the pool, read by whoever has to."""

    def call(self, method: str, *params: Any) -> Any:
        """Asks the node itself."""

    def chain_at(self, url: str) -> AbstractAsyncContextManager[Chain]:
        """An adapter whose only node is there."""


async def received(world: World, payout: Payout) -> list[int]:
    """Every payment to its destination, from agreed blocks."""
    found = []
    for height in range(world.first_height, (await world.chain.tip()).height + 1):
        block = await world.chain.read_block(height)
        key = payout.destination.key
        found += [move.amount_atoms for move in block.movements if move.key == key]
    return found


@asynccontextmanager
async def losing_replies(call: Callable[..., Any]) -> AsyncIterator[str]:
    """A proxy that hands every call to the node and drops the answer of a send."""

    async def handle(request: web.Request) -> web.Response:
        body = await request.json()
        found = await asyncio.to_thread(call, body["method"], *body["params"])
        if body["method"] in SENDS:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"jsonrpc": "2.0", "id": body.get("id"), "result": found})

    application = web.Application()
    application.router.add_post("/", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


class AdapterConformance:
    """The contract as tests."""

    async def test_a_place_of_a_branch_has_one_address_that_can_be_paid(self, world: World) -> None:
        key = world.extended_public_key
        first, again = (world.chain.create_wallet(key, 5) for _ in range(2))
        assert first == again
        assert world.chain.parse_address(first.text) == first
        places = {world.chain.create_wallet(key, index).key for index in range(20)}
        assert len(places) == 20

    async def test_what_is_no_destination_is_refused(self, world: World) -> None:
        assert world.refused
        for fault, text in world.refused.items():
            with pytest.raises(InvalidAddress):
                pytest.fail(f"{fault} was accepted: {world.chain.parse_address(text)}")

    async def test_a_plan_stays_within_the_highest_fee_and_off_what_others_own(
        self, world: World
    ) -> None:
        payout = world.payout(1)
        highest = await world.chain.highest_fee(payout)
        first = await world.attempt(payout)
        assert 0 < first.fee_atoms_max <= highest
        other = await world.attempt(world.payout(2), owned=world.anchors(first))
        assert set(world.anchors(first)).isdisjoint(world.anchors(other))
        with pytest.raises(Stuck):
            await world.chain.build(
                b"n" * 16, [payout], fee_atoms_max=1, must_use=(), owned=frozenset()
            )

    async def test_the_id_is_computed_from_the_bytes_and_other_bytes_have_none(
        self, world: World
    ) -> None:
        attempt = await world.attempt(world.payout(1))
        assert world.chain.identify(attempt.raw) == attempt.txid
        for raw in (b"", b"no transaction", attempt.raw[:-1]):
            with pytest.raises(Broken):
                world.chain.identify(raw)

    async def test_a_payout_goes_from_unseen_to_final_and_sending_again_is_harmless(
        self, world: World
    ) -> None:
        attempt = await world.attempt(world.payout(1))
        assert (await world.chain.confirm(attempt)).state is S.NOT_SEEN
        first = await world.chain.broadcast(attempt)
        assert (first.outcome, first.reason) == (BroadcastOutcome.ACCEPTED, "")
        assert (await world.chain.broadcast(attempt)).outcome in SENT
        assert (await world.chain.confirm(attempt)).state is S.IN_POOL
        await world.mine(1)
        mined = await world.chain.confirm(attempt)
        assert (mined.state, mined.txid, mined.confirmations) == (S.MINED, attempt.txid, 1)
        await world.mine(FINAL_DEPTH - 1)
        final = await world.chain.confirm(attempt)
        assert (final.state, final.txid, final.block) == (S.FINAL, attempt.txid, mined.block)
        assert 0 < final.fee_atoms <= attempt.fee_atoms_max
        assert final.proof
        await world.chain.broadcast(attempt)
        await world.mine(1)
        assert await received(world, attempt.payouts[0]) == [attempt.payouts[0].amount_atoms]

    async def test_a_lost_reply_is_unknown_and_the_same_bytes_pay_once(self, world: World) -> None:
        attempt = await world.attempt(world.payout(1))
        async with losing_replies(world.call) as url, world.chain_at(url) as lossy:
            sent = await lossy.broadcast(attempt)
        assert sent.outcome is BroadcastOutcome.UNKNOWN
        assert (await world.chain.confirm(attempt)).state is S.IN_POOL
        assert (await world.chain.broadcast(attempt)).outcome in SENT
        await world.mine(FINAL_DEPTH)
        assert (await world.chain.confirm(attempt)).state is S.FINAL
        assert await received(world, attempt.payouts[0]) == [attempt.payouts[0].amount_atoms]

    async def test_equal_payouts_are_two_transactions(self, world: World) -> None:
        one, other = world.payout(1), world.payout(2)
        assert (one.destination, one.amount_atoms) == (other.destination, other.amount_atoms)
        first = await world.attempt(one)
        second = await world.attempt(other, owned=world.anchors(first))
        assert first.txid != second.txid
        for attempt in (first, second):
            assert (await world.chain.broadcast(attempt)).outcome is BroadcastOutcome.ACCEPTED
        await world.mine(FINAL_DEPTH)
        for attempt in (first, second):
            found = await world.chain.confirm(attempt)
            assert (found.state, found.txid) == (S.FINAL, attempt.txid)
        assert await received(world, one) == [one.amount_atoms] * 2

    async def test_dead_is_only_what_a_final_block_rules_out(self, world: World) -> None:
        attempt = await world.attempt(world.payout(1))
        await world.mine(FINAL_DEPTH)
        assert (await world.chain.confirm(attempt)).state is S.NOT_SEEN
        rival = await world.attempt(different(world.payout(2)), must_use=world.anchors(attempt))
        assert (await world.chain.broadcast(rival)).outcome is BroadcastOutcome.ACCEPTED
        assert (await world.chain.confirm(attempt)).state is S.NOT_SEEN
        await world.mine(1)
        assert (await world.chain.confirm(attempt)).state is S.NOT_SEEN
        await world.mine(FINAL_DEPTH - 1)
        dead = await world.chain.confirm(attempt)
        assert dead.state is S.DEAD
        assert dead.proof
        assert (await world.chain.confirm(rival)).state is S.FINAL

    async def test_of_attempts_that_conflict_one_is_mined_and_the_answers_agree(
        self, world: World
    ) -> None:
        payout = world.payout(1)
        first = await world.attempt(payout)
        await world.chain.broadcast(first)
        second = await world.attempt(payout, must_use=world.anchors(first))
        assert second.fee_atoms_max > first.fee_atoms_max
        assert set(world.anchors(first)) <= set(world.anchors(second))
        assert (await world.chain.broadcast(second)).outcome is BroadcastOutcome.ACCEPTED
        await world.mine(FINAL_DEPTH)
        found = await world.chain.confirm(second)
        assert (found.state, found.txid) == (S.FINAL, second.txid)
        older = await world.chain.confirm(first)
        assert (older.state, older.txid) in ((S.DEAD, second.txid), (S.FINAL, second.txid))
        assert older.proof
        assert await received(world, payout) == [payout.amount_atoms]

    async def test_a_node_that_is_away_says_nothing(self, world: World) -> None:
        attempt = await world.attempt(world.payout(1))
        # Nobody listens on the lowest port.
        async with world.chain_at("http://127.0.0.1:1/") as away:
            assert (await away.broadcast(attempt)).outcome is BroadcastOutcome.UNKNOWN
            with pytest.raises((Unavailable, Stuck)):
                await away.confirm(attempt)


def different(payout: Payout) -> Payout:
    """The same withdrawal of one atom more."""
    amount = payout.amount_atoms + 1
    return Payout(payout.withdrawal_id, payout.destination, payout.token, amount)
