"""Hot to cold and back on a real node: bounds, two of three people, payouts that waited."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from cambist.internal.signer.v1 import intent_pb2
from tests.chains.bitcoin import cold_keys
from tests.chains.bitcoin.cold_keys import PEOPLE, sign_by_node
from tests.chains.bitcoin.custody import NETWORK, SETTINGS, Custody, payout_of
from tests.chains.bitcoin.signing import key_of, script_at, sign
from wallets.bitcoin.addresses import address_of
from wallets.bitcoin.holdings import count_coins
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.scripts import ScriptKind
from wallets.bitcoin.treasury import BitcoinTreasury
from wallets.books import postings
from wallets.books.accounts import Account
from wallets.contract import Plan
from wallets.errors import Broken, Condition, Rejected, Stuck
from wallets.reconciliation.job import Look, Reconciliation, Rules
from wallets.signer.bitcoin import transactions
from wallets.signer.policy import NetworkPolicy
from wallets.treasury.step import Treasury

pytestmark = pytest.mark.chains

COIN = 100_000_000
UNSPENT = "select count(*) from custody.bitcoin_coin where spent_height is null"


class Signer:
    """Keys in this process; cold addresses are on its list."""

    async def sign(self, plan: Plan, approvals: Sequence[object]) -> bytes:
        assert approvals == ()
        return sign(plan, [])


class Refusing:
    """Its list lacks the cold address."""

    async def sign(self, plan: Plan, approvals: Sequence[object]) -> bytes:
        raise Broken(f"the signer refused: NOT_OURS: {plan.intent_id.hex()}, {approvals}")


@pytest.fixture
async def treasury(custody: Custody) -> Treasury:
    """Three bitcoin are hot; of a watched cold wallet nothing is known to the signer but a name."""
    database = custody.database
    await database.write("insert into custody.asset values (1, 1, '', 'BTC', 8, 8, 0, 0)")
    await database.write(
        "insert into custody.key_branch values (1, 'cold', 1, $1, $2, 0)",
        cold_keys.SCHEME,
        cold_keys.KEYS,
    )
    await database.write(
        "insert into custody.address (network_id, key, text, branch, generation, path_index)"
        " values (1, $1, '', 'cold', 1, 0)",
        cold_keys.wallet().at(0).output,
    )
    nodes = custody.adapter._nodes
    holds = BitcoinTreasury(NETWORK, REGTEST, nodes, database, SETTINGS, Random(2))
    numbers = iter(range(1, 100))
    return Treasury(
        database, custody.adapter, holds, Signer(), lambda: next(numbers).to_bytes(16, "big")
    )


async def look(custody: Custody) -> Look:
    """Reconciles; the watermark of the scan is the custody's own."""
    height = len(custody.scanned) - 1
    await custody.database.write(
        "insert into custody.block values (1, $1, $2, '', 0, '') on conflict do nothing",
        height,
        custody.scanned[-1],
    )
    found = Reconciliation(custody.database, 1, count_coins, (), Rules(3))
    return await found.look()


async def bounds(custody: Custody, floor: int, target: int, ceiling: int) -> None:
    await custody.database.write(
        "insert into custody.treasury_bounds values (1, 1, $1, $2, $3)", floor, target, ceiling
    )


async def book(custody: Custody) -> dict[str, int]:
    async with custody.database.connection() as connection:
        balances = await postings.read_balances(connection, 1)
    return {account: atoms for (_, account), atoms in balances.items() if atoms}


async def run(custody: Custody, treasury: Treasury, rounds: int = 5) -> None:
    """Steps and blocks, with a look at the books after each."""
    for _ in range(rounds):
        await treasury.step()
        assert (await look(custody)).findings == ()
        await custody.mine(1)
        assert (await look(custody)).findings == ()


