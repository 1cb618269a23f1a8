"""Energy of the station's stake: lent for a sweep, taken back, and burned where lending fails."""

from dataclasses import dataclass, field, replace

import pytest

from tests.chains.real_signer import NETWORK_ID
from tests.chains.tron.custody import TRX, policy_of
from tests.chains.tron.gathered import ROUND_STEPS, SETTINGS, STATION_SUN, Gathered
from tests.chains.tron.test_gathering import gathered
from wallets.treasury import costs
from wallets.tron.addresses import address_of
from wallets.tron.contracts import Resource
from wallets.tron.limits import MOVE_EXPIRATION_MILLISECONDS
from wallets.tron.rental import Offer
from wallets.tron.simulator.parameters import SLOT_MILLISECONDS
from wallets.tron.simulator.state import Account, Holding, LoanKey
from wallets.tron.staking import StakePolicy
from wallets.tron.sweeping import with_margin

pytestmark = pytest.mark.chains

__all__ = ["gathered"]

LENDING = replace(SETTINGS, lends=True)
STAKED = 50_000 * TRX
RENTER = b"\x41" + b"\x55" * 20
# Blocks after which an unmined transaction of the job is dead.
LIFE_BLOCKS = MOVE_EXPIRATION_MILLISECONDS // SLOT_MILLISECONDS
NEVER_ENDING = 10**6


def stake(gathered: Gathered, sun: int) -> None:
    """So much of the station is staked for energy, whatever was."""
    chain = gathered.custody.chain
    for state in (chain.head.state, chain.pool_state):
        account = state.accounts[gathered.station]
        state.change(gathered.station, Resource.ENERGY, replace(account.energy, staked=sun))


def lent(gathered: Gathered, key: bytes) -> int:
    loans = gathered.custody.chain.head.state.loans
    keys = (LoanKey(gathered.station, key, Resource.ENERGY, lock) for lock in (False, True))
    return sum(loans[one].amount for one in keys if one in loans)


async def deposit_on_an_account(gathered: Gathered) -> bytes:
    """A token on an address that the chain knows; its TRX is dust."""
    key = gathered.keys[0]
    await gathered.deposit(key, token=False, amount_atoms=1)
    await gathered.deposit(key, token=True)
    return key


async def test_t13_a_new_account_is_made_lent_to_swept_and_taken_back_from_in_order(
    gathered: Gathered,
) -> None:
    custody, (key, *_) = gathered.custody, gathered.keys
    stake(gathered, STAKED)
    await gathered.deposit(key, token=True)
    planned = []
    # Each step is done by a worker that knows nothing of the one before.
    for _ in range(5 * ROUND_STEPS):
        planned += await gathered.run(gathered.job(LENDING), 1)
    assert planned == [1, 1, 1, 1]
    assert await gathered.attempts() == [
        ("top_up", "final"),
        ("delegation", "final"),
        ("sweep", "final"),
        ("reclaim", "final"),
    ]
    assert custody.received(key)[1] == 0
    assert lent(gathered, key) == 0
    state = custody.chain.head.state.accounts[gathered.station]
    assert (state.energy.staked, state.energy.lent) == (STAKED, 0)
    # No energy was burned: what was paid is the account, and bytes of the station.
    (swept,) = await custody.database.read(
        "select fee_atoms from custody.attempt where kind = 'sweep'"
    )
    assert swept["fee_atoms"] == 0
    left_sun = sum(custody.received(one)[0] for one in (gathered.station, key))
    assert await gathered.costs_sun() == STATION_SUN - left_sun
    # All of it is what the deposit cost, what was taken back after its sweep too.
    (row,) = await costs.of_deposits(custody.database, NETWORK_ID, None, 10)
    assert (row["transactions"], row["cost_atoms"]) == (4, str(STATION_SUN - left_sun))


async def test_t14_a_loan_that_the_chain_never_takes_is_burned_for_and_not_tried_again(
    gathered: Gathered,
) -> None:
    custody = gathered.custody
    key = await deposit_on_an_account(gathered)
    stake(gathered, STAKED)
    job = gathered.job(LENDING)
    await gathered.run(job, 2)
    assert await gathered.attempts() == [("delegation", "signed")]
    # All of the stake is gone before a block has the loan.
    stake(gathered, 0)
    await gathered.run(job, 2)
    custody.mine(LIFE_BLOCKS + 3)
    stake(gathered, STAKED)
    await gathered.run(job, 4 * ROUND_STEPS)
    assert await gathered.attempts() == [
        ("delegation", "dead"),
        ("top_up", "final"),
        ("sweep", "final"),
    ]
    assert custody.received(key)[1] == 0
    assert lent(gathered, key) == 0


