"""What is worth gathering, and what never is."""

from hypothesis import given
from hypothesis import strategies as st

from wallets.ethereum.lanes import Lane
from wallets.ethereum.sweeping import Holding, Sweep, SweepPolicy, TopUp, choose

GWEI = 10**9
TOKEN = b"t" * 20
POLICY = SweepPolicy(20 * GWEI, {TOKEN: 1_000, b"": 10**16}, steps_max=4, top_up_atoms_max=10**16)


def holding(number: int, amount_atoms: int, contract: bytes = TOKEN, native: int = 0) -> Holding:
    lane = Lane(number.to_bytes(20, "big"), "deposit", number, is_draining=False)
    return Holding(lane, contract, amount_atoms, native)


def test_e15_deposits_of_one_unit_cost_nothing() -> None:
    assert choose([holding(number, 1) for number in range(500)], GWEI, POLICY) == []


def test_nothing_is_swept_while_gas_is_dear() -> None:
    assert choose([holding(1, 10**9)], 21 * GWEI, POLICY) == []


def test_a_token_that_nobody_listed_is_left() -> None:
    assert choose([holding(1, 10**9, b"x" * 20)], GWEI, POLICY) == []


def test_ether_that_a_tokens_sweep_needs_stays_until_then() -> None:
    rich = [holding(1, 10**18, b"", 10**18), holding(1, 5_000, native=10**18)]
    (step,) = choose(rich, GWEI, POLICY)
    assert isinstance(step, Sweep)
    assert step.holding.contract == TOKEN


@given(
    st.lists(
        st.builds(
            holding,
            st.integers(0, 30),
            st.integers(0, 10**20),
            st.sampled_from([TOKEN, b""]),
            st.integers(0, 10**16),
        ),
        max_size=40,
    ),
    st.integers(1, 30 * GWEI),
)
def test_a_round_stays_within_its_budget_and_takes_no_more_than_is_there(
    holdings: list[Holding], fee: int
) -> None:
    steps = choose(holdings, fee, POLICY)
    assert len(steps) <= POLICY.steps_max
    assert len({step.holding.lane.account for step in steps}) == len(steps)
    sent = sum(step.amount_atoms for step in steps if isinstance(step, TopUp))
    assert sent <= POLICY.top_up_atoms_max
    for step in steps:
        assert step.holding.amount_atoms >= POLICY.minimum_atoms[step.holding.contract]
        if isinstance(step, TopUp):
            # Half as much again, for a sweep that nobody mines at first.
            with_room = POLICY.token_gas * fee * 3 // 2
            assert step.holding.native_atoms + step.amount_atoms == with_room
        elif not step.holding.contract:
            assert 0 < step.amount_atoms == step.holding.amount_atoms - POLICY.native_gas * fee
