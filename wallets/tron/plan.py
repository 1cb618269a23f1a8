"""`python -m wallets.tron.plan`: how one transaction's energy would be paid, and why.

For operators. It asks no node and moves nothing: prices and stock are given, as a node shows them.
"""

import argparse
import json
import sys
from dataclasses import asdict

from wallets.errors import WalletError
from wallets.tron.planner import Policy, Prices, Stock, Task, plan

FIGURES = (
    # Name, default, meaning.
    ("amount-sun", 0, "TRX sent along"),
    ("size-bytes", 345, "bytes of the signed transaction and 64"),
    ("base-energy", 0, "energy of a fresh run at a node, without penalty"),
    ("energy-factor", 0, "penalty in ten-thousandths, of getcontractinfo"),
    ("balance-sun", 0, "TRX of the sender"),
    ("energy", 0, "energy of the sender"),
    ("staked-bandwidth-bytes", 0, "bandwidth of the sender's stake"),
    ("free-bandwidth-bytes", 0, "free bandwidth that is left"),
    ("delegable-energy", 0, "energy that the venue's stake can lend"),
    ("delegation-sun", 0, "cost of lending and reclaiming"),
    ("energy-price-sun", None, "getEnergyFee"),
    ("byte-price-sun", None, "getTransactionFee"),
    ("activation-sun", 1_000_000, "getCreateNewAccountFeeInSystemContract"),
    ("activation-bandwidth-sun", 100_000, "getCreateAccountFee"),
    ("memo-sun", 1_000_000, "getMemoFee"),
    ("margin-percent", 30, "on top of the estimate, for fee_limit"),
    ("cost-sun-max", 100_000_000, "highest cost"),
)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    asked = argparse.ArgumentParser(prog="python -m wallets.tron.plan", description=__doc__)
    for name, default, meaning in FIGURES:
        asked.add_argument(
            f"--{name}", type=int, default=default, required=default is None, help=meaning
        )
    asked.add_argument("--rental-sun", type=int, help="a rental service's price for what lacks")
    asked.add_argument("--activates", action="store_true", help="the recipient has no account")
    asked.add_argument("--memo", action="store_true", help="the transaction has a memo")
    return asked


def main(words: list[str]) -> int:
    """Prints the plan as JSON; 1 and the reason when there is none."""
    given = parser().parse_args(words)
    task = Task(
        given.amount_sun,
        given.size_bytes,
        given.base_energy,
        given.energy_factor,
        given.activates,
        given.memo,
    )
    stock = Stock(
        given.balance_sun,
        given.energy,
        given.staked_bandwidth_bytes,
        given.free_bandwidth_bytes,
        given.delegable_energy,
        given.delegation_sun,
        given.rental_sun,
    )
    prices = Prices(
        given.energy_price_sun,
        given.byte_price_sun,
        given.activation_sun,
        given.activation_bandwidth_sun,
        given.memo_sun,
    )
    try:
        made = plan(task, stock, prices, Policy(given.margin_percent, given.cost_sun_max))
    except WalletError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(asdict(made), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