async def sweep(custody: Custody, treasury: Treasury) -> int:
    """Two bitcoin of three go to the cold place; the fee."""
    await custody.mine(3)
    await look(custody)
    await bounds(custody, COIN // 2, COIN, 2 * COIN)
    await run(custody, treasury, 6)
    row = await custody.database.read_row("select fee_atoms from custody.attempt")
    assert row is not None
    return int(row["fee_atoms"])


async def test_what_is_above_the_ceiling_goes_to_the_cold_place_and_the_book_with_it(
    custody: Custody, treasury: Treasury
) -> None:
    fee = await sweep(custody, treasury)
    assert await book(custody) == {
        Account.HOT: COIN - fee,
        Account.COLD: 2 * COIN,
        Account.NETWORK_COST: fee,
        Account.UNCLAIMED: -3 * COIN,
    }
    states = await custody.database.read("select state, kind from custody.attempt")
    assert [tuple(row) for row in states] == [("final", "to_cold")]
    await check_signers_view(custody)
    # What is cold is no coin of a payout, however large.
    with pytest.raises(Stuck) as stuck:
        await custody.attempt([payout_of(custody, ScriptKind.P2WPKH, 2 * COIN)])
    assert stuck.value.condition is Condition.HOT_WALLET_UNFUNDED


@dataclass
class PublicKeys:
    """Keys of the test's places, for a signer that only reads."""

    def public_key(self, network: NetworkPolicy, place: intent_pb2.KeyPlace) -> bytes:
        assert place.branch in network.branches
        return key_of(place.branch, place.index).public_key.format()

    def sign(self, network: NetworkPolicy, place: intent_pb2.KeyPlace, digest: bytes) -> Any:
        raise NotImplementedError

    def branch_key(self, network: NetworkPolicy, branch: str) -> str:
        raise NotImplementedError


async def check_signers_view(custody: Custody) -> None:
    """The real signer takes the intent as one that pays nobody, if the address is on its list."""
    row = await custody.database.read_row("select intent from custody.attempt_plan")
    assert row is not None
    intent = intent_pb2.Intent.FromString(row["intent"])
    assert intent.kind == intent_pb2.INTENT_KIND_INTERNAL
    places = {name: f"m/0'/{name}" for name in ("hot", "change", "deposit")}
    policy = NetworkPolicy(1, "bitcoin", "regtest", 0, places, {}, 1_000_000)
    with pytest.raises(Rejected) as rejected:
        transactions.read(intent.bitcoin, policy, PublicKeys(), {})
    assert rejected.value.reason == "NOT_OURS"
    cold = address_of(cold_keys.wallet().at(0).output, REGTEST)
    listed = replace(policy, listed_destinations=frozenset({cold}))
    draft, _ = transactions.read(intent.bitcoin, listed, PublicKeys(), {})
    assert draft.payments == ()


async def test_a_transfer_that_the_signer_refuses_waits_and_is_signed_once_it_may_be(
    custody: Custody, treasury: Treasury
) -> None:
    await custody.mine(3)
    await bounds(custody, COIN // 2, COIN, 2 * COIN)
    refusing = replace(treasury, signer=Refusing())
    for _ in range(3):
        await refusing.step()
    rows = await custody.database.read(
        "select state, condition from custody.treasury_transfer "
        "join custody.attempt using (attempt_id)"
    )
    assert [tuple(row) for row in rows] == [("planned", "SignerUnavailable")]
    await treasury.step()
    rows = await custody.database.read("select state from custody.attempt")
    assert [row["state"] for row in rows] == ["signed"]


async def test_two_of_three_people_refill_the_hot_wallet_and_what_waited_is_payable(
    custody: Custody, treasury: Treasury
) -> None:
    before = await sweep(custody, treasury)
    await custody.database.write("delete from custody.treasury_bounds")
    number, text = await treasury.refill(COIN + 5)
    told = custody.regtest.call("decodepsbt", text)
    assert told["tx"]["vout"][0]["value"] == pytest.approx(1.00000005)
    first = sign_by_node(custody.regtest, PEOPLE[2], text)
    assert await treasury.take(number, first) == (1, 2)
    await treasury.step()
    assert custody.regtest.call("getrawmempool") == []
    with pytest.raises(Rejected) as rejected:
        await treasury.take(number, first)
    assert rejected.value.reason == "NO_NEW_SIGNATURE"
    assert await treasury.take(number, sign_by_node(custody.regtest, PEOPLE[0], text)) == (2, 2)
    payout = payout_of(custody, ScriptKind.P2TR, COIN + COIN // 2)
    with pytest.raises(Stuck) as stuck:
        await custody.attempt([payout])
    assert stuck.value.condition is Condition.HOT_WALLET_UNFUNDED
    await run(custody, treasury)
    fee = (await book(custody))[Account.NETWORK_COST] - before
    assert await book(custody) == {
        Account.HOT: 2 * COIN - before + 5,
        Account.COLD: COIN - fee - 5,
        Account.NETWORK_COST: before + fee,
        Account.UNCLAIMED: -3 * COIN,
    }
    attempt = await custody.attempt([payout])
    assert attempt.fee_atoms_max > 0
    assert await custody.database.read("select 1 from custody.owned_input") == []


async def test_a_file_of_another_transaction_or_with_foreign_signatures_is_refused(
    custody: Custody, treasury: Treasury
) -> None:
    await sweep(custody, treasury)
    await custody.database.write("delete from custody.treasury_bounds")
    number, text = await treasury.refill(COIN // 10)
    with pytest.raises(Stuck):
        # All that is cold is in the first one.
        await treasury.refill(COIN // 10)
    for other in ("", "cHNidP8=", text, json.dumps({"psbt": text})):
        with pytest.raises(Rejected):
            await treasury.take(number, other)
    with pytest.raises(Rejected) as rejected:
        await treasury.take(number + 1, text)
    assert rejected.value.reason == "UNKNOWN_TRANSFER"
    rows = await custody.database.read("select texts from custody.treasury_transfer order by 1")
    assert [list(row["texts"]) for row in rows] == [[], []]


async def test_small_coins_become_one_in_a_cheap_hour_and_the_book_pays_the_fee(
    custody: Custody, treasury: Treasury
) -> None:
    address = address_of(script_at("hot", 0), REGTEST)
    for _ in range(2):
        custody.regtest.call("sendmany", "", {address: 0.001})
    for number in range(1, 31):
        custody.regtest.call("sendtoaddress", address, number / 1_000)
        if number % 15 == 0:
            await custody.mine(1)
    await custody.mine(3)
    await look(custody)
    await bounds(custody, 0, 10 * COIN, 10 * COIN)
    # A node of tests has no estimate: the fallback is the price, and here it is the usual one.
    usual = replace(SETTINGS.fees, long_term_rate=SETTINGS.fees.fallback_rate)
    assert isinstance(treasury.holds, BitcoinTreasury)
    holds = replace(treasury.holds, settings=replace(SETTINGS, fees=usual))
    await run(custody, replace(treasury, holds=holds), 2)
    assert await custody.database.read("select 1 from custody.treasury_transfer") == []
    before = await custody.database.read_row(UNSPENT)
    await run(custody, treasury, 6)
    after = await custody.database.read_row(UNSPENT)
    assert before is not None
    assert after is not None
    # Thirty-five coins, of which the ten largest stay.
    assert (before[0], after[0]) == (35, 11)
    transfers = await custody.database.read(
        "select source, target, state from custody.treasury_transfer "
        "join custody.attempt using (attempt_id)"
    )
    assert [tuple(row) for row in transfers] == [("hot", "hot", "final")]
    assert (await book(custody))[Account.NETWORK_COST] > 0