async def test_t14_a_loan_whose_reclaim_is_lost_is_taken_back_later_and_once(
    gathered: Gathered,
) -> None:
    custody = gathered.custody
    key = await deposit_on_an_account(gathered)
    stake(gathered, STAKED)
    job = gathered.job(LENDING)
    for _ in range(4 * ROUND_STEPS):
        await gathered.run(job, 1)
        if ("reclaim", "planned") in await gathered.attempts():
            break
    custody.chain.faults.accept_then_drop = NEVER_ENDING
    await gathered.run(job, 3)
    custody.mine(LIFE_BLOCKS + 3)
    custody.chain.faults.accept_then_drop = 0
    assert lent(gathered, key) > 0
    await gathered.run(job, 3 * ROUND_STEPS)
    assert await gathered.attempts() == [
        ("delegation", "final"),
        ("sweep", "final"),
        ("reclaim", "dead"),
        ("reclaim", "final"),
    ]
    assert lent(gathered, key) == 0


async def test_t14_a_locked_loan_is_taken_back_when_its_lock_is_over(gathered: Gathered) -> None:
    custody = gathered.custody
    key = await deposit_on_an_account(gathered)
    stake(gathered, STAKED)
    job = gathered.job(LENDING)
    while ("sweep", "final") not in await gathered.attempts():
        await gathered.run(job, 1)
        loans = custody.chain.head.state.loans
        for one in [one for one in loans if not one.is_locked]:
            # As if somebody had locked it for a hundred blocks.
            expires_ms = custody.chain.head.time_ms + 100 * SLOT_MILLISECONDS
            loans[replace(one, is_locked=True)] = replace(loans.pop(one), expires_ms=expires_ms)
    await gathered.run(job, ROUND_STEPS)
    assert [kind for kind, _ in await gathered.attempts()] == ["delegation", "sweep"]
    custody.mine(101)
    await gathered.run(job, 2 * ROUND_STEPS)
    assert (await gathered.attempts())[2:] == [("reclaim", "final")]
    assert lent(gathered, key) == 0


async def test_a_loan_for_a_token_that_would_not_move_any_more_is_taken_back(
    gathered: Gathered,
) -> None:
    custody = gathered.custody
    key = await deposit_on_an_account(gathered)
    stake(gathered, STAKED)
    job = gathered.job(LENDING)
    for _ in range(ROUND_STEPS):
        await gathered.run(job, 1)
        if ("delegation", "final") in await gathered.attempts():
            break
    assert lent(gathered, key) > 0
    # The customer's tokens are gone: nothing is left to sweep.
    for state in (custody.chain.head.state, custody.chain.pool_state):
        for holders in state.tokens.values():
            holders.pop(key, None)
    custody.mine(3)
    await gathered.run(job, 2 * ROUND_STEPS)
    assert (await gathered.attempts())[-1] == ("reclaim", "final")
    assert lent(gathered, key) == 0


async def test_stake_grows_with_the_need_and_comes_back_to_the_sun(gathered: Gathered) -> None:
    custody = gathered.custody
    policy = StakePolicy(kept_sun=1_000 * TRX, sun_max=STAKED, sun_min=STAKED)
    before = custody.received(gathered.station)[0]
    await gathered.run(gathered.job(replace(LENDING, stake=policy)), 2 * ROUND_STEPS)
    assert await gathered.attempts() == [("stake", "final")]
    assert custody.chain.head.state.accounts[gathered.station].energy.staked == STAKED
    assert await staked_in_book(gathered) == STAKED
    less = gathered.job(replace(LENDING, stake=StakePolicy(1_000 * TRX, 0)))
    await gathered.run(less, 3 * ROUND_STEPS)
    assert await gathered.attempts() == [("stake", "final"), ("unstake", "final")]
    # Nothing comes back before its time, and the book waits as well.
    assert await staked_in_book(gathered) == STAKED
    for state in (custody.chain.head.state, custody.chain.pool_state):
        account = state.accounts[gathered.station]
        (waiting,) = account.unstaking
        assert waiting.expires_ms > custody.chain.head.time_ms
        waited = replace(waiting, expires_ms=custody.chain.head.time_ms)
        state.accounts[gathered.station] = replace(account, unstaking=(waited,))
    await gathered.run(less, 2 * ROUND_STEPS)
    assert (await gathered.attempts())[2:] == [("unstaked", "final")]
    assert await staked_in_book(gathered) == 0
    cost_sun = await gathered.costs_sun()
    assert custody.received(gathered.station)[0] == before - cost_sun
    assert custody.chain.head.state.accounts[gathered.station].energy == Holding()


