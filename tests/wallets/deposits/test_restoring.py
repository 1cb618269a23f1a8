"""Places of a database made anew: derived, given to whom they were, and never to anybody else."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from runtime import postgres
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.deposits.test_addresses import ALICE, BOB, PlainBranch, add_branch, ask
from wallets.deposits import limits
from wallets.deposits.restoring import Given, read_given, restore
from wallets.errors import Rejected

PEOPLE = ("anna", "boris")
PLACES = 500


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    await add_branch(custody, 1)
    database = await postgres.connect(postgres_settings, application_name="test")
    yield database
    await database.close()


def given(place: int, account_id: int = ALICE, generation: int = 1) -> Given:
    return Given(generation, place, account_id, 3, b"r%d" % place, f"public{generation}/{place}")


async def bring_back(database: Database, *those: Given, places: int = PLACES) -> int:
    return await restore(database, PlainBranch(), NETWORK_ID, places, those, PEOPLE)


async def listed(database: Database) -> list[Given]:
    return [one async for one in read_given(database, NETWORK_ID)]


async def test_what_was_listed_is_given_again_and_the_same_request_gets_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ADDRESSES_PAGE", 2)
    those = [given(4), given(77), given(78, BOB), given(PLACES - 1, BOB)]
    assert await bring_back(database, *those) == len(those)
    assert await listed(database) == those
    assert await ask(database, ALICE, b"r77") == "public1/77"
    # Again it changes nothing.
    assert await bring_back(database, *those) == 0
    assert await listed(database) == those


async def test_no_place_that_may_have_been_given_out_is_given_to_another(
    database: Database, custody: Connection
) -> None:
    await bring_back(database)
    assert await ask(database, ALICE, b"new") == f"public1/{PLACES}"
    # What a list names counts too, however few places were asked for; fewer take nothing back.
    await bring_back(database, given(PLACES + 300, BOB), places=0)
    assert await ask(database, ALICE, b"newer") == f"public1/{PLACES + 301}"
    last = await custody.fetchval("select max(path_index) from custody.address")
    assert last == PLACES + 301 + limits.LOOK_AHEAD


async def test_places_of_an_older_branch_come_back_from_the_list(
    database: Database, custody: Connection
) -> None:
    await add_branch(custody, 2)
    await custody.execute("update custody.key_branch set retired = true where generation = 1")
    old = given(30, generation=1)
    await bring_back(database, old, places=5)
    assert await listed(database) == [old]
    assert await ask(database, BOB, b"new") == "public2/5"


async def test_a_request_that_was_made_again_meanwhile_keeps_both_addresses(
    database: Database,
) -> None:
    assert await ask(database, ALICE, b"r77") == "public1/0"
    assert await bring_back(database, given(77)) == 1
    assert await ask(database, ALICE, b"r77") == "public1/0"
    assert [(one.place, one.account_id) for one in await listed(database)] == [
        (0, ALICE),
        (77, ALICE),
    ]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (replace(given(7), text="public9/7"), "OTHER_ADDRESS"),
        (replace(given(8), account_id=BOB), "ADDRESS_GIVEN"),
        (given(9, generation=4), "NO_BRANCH"),
        (given(limits.RESTORED_PLACES_MAX), "NO_BRANCH"),
    ],
)
async def test_a_list_that_is_not_this_networks_changes_nothing(
    database: Database, custody: Connection, wrong: Given, reason: str
) -> None:
    await bring_back(database, given(8))
    with pytest.raises(Rejected) as refused:
        await bring_back(database, given(6), wrong, places=PLACES + 1)
    assert refused.value.reason == reason
    assert await listed(database) == [given(8)]
    assert await custody.fetchval("select next_index from custody.key_branch") == PLACES


async def test_two_persons_restore_and_their_names_are_kept(
    database: Database, custody: Connection
) -> None:
    with pytest.raises(Rejected, match="TWO_PERSONS"):
        await restore(database, PlainBranch(), NETWORK_ID, 1, (), ("anna", " Anna"))
    with pytest.raises(Rejected, match="TOO_MANY_PLACES"):
        await bring_back(database, places=limits.RESTORED_PLACES_MAX + 1)
    await bring_back(database, given(1))
    row = await custody.fetchrow("select * from custody.event where kind = 'addresses'")
    assert row is not None
    assert (row["subject_id"], row["state_before"], row["state_after"]) == ("1/1", "0", "500")
    assert row["reason"] == "500 places and 1 owners restored by anna and boris"
