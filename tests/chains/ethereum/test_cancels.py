"""Two persons have a nonce cancelled: the chain decides, and nobody is paid twice or never."""

import pytest

from tests.chains.ethereum.custody import ETHER, Custody
from tests.chains.ethereum.test_bumps import run
from tests.chains.ethereum.test_pipeline import request, states
from tests.chains.real_signer import NETWORK_ID
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryEngine
from wallets.errors import Fenced, Rejected
from wallets.ethereum import cancels
from wallets.ethereum.addresses import text_of
from wallets.ethereum.transactions import parse_signed
from wallets.link import lease

pytestmark = pytest.mark.chains

PEOPLE = ("Ada", "Bo")


@pytest.fixture
async def engine(custody: Custody) -> MemoryEngine:
    """A payout of one ether is on its way, and nobody mines it."""
    await custody.database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    found = MemoryEngine(custody.database)
    await found.request(request(custody, 1, 1, 10**8))
    await run(custody, found, 7, mines=False)
    assert await states(custody.database) == ["broadcasting"]
    return found


def nonce(custody: Custody, number: int = 0) -> str:
    return f"{text_of(custody.lane)}:{number}"


async def step(custody: Custody, times: int = 1) -> None:
    """By a worker that was just started, each time."""
    name = cancels.lease_of(NETWORK_ID)
    for _ in range(times):
        token = await lease.hold(custody.database, name, "one", 60)
        assert token is not None
        await custody.adapter.cancels(custody.signer).step(token)


async def asked(custody: Custody) -> list[str]:
    rows = await custody.database.read("select ending from custody.nonce_cancel order by cancel_id")
    return [row["ending"] for row in rows]


async def attempts(custody: Custody) -> list[tuple[str, str]]:
    rows = await custody.database.read(
        "select kind, state from custody.attempt order by attempt_id"
    )
    return [(row["kind"], row["state"]) for row in rows]


async def check_paid_once(custody: Custody, engine: MemoryEngine) -> None:
    assert await states(custody.database) == ["settled"]
    assert set(engine.states.values()) == {"settled"}
    assert custody.node.balance(custody.payout(1, 1).destination.text) == ETHER
    assert await custody.database.read("select 1 from custody.owned_input") == []


async def test_e7_a_cancel_that_is_mined_frees_the_nonce_and_the_payout_takes_another(
    custody: Custody, engine: MemoryEngine
) -> None:
    await cancels.ask(custody.database, NETWORK_ID, nonce(custody), PEOPLE)
    await step(custody, 4)
    payout, cancel = [
        parse_signed(row["raw"])
        for row in await custody.database.read(
            "select raw from custody.attempt order by attempt_id"
        )
    ]
    assert (cancel.nonce, cancel.recipient, cancel.value_atoms) == (payout.nonce, custody.lane, 0)
    assert custody.node.call("eth_getTransactionByHash", "0x" + payout.txid) is None
    # While it is under way no fee of the payout is raised.
    await custody.database.write(
        "update custody.attempt set changed_at = changed_at - interval '1 hour' "
        "where kind = 'payout'"
    )
    await run(custody, engine, 2, mines=False)
    assert [kind for kind, _ in await attempts(custody)] == ["payout", "cancel"]
    custody.node.mine(4)
    await step(custody, 2)
    assert await asked(custody) == ["cancelled"]
    await run(custody, engine, 14, mines=True)
    assert await attempts(custody) == [("payout", "dead"), ("cancel", "final"), ("payout", "final")]
    await check_paid_once(custody, engine)
    (cost,) = await custody.database.read(
        "select sum(amount_atoms)::text as atoms from custody.posting "
        "where account = 'network_cost'"
    )
    (fees,) = await custody.database.read(
        "select sum(fee_atoms)::text as atoms from custody.attempt"
    )
    assert cost["atoms"] == fees["atoms"]


