"""Makes the look at one network: which chain counts its coins, which engines say what they owe.

Called by the worker and by the command. Libraries of a chain are imported only where it is served.
"""

from collections.abc import Mapping

import grpc.aio

from runtime.errors import ConfigurationError
from runtime.postgres import Database
from wallets.books.holdings import AsksBalances, Counts
from wallets.engines import Primary
from wallets.reconciliation.accounts import Accounts
from wallets.reconciliation.engine import Engine
from wallets.reconciliation.job import Reconciliation, Rules


def counts_of(chain: str) -> Counts | None:
    """How the scan alone counts a chain's coins; None where nodes are asked for them."""
    if chain == "bitcoin":
        from wallets.bitcoin.holdings import count_coins

        return count_coins
    return None


async def open_reconciliation(
    database: Database,
    network_id: int,
    channels: Mapping[int, tuple[grpc.aio.Channel, ...]],
    *,
    engine_stops: bool,
    balances: AsksBalances | None = None,
) -> Reconciliation:
    """For one network; without `balances` coins at accounts are not counted.

    Raises ConfigurationError when it is not registered.
    """
    row = await database.read_row(
        "select chain, deposit_final_depth from custody.chain where network_id = $1", network_id
    )
    if row is None:
        raise ConfigurationError(f"network {network_id} is not registered")
    engines = [Engine(shard, Primary(those)) for shard, those in channels.items()]
    rules = Rules(row["deposit_final_depth"], engine_stops=engine_stops)
    if balances is not None:
        accounts = Accounts(database, network_id, balances)
        return Reconciliation(
            database,
            network_id,
            accounts.count,
            engines,
            rules,
            accounts.prepare,
            accounts.was_taken,
        )
    return Reconciliation(database, network_id, counts_of(row["chain"]), engines, rules)
