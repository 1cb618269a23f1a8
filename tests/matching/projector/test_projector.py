"""The history holds what the events told, whatever the batches and whatever was interrupted."""

import asyncio
import contextlib
import random
from collections import defaultdict
from concurrent.futures import Executor
from typing import Any

import pytest

from cambist.internal.journal.v1 import snapshot_pb2, system_pb2
from cambist.orders.v1 import enums_pb2, events_pb2
from matching.errors import JournalCorrupt
from matching.journal.reader import JournalReader
from matching.journal.rows import JournalRow
from matching.projector.fold import Changes
from matching.projector.history_store import HistoryStore
from matching.projector.projector import Projector
from matching.release.directory import PRIVATE, Directory
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from tests.matching.projector.conftest import MakeProjector
from tests.matching.projector.journal import SHARD, Journal, store

TABLES = (
    "progress",
    "account_index",
    "markets",
    "orders",
    "refused_orders",
    "fills",
    "prevented_matches",
    "money",
    "venue_entries",
    "venue_balances",
    "candles",
)
Tables = dict[str, list[tuple[Any, ...]]]


async def read_tables(database: Database) -> Tables:
    """All tables of the history, each sorted."""
    return {
        table: sorted(
            tuple(record) for record in await database.read(f"select * from history.{table}")
        )
        for table in TABLES
    }


async def clear(database: Database) -> None:
    names = ", ".join(f"history.{table}" for table in TABLES)
    await database.write(f"truncate {names}")


def private_events(rows: list[JournalRow]) -> list[events_pb2.PrivateEvent]:
    """All private events, in journal order."""
    found: list[events_pb2.PrivateEvent] = []
    for row in rows:
        directory = Directory(row.events)
        for record in map(directory.record, range(directory.count)):
            if record.kind == PRIVATE:
                payload = directory.payload(record)
                found += events_pb2.PrivateEvents.FromString(payload).events
    return sorted(found, key=lambda event: event.seq)


