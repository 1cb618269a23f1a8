"""Snapshots: canonical, whole at any point of a story, refused when they do not fit."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.engines import REFERENCE, Kind, load
from tests.differential.flow.messages import amount, atoms
from tests.reference.conftest import ENGINES
from tests.reference.venue import (
    BASE,
    BUY,
    FIRM,
    FIRST,
    GROUPED,
    GROUPED_STRANGER,
    OTHER_MARKET,
    QUOTE,
    SECOND,
    SECOND_NS,
    SELL,
    SESSION,
    STRANGER,
    Venue,
)

GTD = enums.TIME_IN_FORCE_GTD
DECREMENT = enums.SELF_TRADE_PREVENTION_DECREMENT


def story(venue: Venue) -> Iterator[None]:
    """Something of everything, one batch after the other."""
    asks = [venue.place(FIRST, SELL, 100 + number % 2, 5) for number in range(4)]
    for side, price in ((BUY, 1), (SELL, 1 << 53)):
        venue.place(GROUPED, side, price, 1, market_id=OTHER_MARKET)
    yield
    venue.place(STRANGER, BUY, 100, 7)
    yield
    life = {"time_in_force": GTD, "expire_time_ns": venue.now + SECOND_NS}
    dated = venue.place(SECOND, BUY, 95, 3, **life)
    yield
    venue.send(venue.amend(FIRST, asks[1].id, lots=3))
    venue.send(venue.amend(FIRST, asks[3].id, price=100))
    yield
    venue.place(GROUPED, SELL, 99, 5)
    venue.place(GROUPED_STRANGER, BUY, 99, 2, self_trade_prevention=DECREMENT)
    yield
    withdrawals = [venue.withdrawal(FIRST, QUOTE, 50, 2) for _ in range(3)]
    for sent in withdrawals:
        venue.send(sent)
    venue.custody(system.StartWithdrawal(withdrawal_id=withdrawals[0].request_id))
    for peer in (1, 4_000):
        out = {"peer_shard": peer, "account_id": FIRST, "asset_id": BASE}
        venue.custody(system.ShardTransferOut(amount_atoms=amount(3), **out))
    yield
    venue.in_session(venue.mass_cancel(SECOND, after_order_seq_no=2, side=SELL))
    venue.in_session(venue.order(SECOND, SELL, 110, 1), venue.order(SECOND, BUY, 90, 1))
    yield
    venue.send(venue.resolve(FIRST, b"z" * 16))
    venue.operate(system.SetAccountLimits(account_id=SECOND, frozen=True))
    venue.update_market(OTHER_MARKET, price_step_ticks=5, taker_fee_ppm=9_999)
    yield
    venue.place(FIRST, BUY, 50, 9, market_id=OTHER_MARKET)
    venue.kill_market(OTHER_MARKET)
    yield
    venue.operate(system.SessionLost(session_id=SESSION, connection=1))
    yield
    venue.establish(SESSION, FIRM, (FIRST, SECOND, GROUPED))
    venue.send(dated.sent)
    yield
    venue.wait(SECOND_NS)
    venue.custody(system.SettleWithdrawal(withdrawal_id=withdrawals[0].request_id))
    venue.custody(system.ReleaseWithdrawal(withdrawal_id=withdrawals[1].request_id))
    yield
    venue.send(venue.market_order(STRANGER, SELL, 4))
    venue.send(venue.mass_cancel(FIRST))
    yield


CHAPTERS = sum(1 for _ in story(Venue.founded(load(REFERENCE))))


def told(kind: Kind, restored_after: int) -> list[tuple[bytes, bytes]]:
    """State hash and snapshot after each chapter; a restore in between."""
    venue = Venue.founded(kind)
    found = []
    for number, _ in enumerate(story(venue)):
        found.append((venue.engine.state_hash, venue.engine.snapshot()))
        if number == restored_after:
            venue.restore()
            assert found[-1] == (venue.engine.state_hash, venue.engine.snapshot())
    return found


@pytest.mark.parametrize("chapter", range(CHAPTERS))
def test_a_restore_anywhere_changes_nothing_afterwards(engine: Kind, chapter: int) -> None:
    assert told(engine, chapter) == told(engine, CHAPTERS)


def test_every_engine_tells_the_same_story() -> None:
    stories = [told(load(name), CHAPTERS) for name in ENGINES]
    assert all(one == stories[0] for one in stories)


def test_an_engine_goes_on_where_another_one_stopped() -> None:
    for first in ENGINES:
        for second in ENGINES:
            venue = Venue.founded(load(first))
            for number, _ in enumerate(story(venue)):
                if number == CHAPTERS // 2:
                    venue.kind = load(second)
                    venue.restore()
            assert venue.engine.snapshot() == told(load(first), CHAPTERS)[-1][1]


def full_venue(engine: Kind) -> Venue:
    """A venue after its story, less the last chapter, which cleans up."""
    venue = Venue.founded(engine)
    for number, _ in enumerate(story(venue)):
        if number == CHAPTERS // 2:
            break
    return venue


def test_maps_are_written_in_the_order_of_their_keys(engine: Kind) -> None:
    state = full_venue(engine).state
    sections = snapshot_pb2.SessionsSection.FromString(state.head.sessions)
    assert len(state.keys.accounts) == 5
    maps: list[list[Any]] = [
        [asset.asset_id for asset in state.money.assets],
        [(row.account_id, row.asset_id) for row in state.money.balances],
        [row.deposit_id for row in state.money.deposits],
        [row.withdrawal_id for row in state.money.withdrawals],
        [row.source_id for row in state.money.sources],
        [book.market.market_id for book in state.books.books],
        [row.established.session_id for row in sections.sessions],
        [row.account_id for row in state.keys.accounts],
        *([key.id for key in row.keys] for row in state.keys.accounts),
        [row.firm.firm_id for row in state.limits.firms],
        [row.account.account_id for row in state.limits.accounts],
    ]
    for rows in maps:
        assert rows == sorted(set(rows))


def test_what_is_nothing_is_not_written(engine: Kind) -> None:
    venue = full_venue(engine)
    venue.set_available(STRANGER, BASE, 0)
    places = {(row.account_id, row.asset_id) for row in venue.state.money.balances}
    assert (STRANGER, BASE) not in places
    fresh = Venue.founded(engine)
    assert list(fresh.state.keys.accounts) == []
    assert fresh.state.head.triggers == b""


# --- what is refused


def load_refused(engine: Kind) -> type[Exception]:
    """What an engine raises for a snapshot."""
    module: Any = importlib.import_module(engine.name)
    refused: type[Exception] = module.SnapshotRefused
    return refused


Spoil = Callable[[Any], object]


def first_bid(section: snapshot_pb2.BooksSection) -> snapshot_pb2.OrderState:
    """A resting bid."""
    return next(book.bids[0] for book in section.books if book.bids)


def first_book(section: snapshot_pb2.BooksSection) -> Any:
    """The bids of a book that has some."""
    return next(book.bids for book in section.books if book.bids)


def withdraw_for_nobody(section: snapshot_pb2.MoneySection) -> None:
    """A withdrawal that holds nothing any more is of an account that is not there."""
    withdrawal = section.withdrawals[1]
    total = atoms(withdrawal.amount_atoms) + atoms(withdrawal.fee_atoms)
    (balance,) = (
        row
        for row in section.balances
        if (row.account_id, row.asset_id) == (withdrawal.account_id, withdrawal.asset_id)
    )
    balance.held_atoms = amount(atoms(balance.held_atoms) - total)
    withdrawal.phase = snapshot_pb2.WITHDRAWAL_PHASE_RELEASED
    withdrawal.account_id = 9_999


def forget_a_held_balance(section: snapshot_pb2.MoneySection) -> None:
    """The row of a balance that holds something is missing."""
    section.balances.remove(next(row for row in section.balances if row.held_atoms))


SPOILED: dict[str, tuple[str, type[Any], Spoil]] = {
    "an asset is missing": ("money", snapshot_pb2.MoneySection, lambda s: s.assets.pop()),
    "decimals without end": (
        "money",
        snapshot_pb2.MoneySection,
        lambda s: setattr(s.assets[0], "decimals", (1 << 32) - 1),
    ),
    "a hold is another": (
        "money",
        snapshot_pb2.MoneySection,
        lambda s: setattr(s.balances[-1], "held_atoms", amount(1)),
    ),
    "a balance of nobody": (
        "money",
        snapshot_pb2.MoneySection,
        lambda s: setattr(s.balances[-1], "account_id", 9_999),
    ),
    "an amount of 17 bytes": (
        "money",
        snapshot_pb2.MoneySection,
        lambda s: setattr(s.balances[-1], "available_atoms", b"\x01" * 17),
    ),
    "a withdrawal of nobody": ("money", snapshot_pb2.MoneySection, withdraw_for_nobody),
    "a hold without a balance": ("money", snapshot_pb2.MoneySection, forget_a_held_balance),
    "a withdrawal is missing": (
        "money",
        snapshot_pb2.MoneySection,
        lambda s: s.withdrawals.pop(),
    ),
    "a market of another shard": (
        "books",
        snapshot_pb2.BooksSection,
        lambda s: setattr(s.books[0].market, "market_id", 1),
    ),
    "an order is missing": ("books", snapshot_pb2.BooksSection, lambda s: first_book(s).pop()),
    "an order of nobody": (
        "books",
        snapshot_pb2.BooksSection,
        lambda s: setattr(first_bid(s), "account_id", 9_999),
    ),
    "a quantity that does not add up": (
        "books",
        snapshot_pb2.BooksSection,
        lambda s: setattr(first_bid(s), "cum_lots", 77),
    ),
    "an order of nothing": (
        "books",
        snapshot_pb2.BooksSection,
        lambda s: setattr(first_bid(s), "leaves_lots", 0),
    ),
    "another id": (
        "books",
        snapshot_pb2.BooksSection,
        lambda s: setattr(first_bid(s), "cl_ord_id", b"?" * 16),
    ),
    "an id is missing": ("keys", snapshot_pb2.KeysSection, lambda s: s.accounts[-1].keys.pop()),
    "ids of nobody": (
        "keys",
        snapshot_pb2.KeysSection,
        lambda s: setattr(s.accounts[-1], "account_id", 9_999),
    ),
    "a firm is missing": ("limits", snapshot_pb2.LimitsSection, lambda s: s.firms.pop()),
    "an account is missing": ("limits", snapshot_pb2.LimitsSection, lambda s: s.accounts.pop()),
    "a session of no firm": (
        "sessions",
        snapshot_pb2.SessionsSection,
        lambda s: setattr(s.sessions[0].established, "firm_id", 99),
    ),
    "an id of no kind": (
        "keys",
        snapshot_pb2.KeysSection,
        lambda s: setattr(s.accounts[0].keys[-1], "kind", 0),
    ),
    "an open id with a reason": (
        "keys",
        snapshot_pb2.KeysSection,
        lambda s: setattr(next(k for k in s.accounts[0].keys if k.open), "reason", 5),
    ),
    "a withdrawal in no state": (
        "money",
        snapshot_pb2.MoneySection,
        lambda s: setattr(s.withdrawals[0], "phase", 0),
    ),
    "a fee beyond the bound": (
        "books",
        snapshot_pb2.BooksSection,
        lambda s: setattr(first_bid(s), "maker_fee_ppm", -100_001),
    ),
    "limits of nothing": (
        "limits",
        snapshot_pb2.LimitsSection,
        lambda s: setattr(s.accounts[0].account.limits, "id_capacity", 0),
    ),
    "a session without a number": (
        "sessions",
        snapshot_pb2.SessionsSection,
        lambda s: setattr(s.sessions[0].established, "session_id", 0),
    ),
    "a session with a correlation": (
        "sessions",
        snapshot_pb2.SessionsSection,
        lambda s: setattr(s.sessions[0].established, "correlation", 1),
    ),
    "a session of another's account": (
        "sessions",
        snapshot_pb2.SessionsSection,
        lambda s: s.sessions[0].established.account_ids.append(STRANGER),
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_rows_that_do_not_fit_are_refused(engine: Kind, name: str) -> None:
    part, section_type, spoil = SPOILED[name]
    whole = full_venue(engine).state.head
    section = section_type.FromString(getattr(whole, part))
    spoil(section)
    setattr(whole, part, section.SerializeToString(deterministic=True))
    refused = load_refused(engine)
    with pytest.raises(refused):
        engine.restore(whole.SerializeToString(deterministic=True))


def state_hash(snapshot: bytes) -> bytes:
    """The state hash in a snapshot."""
    return snapshot_pb2.Snapshot.FromString(snapshot).state_hash


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:-1],
        lambda s: s + b"\x08\x01",
        lambda s: s + b"\x98\x06\x00",
        lambda s: b"\x08\x02" + s[2:],
        lambda s: s[:0],
        # One byte of the state hash less.
        lambda s: s.replace(b"\x32\x20" + state_hash(s), b"\x32\x1f" + state_hash(s)[1:]),
        lambda s: b"\xff" + s,
        lambda s: s[2:] + s[:2],
    ],
)
def test_bytes_that_are_not_canonical_are_refused(
    engine: Kind, spoil: Callable[[bytes], bytes]
) -> None:
    whole = full_venue(engine).engine.snapshot()
    assert engine.restore(whole).snapshot() == whole
    with pytest.raises(load_refused(engine)):
        engine.restore(spoil(whole))
