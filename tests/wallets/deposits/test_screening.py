"""No verdict, no credit; one answer per deposit; what is held waits for two persons."""

from dataclasses import dataclass, field

import pytest

from runtime.errors import Unavailable
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.deposits.memory_blocks import ACCOUNT, SHARD, MemoryCredits, Scan, add_tier, pays
from wallets.bitcoin import coins
from wallets.deposits import held
from wallets.deposits.held import ReturnAccount
from wallets.deposits.screening import Screening
from wallets.errors import Rejected
from wallets.screening.switch import require
from wallets.screening.verdicts import Answer, Question, Subject, Verdict

PEOPLE = ("anna", "boris")
VENUE = 8192


@dataclass
class Screen:
    """Holds what it was told to, and may be away."""

    held: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    away: set[str] = field(default_factory=set)

    async def judge(self, question: Question) -> Answer:
        self.asked.append(question.txid)
        if question.txid in self.away:
            raise Unavailable("away")
        if question.txid in self.held:
            return Answer(Verdict.HOLD, "SANCTIONED", "case 7")
        return Answer(Verdict.ACCEPT, "CLEAR", "")


@dataclass
class Venue:
    """A scan, its engine and who is asked."""

    scan: Scan
    engine: MemoryCredits
    screen: Screen
    screening: Screening

    async def go(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.scan.chain.mine()
            await self.scan.catch_up()
            await self.engine.apply()

    async def deposit_id(self, txid: str) -> bytes:
        row = await self.scan.connection.fetchrow(
            "select deposit_id from custody.deposit where txid = $1", txid
        )
        assert row is not None
        return bytes(row["deposit_id"])


@pytest.fixture
async def venue(scan: Scan, engine: MemoryCredits) -> Venue:
    await add_tier(scan.connection, 1, 0, 1, 2)
    await require(scan.database, NETWORK_ID, Subject.DEPOSIT, PEOPLE, on=True)
    screen = Screen()
    return Venue(scan, engine, screen, Screening(scan.database, NETWORK_ID, screen))


async def test_nothing_is_credited_before_its_verdict(venue: Venue) -> None:
    venue.scan.chain.mine(pays("good"))
    await venue.go(4)
    assert await venue.scan.states() == {"good": "confirming"}
    assert await venue.screening.look() == 1
    await venue.go()
    assert venue.engine.balance == 1_000


async def test_a_deposit_is_asked_about_once_whatever_blocks_come_and_go(venue: Venue) -> None:
    venue.scan.chain.mine(pays("good"))
    await venue.go()
    for _ in range(3):
        await venue.screening.look()
        del venue.scan.chain.blocks[1:]
        await venue.go(2)
        venue.scan.chain.mine(pays("good"))
        await venue.go()
    assert venue.screen.asked == ["good"]
    assert venue.engine.done.count("credit") == 1


async def test_without_an_answer_a_deposit_waits_and_the_next_is_asked_about(venue: Venue) -> None:
    venue.screen.away.add("lost")
    venue.scan.chain.mine(pays("lost"), pays("good"))
    await venue.go()
    assert await venue.screening.look() == 1
    name = "select screening_condition from custody.chain"
    assert await venue.scan.connection.fetchval(name) == "ScreeningUnavailable"
    await venue.go()
    assert await venue.scan.states() == {"lost": "confirming", "good": "credited"}
    # Not at once: the pause between two questions about one deposit.
    await venue.screening.look()
    assert sorted(venue.screen.asked) == ["good", "lost"]
    venue.screen.away.clear()
    await venue.scan.connection.execute(
        "update custody.deposit_screening set asked_at = '-infinity'"
    )
    assert await venue.screening.look() == 1
    assert await venue.scan.connection.fetchval(name) == ""
    await venue.go()
    assert venue.engine.balance == 2_000


async def test_what_is_held_is_listed_and_stays_held_in_another_block(venue: Venue) -> None:
    venue.screen.held.add("bad")
    venue.scan.chain.mine(pays("bad"))
    await venue.go()
    await venue.screening.look()
    (one,) = await held.read_held(venue.scan.database, NETWORK_ID)
    assert (one.txid, one.reason, one.reference) == ("bad", "SCREENING_SANCTIONED", "case 7")
    del venue.scan.chain.blocks[1:]
    await venue.go(3)
    assert await venue.scan.states() == {"bad": "orphaned"}
    venue.scan.chain.mine(pays("bad"))
    await venue.go(3)
    assert await venue.scan.states() == {"bad": "held"}
    assert venue.engine.done == []


async def test_coins_without_a_verdict_pay_nobody(venue: Venue) -> None:
    venue.screen.held.add("bad")
    venue.scan.chain.mine(pays("bad"), pays("good"))

    async def spendable() -> list[str]:
        found = await coins.spendable(
            venue.scan.database,
            NETWORK_ID,
            tip_height=len(venue.scan.chain.blocks) - 1,
            deposit_depth=1,
            owned=(),
            coins_max=10,
        )
        return [one.outpoint for one in found]

    await venue.go()
    assert await spendable() == []
    await venue.screening.look()
    await venue.go()
    assert await spendable() == ["good:0"]


async def test_two_persons_release_a_held_deposit_and_it_is_credited_once(venue: Venue) -> None:
    venue.screen.held.add("bad")
    venue.scan.chain.mine(pays("bad"))
    await venue.go()
    await venue.screening.look()
    deposit_id = await venue.deposit_id("bad")
    await held.release(venue.scan.database, NETWORK_ID, deposit_id, PEOPLE)
    await venue.go(3)
    assert await venue.scan.states() == {"bad": "withdrawable"}
    assert (venue.engine.done, venue.screen.asked) == (["credit"], ["bad"])
    events = await venue.scan.connection.fetch(
        "select reason from custody.event where subject_id = $1 and actor = 'people'",
        "\\x" + deposit_id.hex(),
    )
    assert [row["reason"] for row in events] == ["released by anna and boris"]


async def test_a_return_is_credited_to_the_venues_account_in_every_later_block(
    venue: Venue,
) -> None:
    venue.screen.held.add("bad")
    venue.scan.chain.mine(pays("bad"))
    await venue.go()
    await venue.screening.look()
    deposit_id = await venue.deposit_id("bad")
    account = ReturnAccount(VENUE, SHARD)
    await held.give_back(venue.scan.database, NETWORK_ID, deposit_id, account, PEOPLE)
    del venue.scan.chain.blocks[1:]
    await venue.go(2)
    venue.engine.accounts = {VENUE}
    venue.scan.chain.mine(pays("bad"))
    await venue.go(3)
    assert await venue.scan.states() == {"bad": "withdrawable"}
    assert await venue.scan.connection.fetchval("select account_id from custody.deposit") == VENUE


@pytest.mark.parametrize(
    ("people", "reason"),
    [
        (("anna",), "TWO_PERSONS"),
        (("anna", "Anna "), "TWO_PERSONS"),
        (("anna", ""), "TWO_PERSONS"),
        (("anna", "boris", "carla"), "TWO_PERSONS"),
        (("anna", "b" * 101), "TWO_PERSONS"),
        (PEOPLE, "DEPOSIT_STATE"),
    ],
)
async def test_a_decision_that_may_not_be_is_refused_by_name(
    venue: Venue, people: tuple[str, ...], reason: str
) -> None:
    venue.scan.chain.mine(pays("good"))
    await venue.go()
    deposit_id = await venue.deposit_id("good")
    with pytest.raises(Rejected) as raised:
        await held.release(venue.scan.database, NETWORK_ID, deposit_id, people)
    assert raised.value.reason == reason
    assert await venue.scan.states() == {"good": "confirming"}


async def test_what_the_engine_has_in_suspense_is_not_released_here(venue: Venue) -> None:
    venue.engine.accounts.clear()
    venue.scan.chain.mine(pays("lost"))
    await venue.go()
    await venue.screening.look()
    await venue.go()
    assert await venue.scan.states() == {"lost": "held"}
    with pytest.raises(Rejected, match="IN_SUSPENSE"):
        await held.release(venue.scan.database, NETWORK_ID, await venue.deposit_id("lost"), PEOPLE)


async def test_the_account_that_was_paid_is_no_way_to_return(venue: Venue) -> None:
    venue.screen.held.add("bad")
    venue.scan.chain.mine(pays("bad"))
    await venue.go()
    await venue.screening.look()
    deposit_id = await venue.deposit_id("bad")
    for account in (ReturnAccount(ACCOUNT, SHARD), ReturnAccount(VENUE, SHARD + 1)):
        with pytest.raises(Rejected, match="RETURN_ACCOUNT"):
            await held.give_back(venue.scan.database, NETWORK_ID, deposit_id, account, PEOPLE)
    assert await venue.scan.states() == {"bad": "held"}