async def test_any_split_into_batches_gives_the_same_tables(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = Journal(seed=11).play(120)
    await store(database, journal.rows)
    row_count = await make_projector().catch_up()
    whole = await read_tables(database)
    assert row_count == len(journal.rows)
    assert all(whole.values()), "every table is of use in this test"

    splits: list[dict[str, int]] = [
        {"rows_max": 1},
        {"rows_max": 7},
        {"bytes_max": 3_000},
        {"rows_max": 50, "bytes_max": 20_000},
    ]
    for bounds in splits:
        await clear(database)
        assert await make_projector(**bounds).catch_up() == row_count
        assert await read_tables(database) == whole


async def test_following_a_growing_journal_gives_the_same_tables(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = Journal(seed=12).play(80)
    pick = random.Random(12)
    projector, stored = make_projector(), 0
    while stored < len(journal.rows):
        count = pick.randint(1, 20)
        await store(database, journal.rows[stored : stored + count])
        stored += count
        await projector.catch_up()
        if pick.random() < 0.3:
            projector = make_projector()
    followed = await read_tables(database)
    await clear(database)
    await make_projector().catch_up()
    assert await read_tables(database) == followed


async def test_a_projector_cut_anywhere_leaves_nothing_twice_and_nothing_out(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = Journal(seed=13).play(100)
    await store(database, journal.rows)
    await make_projector().catch_up()
    whole = await read_tables(database)

    await clear(database)
    pick = random.Random(13)
    cuts = 0
    while True:
        running = asyncio.create_task(make_projector(rows_max=5).catch_up())
        done, _ = await asyncio.wait({running}, timeout=pick.uniform(0.001, 0.03))
        if done:
            running.result()
            break
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        cuts += 1
    assert cuts
    await make_projector().catch_up()
    assert await read_tables(database) == whole


class HardStore(HistoryStore):
    """Every third transaction fails, every third one commits and its answer is lost."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHARD)
        self.attempts = 0

    async def write(self, after_seq: int, changes: Changes) -> bool:
        self.attempts += 1
        if self.attempts % 3 == 0:
            raise Unavailable("nothing was sent")
        written = await super().write(after_seq, changes)
        if self.attempts % 3 == 1:
            raise Unknown("it was sent")
        return written


async def test_lost_answers_and_failures_change_nothing(
    database: Database, make_projector: MakeProjector, executor: Executor
) -> None:
    journal = Journal(seed=21).play(60)
    await store(database, journal.rows)
    await make_projector().catch_up()
    whole = await read_tables(database)

    await clear(database)
    hard = HardStore(database)
    projector = Projector(JournalReader(database, SHARD), hard, executor, rows_max=4)
    while (await read_tables(database))["progress"] != whole["progress"]:
        with contextlib.suppress(Unavailable, Unknown):
            await projector.catch_up()
    assert hard.attempts > len(journal.rows) / 4
    assert await read_tables(database) == whole


async def test_two_projectors_at_once_write_everything_once(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = Journal(seed=14).play(100)
    await store(database, journal.rows)
    await make_projector().catch_up()
    whole = await read_tables(database)

    await clear(database)
    both = [make_projector(rows_max=3) for _ in range(2)]
    while (await read_tables(database))["progress"] != whole["progress"]:
        await asyncio.gather(*(one.catch_up() for one in both))
    assert await read_tables(database) == whole


async def test_rows_that_are_gone_are_named_and_nothing_is_written(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = Journal(seed=15).play(10)
    await store(database, journal.rows[:4] + journal.rows[5:])
    projector = make_projector(rows_max=4)
    with pytest.raises(JournalCorrupt, match="the history ends at"):
        await projector.catch_up()
    assert projector.projected_seq == journal.rows[3].last_seq
    (progress,) = await database.read("select projected_seq from history.progress")
    assert progress[0] == journal.rows[3].last_seq


async def test_orders_end_as_their_events_tell(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = Journal(seed=16).play(200)
    await store(database, journal.rows)
    await make_projector(rows_max=3).catch_up()
    expected: dict[int, dict[str, Any]] = {}
    for event in private_events(journal.rows):
        report = event.execution_report
        if not report.order_id or report.repeat:
            continue
        order = expected.setdefault(report.order_id, {"cum_tick_lots": b""})
        order |= {"leaves_lots": report.leaves_lots, "cum_lots": report.cum_lots}
        order["last_event"] = event.SerializeToString()
        match report.exec_type:
            case enums_pb2.EXEC_TYPE_NEW:
                order |= {"tag": report.tag, "cl_ord_id": report.cl_ord_id}
                order |= {"price_ticks": report.price_ticks, "quantity_lots": report.quantity_lots}
                order["public_order_id"] = report.public_order_id
            case enums_pb2.EXEC_TYPE_REPLACED:
                order |= {"price_ticks": report.price_ticks, "quantity_lots": report.quantity_lots}
                order["public_order_id"] = report.public_order_id
            case enums_pb2.EXEC_TYPE_RESTATED:
                order["quantity_lots"] = report.quantity_lots
            case enums_pb2.EXEC_TYPE_TRADE:
                order["cum_tick_lots"] = report.cum_tick_lots
    records = await database.read("select * from history.orders")
    found = {record["order_id"]: dict(record) for record in records}
    assert found.keys() == expected.keys()
    for order_id, order in expected.items():
        assert {name: found[order_id][name] for name in order} == order


async def test_open_orders_of_the_history_are_those_of_the_engine(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = Journal(seed=17).play(200)
    await store(database, journal.rows)
    await make_projector(rows_max=10).catch_up()
    state = snapshot_pb2.Snapshot.FromString(journal.engine.snapshot())
    books = snapshot_pb2.BooksSection.FromString(state.books).books
    resting = {
        (order.account_id, order.order_id): (
            order.price_ticks,
            order.quantity_lots,
            order.leaves_lots,
            order.cum_lots,
            order.cum_tick_lots,
            order.public_order_id,
        )
        for book in books
        for order in (*book.bids, *book.asks)
    }
    assert resting
    records = await database.read(
        "select account_id, order_id, price_ticks, quantity_lots, leaves_lots, cum_lots,"
        " cum_tick_lots, public_order_id from history.orders where leaves_lots > 0"
    )
    assert {tuple(record)[:2]: tuple(record)[2:] for record in records} == resting


async def test_postings_sum_to_zero_per_row_and_to_the_engines_balances(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = Journal(seed=18).play(300)
    await store(database, journal.rows)
    await make_projector(rows_max=20).catch_up()
    kinds = {record[0] for record in await database.read("select kind from history.money")}
    assert kinds == {*events_pb2.MoneyKind.values()} - {events_pb2.MONEY_KIND_UNSPECIFIED}
    unbalanced = await database.read(
        "select e.first_seq, p.asset_id, sum(p.atoms) from history.postings p"
        " join journal.events e on e.shard = p.shard"
        " and p.seq between e.first_seq and e.last_seq"
        " group by 1, 2 having sum(p.atoms) <> 0"
    )
    assert unbalanced == []
    totals = await database.read(
        "select account_id, asset_id, sum(atoms) from history.postings group by 1, 2"
    )
    booked = {(account, asset): int(total) for account, asset, total in totals if total}
    state = snapshot_pb2.Snapshot.FromString(journal.engine.snapshot())
    balances: dict[tuple[int, int], int] = defaultdict(int)
    for row in snapshot_pb2.MoneySection.FromString(state.money).balances:
        for part in (row.available_atoms, row.held_atoms, row.in_flight_atoms):
            balances[row.account_id, row.asset_id] += int.from_bytes(part, "little", signed=True)
    assert booked == {key: total for key, total in balances.items() if total}


async def test_candles_hold_the_trades_of_each_minute(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = Journal(seed=19).play(200)
    await store(database, journal.rows)
    await make_projector(rows_max=2).catch_up()
    taken: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for event in private_events(journal.rows):
        report = event.execution_report
        if report.trade_id and report.liquidity == enums_pb2.LIQUIDITY_TAKER:
            minute = event.sequenced_ns // 60_000_000_000 * 60_000_000_000
            taken[report.market_id, minute].append((report.last_price_ticks, report.last_lots))
    expected = {
        key: (
            trades[0][0],
            max(price for price, _ in trades),
            min(price for price, _ in trades),
            trades[-1][0],
            sum(lots for _, lots in trades),
            len(trades),
        )
        for key, trades in taken.items()
    }
    records = await database.read("select * from history.candles")
    assert {
        (record["market_id"], record["minute_ns"]): tuple(record)[3:] for record in records
    } == expected
    assert any(candle[5] > 1 for candle in expected.values())


async def test_an_account_number_above_63_bits_is_kept_apart(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = Journal(seed=20)
    account = (1 << 64) - 5
    create = system_pb2.CreateAccount(account_id=account, firm_id=1)
    journal.commit(
        journal.of_system(
            system_pb2.SystemCommand(create_account=create), journal.credit(account, 1, 77)
        )
    )
    await store(database, journal.rows)
    await make_projector().catch_up()
    (record,) = await database.read("select atoms from history.money where account_id = -5")
    assert record[0] == 77