async def test_e7_the_original_mined_instead_settles_the_payout_and_ends_the_cancel(
    custody: Custody, engine: MemoryEngine
) -> None:
    await cancels.ask(custody.database, NETWORK_ID, nonce(custody), PEOPLE)
    await step(custody, 4)
    payout, cancel = await custody.database.read(
        "select raw, txid from custody.attempt order by attempt_id"
    )
    custody.node.mine_instead(payout["raw"], cancel["txid"])
    custody.node.mine(4)
    await step(custody, 2)
    assert await asked(custody) == ["mined"]
    await run(custody, engine, 6, mines=True)
    assert await attempts(custody) == [("payout", "final"), ("cancel", "dead")]
    await check_paid_once(custody, engine)


async def test_a_cancel_that_nobody_mines_gets_dearer_and_a_late_worker_plans_none(
    custody: Custody, engine: MemoryEngine
) -> None:
    await cancels.ask(custody.database, NETWORK_ID, nonce(custody), PEOPLE)
    token = await lease.hold(custody.database, cancels.lease_of(NETWORK_ID), "one", 60)
    assert token is not None
    with pytest.raises(Fenced):
        await custody.adapter.cancels(custody.signer).step(token - 1)
    await step(custody, 3)
    await custody.database.write(
        "update custody.attempt set changed_at = changed_at - interval '1 hour' "
        "where kind = 'cancel'"
    )
    await step(custody, 3)
    assert (await attempts(custody))[1:] == [("cancel", "broadcast"), ("cancel", "broadcast")]
    custody.node.mine(4)
    await step(custody, 2)
    assert sorted((await attempts(custody))[1:]) == [("cancel", "dead"), ("cancel", "final")]
    assert await asked(custody) == ["cancelled"]
    await run(custody, engine, 14, mines=True)
    await check_paid_once(custody, engine)


async def test_a_nonce_that_is_used_already_is_told_so_and_costs_nothing(
    custody: Custody, engine: MemoryEngine
) -> None:
    custody.node.mine()
    await cancels.ask(custody.database, NETWORK_ID, nonce(custody), PEOPLE)
    await step(custody, 2)
    assert await asked(custody) == ["used"]
    assert [kind for kind, _ in await attempts(custody)] == ["payout"]
    # Decided: it may be asked for again, and every word is in the chain of changes.
    await cancels.ask(custody.database, NETWORK_ID, nonce(custody), PEOPLE)
    events = await custody.database.read(
        "select state_after, reason from custody.event where kind = 'nonce_cancel' "
        "order by event_id"
    )
    assert [tuple(row) for row in events] == [
        ("asked", "Ada and Bo"),
        ("used", "by the chain"),
        ("asked", "Ada and Bo"),
    ]


@pytest.mark.parametrize(
    ("number", "people", "reason"),
    [
        (0, ("Ada",), "TWO_PERSONS"),
        (0, ("Ada", "ada"), "TWO_PERSONS"),
        (7, PEOPLE, "UNKNOWN_NONCE"),
        (-1, PEOPLE, "UNKNOWN_LANE"),
    ],
)
async def test_what_is_not_to_be_cancelled_is_refused_by_name(
    custody: Custody, engine: MemoryEngine, number: int, people: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(Rejected, match=reason):
        await cancels.ask(custody.database, NETWORK_ID, nonce(custody, number), people)
    for text, name in (("?", "INVALID_NONCE"), (f"0x{'11' * 20}:0", "UNKNOWN_LANE")):
        with pytest.raises(Rejected, match=name):
            await cancels.ask(custody.database, NETWORK_ID, text, PEOPLE)
    assert await asked(custody) == []
    await cancels.ask(custody.database, NETWORK_ID, nonce(custody).lower(), PEOPLE)
    with pytest.raises(Rejected, match="CANCELLED_ALREADY"):
        await cancels.ask(custody.database, NETWORK_ID, nonce(custody), PEOPLE)
