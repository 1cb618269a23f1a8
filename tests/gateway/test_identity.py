"""Keys in memory and rows that are over: what is forgotten, and what must not be."""

import time
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway import limits
from gateway.door.permissions import Scope
from gateway.errors import Rejected
from gateway.identity.callers import Callers
from gateway.identity.keys import KeyRecord
from gateway.identity.session_store import PreviousEnd, SessionStore
from gateway.identity.store import MIGRATIONS, KeyExists, KeyStore
from gateway.identity.tokens import Signer, Token
from gateway.identity.upkeep import forget_once
from runtime import migrations, postgres
from runtime.clock import NANOSECONDS_PER_SECOND, ManualClock
from runtime.postgres import Database
from runtime.settings import PostgresSettings

SECOND = NANOSECONDS_PER_SECOND


@pytest.fixture
async def database(postgres_settings: PostgresSettings) -> AsyncIterator[Database]:
    await migrations.migrate(postgres_settings, MIGRATIONS)
    opened = await postgres.connect(postgres_settings, application_name="test")
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def callers(database: Database, clock: ManualClock) -> Callers:
    return Callers(KeyStore(database), Signer(bytes(32)), clock, (100, 100))


def record(key_id: str, **fields: object) -> KeyRecord:
    values: dict[str, object] = {
        "firm_id": 1,
        "label": "",
        "public_keys": (Ed25519PrivateKey.generate().public_key().public_bytes_raw(),),
        "scopes": frozenset({Scope.READ}),
        "account_ids": (),
        "market_ids": (),
        "networks": (),
        "is_read_only": False,
        "orders_per_second": 0,
        "cancels_per_second": 0,
        "created_ns": 1,
        "expires_ns": 0,
        "revoked_ns": 0,
        "version": 0,
    }
    return KeyRecord(key_id=key_id, **{**values, **fields})  # type: ignore[arg-type]


async def test_a_key_of_the_database_is_what_was_put_in(database: Database) -> None:
    store = KeyStore(database)
    made = record("k", scopes=frozenset(Scope), account_ids=(4_096, 4_097), market_ids=(65_537,))
    await store.create(made)
    found = await store.find("k")
    assert found is not None
    assert found.version > 0
    assert found.scopes == made.scopes
    assert (found.account_ids, found.market_ids) == (made.account_ids, made.market_ids)
    assert found.public_keys == made.public_keys
    with pytest.raises(KeyExists):
        await store.create(made)
    assert await store.find("nobody") is None


async def test_a_key_with_a_stream_is_never_dropped_from_memory(
    callers: Callers, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KEYS_CACHED_MAX", 3)
    signer = Signer(bytes(32))

    def is_known(key_id: str) -> bool:
        token = signer.make_token(Token(key_id, 1, clock.wall_ns() + SECOND))
        return callers.known(token) is not None

    heard: list[str] = []
    with callers.watching(callers.keep(record("watched")), heard.append):
        for number in range(5):
            callers.keep(record(f"other-{number}"))
        assert is_known("watched")
        assert [is_known(f"other-{number}") for number in range(5)] == [False] * 3 + [True] * 2
    callers.keep(record("last"))
    callers.keep(record("very-last"))
    callers.keep(record("very-very-last"))
    assert not is_known("watched")
    assert heard == []


async def test_a_key_that_died_between_admission_and_its_stream_is_told_at_once(
    callers: Callers, database: Database
) -> None:
    store = KeyStore(database)
    await store.create(record("revoked"))
    await store.create(record("narrowed", scopes=frozenset(Scope)))
    admitted = {}
    for key_id in ("revoked", "narrowed"):
        found = await store.find(key_id)
        assert found is not None
        admitted[key_id] = callers.keep(found)
    await callers.look()
    await store.revoke("revoked", time.time_ns())
    await database.write(
        "update identity.api_key set scopes = '{READ}', version = nextval('identity.key_version')"
        " where key_id = 'narrowed'"
    )
    await callers.look()
    for key_id, reason in (("revoked", "KEY_REVOKED"), ("narrowed", "KEY_CHANGED")):
        heard: list[str] = []
        with callers.watching(admitted[key_id], heard.append):
            assert heard == [reason]


async def test_a_key_keeps_its_bucket_when_it_is_read_again(
    callers: Callers, clock: ManualClock
) -> None:
    now_ns = clock.monotonic_ns()
    assert callers.keep(record("k")).orders.take(100, now_ns)
    assert callers.keep(record("k", version=2)).orders.remaining(now_ns) == 0
    assert callers.keep(record("k", orders_per_second=7)).orders.remaining(now_ns) == 7


async def test_upkeep_forgets_what_is_over_and_nothing_else(database: Database) -> None:
    keys, sessions = KeyStore(database), SessionStore(database)
    now_ns = 10**18
    day_ns = limits.PREVIOUS_END_SECONDS * SECOND
    assert await keys.use_nonce(b"over", now_ns - limits.NONCE_SECONDS * SECOND - 1)
    assert await keys.use_nonce(b"live", now_ns)
    await sessions.remember_end("over", PreviousEnd(1, 2), now_ns - day_ns - 1)
    await sessions.remember_end("live", PreviousEnd(3, 4), now_ns - day_ns)
    await forget_once(keys, sessions, now_ns)
    assert await keys.use_nonce(b"over", now_ns)
    assert not await keys.use_nonce(b"live", now_ns)
    assert await sessions.take_end("over") is None
    assert await sessions.take_end("live") == PreviousEnd(3, 4)
    assert await sessions.take_end("live") is None


async def test_a_key_has_only_so_many_sessions(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SESSIONS_PER_KEY_MAX", 2)
    await KeyStore(database).create(record("k"))
    sessions = SessionStore(database)
    first = await sessions.negotiate("k", 1, "a", [1], 0)
    await sessions.negotiate("k", 1, "b", [1], 0)
    with pytest.raises(Rejected, match="TOO_MANY_SESSIONS"):
        await sessions.negotiate("k", 1, "c", [1], 0)
    assert await sessions.negotiate("k", 1, "a", [1], 0) == first
    wider = await sessions.negotiate("k", 1, "a", [1, 2], 0)
    assert (wider.session_id, wider.version) == (first.session_id, first.version + 1)
    assert await sessions.find(first.session_id) == wider
