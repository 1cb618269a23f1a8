"""Bitcoin's coin selection: 10,000 mixed coins, 200 payouts, no exact match.

Called by `benchmarks.wallets`. Coins are rows of a real database: the figure holds the query for
those that are free, the search, and the plan for the signer.
"""

import time
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.results import Case, case_of
from benchmarks.wallets.sizes import Sizes
from runtime import embedded_postgres
from runtime.migrations import migrate
from runtime.postgres import Database, connect
from runtime.settings import PostgresSettings
from wallets.bitcoin import coins, planning
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.scripts import ScriptKind, script_of
from wallets.contract import PAYOUTS_MAX, Destination, Payout, Token, WithdrawalId
from wallets.schema import MIGRATIONS

COINS: Final = 10_000
ROUNDS: Final = 9
MILLISECONDS: Final = 1_000.0
# Dust to whole coins, odd amounts: what comes without change is nearly nothing.
AMOUNTS: Final = (1_000, 3_000_000)
KEY: Final = script_of(ScriptKind.P2WPKH, b"h" * 20)


async def measure(directory: Path, sizes: Sizes) -> list[Case]:
    """A plan, from the question to the intent; of the same size always, because it is quick."""
    del sizes
    server = embedded_postgres.start(directory / "postgres")
    try:
        settings = PostgresSettings.model_validate({"dsn": server.dsn})
        await migrate(settings, MIGRATIONS)
        database = await connect(settings, application_name="bench")
        try:
            await fill(database)
            rounds = [await plan_once(database, number) for number in range(ROUNDS + 1)]
        finally:
            await database.close()
    finally:
        server.stop()
    name = f"bitcoin plan: {COINS} coins, {PAYOUTS_MAX} payouts"
    return [
        case_of(name, "ms", [wall for wall, _ in rounds[1:]]),
        case_of(f"{name}, processor time of ours", "ms", [used for _, used in rounds[1:]]),
    ]


async def fill(database: Database) -> None:
    """The coins, on one address."""
    random = Random(1)
    await database.write(
        "insert into custody.chain values ('bitcoin', 'regtest', 1, $1)", REGTEST.genesis_hash
    )
    await database.write("insert into custody.key_branch values (1, 'hot', 1, 'p2wpkh', 'x', 0)")
    await database.write(
        "insert into custody.address (network_id, key, text, branch, generation, path_index)"
        " values (1, $1, '', 'hot', 1, 0)",
        KEY,
    )
    names = [f"{number:064x}:0" for number in range(COINS)]
    await database.write(
        "insert into custody.bitcoin_coin (network_id, outpoint, key, amount_atoms, is_coinbase, "
        "height, block_hash) select 1, c.name, $1, c.atoms, false, 1, '' "
        "from unnest($2::text[], $3::bigint[]) as c (name, atoms)",
        KEY,
        names,
        [2 * random.randint(*AMOUNTS) + 1 for _ in names],
    )
    await database.write("analyze custody.bitcoin_coin")


async def plan_once(database: Database, number: int) -> tuple[float, float]:
    """Milliseconds of one plan of a whole batch: by the clock, and of this process."""
    random = Random(number)
    script = script_of(ScriptKind.P2WPKH, b"r" * 20)
    payouts = [
        Payout(
            WithdrawalId(place.to_bytes(16, "big")),
            Destination("", script),
            Token(1, b"", 8),
            random.randint(10_000, 500_000),
        )
        for place in range(PAYOUTS_MAX)
    ]
    spending = planning.Spending(5_000, 5_000, 10**9, planning.Place("change", 0))
    started, used = time.perf_counter(), time.process_time()
    free = await coins.spendable(
        database, 1, tip_height=100, deposit_depth=3, owned=[], coins_max=COINS
    )
    planning.plan(b"i" * 16, 1, payouts, free, [], spending, random)
    ended, used = time.perf_counter(), time.process_time() - used
    return (ended - started) * MILLISECONDS, used * MILLISECONDS