@dataclass
class Renter:
    """A service that asks half a TRX for everything."""

    asked: list[tuple[bytes, int]] = field(default_factory=list)

    async def offer(self, receiver: bytes, energy: int) -> Offer:
        self.asked.append((receiver, energy))
        return Offer(RENTER, TRX // 2)


@pytest.mark.parametrize("comes", [True, False])
async def test_energy_is_rented_once_where_there_is_a_service_and_burned_when_it_does_not_come(
    gathered: Gathered, *, comes: bool
) -> None:
    custody, signer = gathered.custody, gathered.custody.signer.signer
    key = await deposit_on_an_account(gathered)
    listed = replace(policy_of().network(1), listed_destinations=frozenset({address_of(RENTER)}))
    signer.policy = replace(signer.policy, networks={1: listed})
    state = custody.chain.head.state
    state.accounts[RENTER] = Account(1, custody.chain.head.time_ms)
    custody.chain.refill_pool()
    renter = Renter()
    job = gathered.job(rents=renter)
    await gathered.run(job, 2)
    assert renter.asked == [(key, with_margin(13_664, 30))]
    if comes:
        for one in (custody.chain.head.state, custody.chain.pool_state):
            account = one.accounts[key]
            one.change(key, Resource.ENERGY, replace(account.energy, borrowed=STAKED))
    await gathered.run(job, 4 * ROUND_STEPS)
    help_after = [] if comes else [("top_up", "final")]
    assert await gathered.attempts() == [("rental", "final"), *help_after, ("sweep", "final")]
    assert custody.received(RENTER)[0] == 1 + TRX // 2
    assert custody.received(key)[1] == 0
    # Rent is gone, and in the book as the network's fees are.
    spent_sun = STATION_SUN - custody.received(gathered.station)[0] - custody.received(key)[0] + 1
    assert await gathered.costs_sun() == spent_sun
    (row,) = await costs.of_deposits(custody.database, NETWORK_ID, None, 10)
    assert row["cost_atoms"] == str(spent_sun)


async def test_the_hot_account_is_lent_energy_ahead_of_its_payouts_and_gives_it_back(
    gathered: Gathered,
) -> None:
    custody = gathered.custody
    stake(gathered, STAKED)
    await gathered.deposit(gathered.keys[0], token=True, amount_atoms=1)
    # What a payout of this day used.
    await custody.database.write(
        "insert into custody.tron_cost (attempt_id, network_id, energy, energy_sun, bandwidth_sun, "
        "other_sun) select attempt_id, 1, 28664, 0, 0, 0 from custody.attempt"
    )
    assert await gathered.run(gathered.job(LENDING), 2) == []
    lends = gathered.job(replace(LENDING, hot_energy_max=10**6))
    assert await gathered.run(lends, 2 * ROUND_STEPS) == [1]
    assert await gathered.attempts() == [("standing_loan", "final")]
    borrowed = custody.chain.head.state.accounts[custody.hot].energy.borrowed
    assert borrowed == lent(gathered, custody.hot) > 0
    payout = custody.payout(3, TRX, token=True)
    attempt = await custody.attempt(payout)
    await custody.adapter.broadcast(attempt)
    custody.mine(4)
    # All of its energy was the loan's: nothing was burned.
    (done,) = [
        one
        for block in custody.chain.blocks
        for one in block.transactions
        if one.txid == attempt.txid
    ]
    assert (done.receipt.energy_total, done.receipt.energy_fee) == (28_664, 0)
    assert await gathered.run(gathered.job(LENDING), 2 * ROUND_STEPS) == [1]
    assert (await gathered.attempts())[1:] == [("standing_reclaim", "final")]
    assert lent(gathered, custody.hot) == 0


async def staked_in_book(gathered: Gathered) -> int:
    row = await gathered.custody.database.read_row(
        "select coalesce(sum(amount_atoms), 0)::bigint as sun from custody.posting "
        "where account = 'staked' and asset_id = 1"
    )
    assert row is not None
    return int(row["sun"])
