"""A withdrawal from the journal to its settlement, through pipeline, signer and simulated node."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from cambist.internal.signer.v1 import intent_pb2
from runtime.postgres import Database
from tests.chains.tron.custody import TRX, Custody, approve
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryEngine
from wallets.contract import Approval, Death, WithdrawalId
from wallets.core.inbox import Requested
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.states import PayoutState
from wallets.tron.addresses import address_of
from wallets.tron.limits import EXPIRATION_MILLISECONDS
from wallets.tron.simulator.parameters import SLOT_MILLISECONDS

pytestmark = pytest.mark.chains

LIFE_BLOCKS = EXPIRATION_MILLISECONDS // SLOT_MILLISECONDS
PAID = 7 * TRX
NEVER_ENDING = 10**6


@dataclass
class StoredApprover:
    """Approves what the payout's row says."""

    database: Database

    async def approve(
        self, withdrawal_id: WithdrawalId, fee_atoms_max: int, dead: Sequence[Death]
    ) -> Approval:
        row = await self.database.read_row(
            "select p.destination_text, p.amount_atoms, s.contract from custody.payout p "
            "join custody.asset s using (network_id, asset_id) where withdrawal_id = $1",
            withdrawal_id,
        )
        assert row is not None
        amount_atoms = int(row["amount_atoms"])
        text, contract = row["destination_text"], row["contract"]
        return approve(withdrawal_id, text, contract, amount_atoms, dead, fee_atoms_max)


async def run(custody: Custody, engine: MemoryEngine, rounds: int, workers: int = 1) -> None:
    approver = StoredApprover(custody.database)
    pipelines = [
        Pipeline(
            Store(custody.database, 1, f"worker-{number}"),
            custody.adapter,
            approver,
            custody.signer,
        )
        for number in range(workers)
    ]
    for _ in range(rounds):
        await custody.database.write(
            "update custody.payout set not_before = '-infinity', claim_expires_at = '-infinity'"
        )
        for pipeline in pipelines:
            await pipeline.step()
        await engine.apply()
        custody.mine()
        await custody.follow()


async def until_broadcast(custody: Custody, engine: MemoryEngine) -> None:
    for _ in range(10):
        await run(custody, engine, 1)
        if await states(custody.database) == ["broadcasting"]:
            return
    pytest.fail(f"{await states(custody.database)} after ten rounds")


@pytest.fixture
async def engine(custody: Custody) -> MemoryEngine:
    await custody.database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    return MemoryEngine(custody.database)


def request(custody: Custody, number: int, asset_id: int, atoms: int = PAID) -> Requested:
    payout = custody.payout(number, 1)
    text = payout.destination.text
    return Requested(payout.withdrawal_id, 4096, asset_id, 1, atoms, 20, text)


async def states(database: Database) -> list[str]:
    rows = await database.read("select state from custody.payout order by withdrawal_id")
    return [str(row["state"]) for row in rows]


async def attempts(database: Database) -> list[str]:
    rows = await database.read("select state from custody.attempt order by attempt_id")
    return [str(row["state"]) for row in rows]


async def test_trx_and_a_token_are_paid_once_and_settled(
    custody: Custody, engine: MemoryEngine
) -> None:
    await engine.request(request(custody, 1, 1))
    await engine.request(request(custody, 2, 2))
    await run(custody, engine, 14, workers=2)
    assert await states(custody.database) == ["settled", "settled"]
    assert set(engine.states.values()) == {"settled"}
    assert custody.received(custody.payout(1, 1).destination.key) == (PAID, 0)
    assert custody.received(custody.payout(2, 1).destination.key) == (0, PAID)


async def test_an_own_address_is_rejected_and_the_money_goes_back(
    custody: Custody, engine: MemoryEngine
) -> None:
    own = Requested(WithdrawalId(b"o" * 16), 4096, 1, 1, PAID, 20, address_of(custody.hot))
    await engine.request(own)
    await run(custody, engine, 3)
    assert await states(custody.database) == [PayoutState.REJECTED]
    assert engine.states == {own.withdrawal_id: "released"}


@pytest.mark.parametrize("fault", ["accept_then_drop", "accept_then_time_out", "server_busy"])
async def test_t1_what_a_node_drops_or_does_not_answer_is_sent_again_as_it_is(
    custody: Custody, engine: MemoryEngine, fault: str
) -> None:
    setattr(custody.chain.faults, fault, 2)
    await engine.request(request(custody, 1, 1))
    await run(custody, engine, 16)
    assert await states(custody.database) == ["settled"]
    assert await attempts(custody.database) == ["final"]
    assert custody.received(custody.payout(1, 1).destination.key) == (PAID, 0)


