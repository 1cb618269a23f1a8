"""`python -m wallets.tron.plan [payout | sweep | stake]`: what would be done, its cost, and why.

For operators. It asks no node and moves nothing: prices and stock are given, as a node shows them.
For a sweep the balance, energy and bandwidth are those of the deposit address.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from wallets.errors import WalletError
from wallets.tron import planner, staking, sweeping
from wallets.tron.limits import MOVE_EXPIRATION_MILLISECONDS
from wallets.tron.planner import Policy, Prices, Stock, Task

FIGURES: Final = (
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
    ("delegation-sun", 0, "cost of lending and reclaiming, for a payout"),
    ("energy-price-sun", None, "getEnergyFee"),
    ("byte-price-sun", None, "getTransactionFee"),
    ("activation-sun", 1_000_000, "getCreateNewAccountFeeInSystemContract"),
    ("activation-bandwidth-sun", 100_000, "getCreateAccountFee"),
    ("memo-sun", 1_000_000, "getMemoFee"),
    ("margin-percent", 30, "on top of the estimate, for fee_limit"),
    ("cost-sun-max", 100_000_000, "highest cost"),
    ("cost-percent-max", 5, "highest part of swept TRX that its sweep may cost"),
    ("transfer-bytes", 268, "of a top-up by the station"),
    ("loan-bytes", 283, "of a loan by the station"),
    ("staked-sun", 0, "stake of the station for energy, lent or not"),
    ("lent-sun", 0, "of it, lent"),
    ("needed-sun", 0, "stake whose energy of a day covers the need"),
    ("kept-sun", 0, "TRX of the station that is never staked"),
    ("stake-sun-min", 0, "least stake"),
    ("stake-sun-max", 0, "most stake"),
)
ANY_ACCOUNT: Final = b""
TOKEN, NATIVE = b"token", b""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    asked = argparse.ArgumentParser(prog="python -m wallets.tron.plan", description=__doc__)
    asked.add_argument("what", nargs="?", choices=list(PLANS), default="payout")
    for name, default, meaning in FIGURES:
        asked.add_argument(
            f"--{name}", type=int, default=default, required=default is None, help=meaning
        )
    asked.add_argument("--rental-sun", type=int, help="a rental service's price for what lacks")
    asked.add_argument("--activates", action="store_true", help="the recipient has no account")
    asked.add_argument("--no-account", action="store_true", help="the swept address has none")
    asked.add_argument("--memo", action="store_true", help="the transaction has a memo")
    return asked


def prices_of(given: argparse.Namespace) -> Prices:
    """What the chain asks."""
    return Prices(
        given.energy_price_sun,
        given.byte_price_sun,
        given.activation_sun,
        given.activation_bandwidth_sun,
        given.memo_sun,
    )


def plan_payout(given: argparse.Namespace) -> dict[str, Any]:
    """One transaction of a hot account. Raises WalletError."""
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
    policy = Policy(given.margin_percent, given.cost_sun_max)
    return asdict(planner.plan(task, stock, prices_of(given), policy))


def plan_sweep(given: argparse.Namespace) -> dict[str, Any]:
    """All steps of gathering one holding; without energy it is TRX. Raises WalletError."""
    contract = TOKEN if given.base_energy else NATIVE
    energy = planner.energy_of(Task(0, 1, given.base_energy, given.energy_factor, False, False))
    holding = sweeping.Holding(
        ANY_ACCOUNT,
        contract,
        1 if contract else given.balance_sun,
        not given.no_account,
        given.balance_sun,
        given.energy,
        given.staked_bandwidth_bytes,
        given.free_bandwidth_bytes,
        energy,
        given.size_bytes,
        given.activates,
        rental_sun=given.rental_sun,
    )
    station = sweeping.Station(0, given.delegable_energy, given.transfer_bytes, given.loan_bytes)
    policy = sweeping.SweepPolicy(
        {contract: 1}, given.cost_sun_max, given.cost_percent_max, given.margin_percent
    )
    return asdict(sweeping.plan(holding, station, prices_of(given), policy))


def plan_stake(given: argparse.Namespace) -> dict[str, Any]:
    """The change of the station's stake that is due, if any."""
    decision = staking.decide(
        staking.Stake(given.staked_sun, given.staked_sun - given.lent_sun, ()),
        staking.StakePolicy(given.kept_sun, given.stake_sun_max, given.stake_sun_min),
        balance_sun=given.balance_sun,
        needed_sun=given.needed_sun,
        now_ms=0,
        life_ms=MOVE_EXPIRATION_MILLISECONDS,
    )
    return {"change": None, "why": "nothing is due"} if decision is None else asdict(decision)


PLANS: Final[Mapping[str, Callable[[argparse.Namespace], dict[str, Any]]]] = {
    "payout": plan_payout,
    "sweep": plan_sweep,
    "stake": plan_stake,
}


def main(words: list[str]) -> int:
    """Prints the plan as JSON; 1 and the reason when there is none."""
    given = parser().parse_args(words)
    try:
        made = PLANS[given.what](given)
    except WalletError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(made, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