async def test_t4_a_node_that_lies_about_the_id_changes_nothing(
    custody: Custody, engine: MemoryEngine
) -> None:
    custody.chain.faults.lie_about_id = 3
    await engine.request(request(custody, 1, 2))
    await run(custody, engine, 16)
    assert custody.chain.faults.lie_about_id < 3
    assert await states(custody.database) == ["settled"]
    assert await attempts(custody.database) == ["final"]
    (row,) = await custody.database.read("select txid from custody.attempt")
    assert row["txid"] in custody.chain.heights
    assert custody.received(custody.payout(1, 1).destination.key) == (0, PAID)


async def test_t2_what_expired_is_paid_by_another_only_after_the_proof(
    custody: Custody, engine: MemoryEngine
) -> None:
    custody.chain.faults.accept_then_drop = NEVER_ENDING
    await engine.request(request(custody, 1, 2))
    await until_broadcast(custody, engine)
    custody.mine(LIFE_BLOCKS + 3)
    custody.chain.faults.accept_then_drop = 0
    assert await attempts(custody.database) == ["broadcast"]
    await run(custody, engine, 16)
    assert await attempts(custody.database) == ["dead", "final"]
    assert await states(custody.database) == ["settled"]
    assert custody.received(custody.payout(1, 1).destination.key) == (0, PAID)


async def test_t5_a_call_that_ran_out_of_energy_costs_and_the_next_attempt_pays(
    custody: Custody, engine: MemoryEngine
) -> None:
    await engine.request(request(custody, 1, 2))
    for _ in range(10):
        await run(custody, engine, 1)
        if await attempts(custody.database) == ["signed"]:
            break
    # The factor rises between estimate and block.
    custody.chain.head.state.energy_factor = 3_000
    before = custody.received(custody.hot)[0]
    await until_failed(custody, engine)
    burned = before - custody.received(custody.hot)[0]
    (cost,) = await custody.database.read(
        "select amount_atoms from custody.posting where account = 'network_cost'"
    )
    assert cost["amount_atoms"] == burned
    await run(custody, engine, 14)
    assert await attempts(custody.database) == ["failed", "final"]
    assert await states(custody.database) == ["settled"]
    assert custody.received(custody.payout(1, 1).destination.key) == (0, PAID)


async def until_failed(custody: Custody, engine: MemoryEngine) -> None:
    for _ in range(12):
        await run(custody, engine, 1)
        if (await attempts(custody.database))[0] == "failed":
            return
    pytest.fail(f"{await attempts(custody.database)} after twelve rounds")


@pytest.mark.parametrize("keep", [True, False])
async def test_t9_a_payout_whose_block_leaves_the_chain_is_sent_again_and_paid_once(
    custody: Custody, engine: MemoryEngine, *, keep: bool
) -> None:
    await engine.request(request(custody, 1, 1))
    await until_broadcast(custody, engine)
    custody.chain.switch_fork(1, keep)
    assert custody.received(custody.payout(1, 1).destination.key) == (0, 0)
    await run(custody, engine, 16)
    assert await states(custody.database) == ["settled"]
    assert await attempts(custody.database) == ["final"]
    assert custody.received(custody.payout(1, 1).destination.key) == (PAID, 0)


async def test_t3_equal_payouts_of_one_moment_have_ids_of_their_own(custody: Custody) -> None:
    plans = [await custody.plan(custody.payout(1, PAID)) for _ in range(20)]
    intents = [intent_pb2.Intent.FromString(plan.intent) for plan in plans]
    assert len({intent.tron.raw_data for intent in intents}) == len(plans)


async def test_workers_side_by_side_pay_many_and_each_once(
    custody: Custody, engine: MemoryEngine
) -> None:
    numbers = range(11, 27)
    for number in numbers:
        await engine.request(request(custody, number, 1 + number % 2))
    approver = StoredApprover(custody.database)
    workers = [
        Pipeline(
            Store(custody.database, 1, f"worker-{number}"),
            custody.adapter,
            approver,
            custody.signer,
        )
        for number in range(3)
    ]
    for _ in range(100):
        await custody.database.write(
            "update custody.payout set not_before = '-infinity', claim_expires_at = '-infinity'"
        )
        await asyncio.gather(*(worker.step() for worker in workers))
        await engine.apply()
        if set(await states(custody.database)) == {"settled"}:
            break
        custody.mine()
    assert set(engine.states.values()) == {"settled"}
    for number in numbers:
        wanted = (PAID, 0) if number % 2 == 0 else (0, PAID)
        assert custody.received(custody.payout(number, 1).destination.key) == wanted
    assert len(custody.chain.heights) == len(numbers)
