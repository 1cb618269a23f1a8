"""Fees of single accounts, in one market or in all. docs/semantics/risk.md, section 4.

Called by `system`, and by `administration` for markets whose fees change. Orders freeze the fees of
their entry, so a tier never changes an order that is open.
"""

from collections.abc import Callable, Iterable, Mapping

from cambist.internal.journal.v1 import system_pb2
from cambist.orders.v1 import enums_pb2
from matching.reference import limits
from matching.reference.errors import Refusal
from matching.reference.money import firm_account
from matching.reference.order_checks import market_of_command, refuse_if
from matching.reference.run import Run
from matching.reference.state import State
from matching.reference.types import Fees, FeeTiers, MarketParameters

R = enums_pb2


def set_fee_tier(run: Run, sent: system_pb2.SetFeeTier) -> Callable[[], None]:
    """Sets or takes back a tier."""
    if run.rules_version < limits.FULL_RULES:
        raise Refusal(R.REJECT_REASON_UNSUPPORTED)
    account = firm_account(run, sent.account_id)
    if sent.market_id:
        market_of_command(run, sent.market_id)
    tiers, key = run.state.fee_tiers, (account.account_id, sent.market_id)
    fees = Fees(sent.maker_fee_ppm, sent.taker_fee_ppm)
    if sent.remove:
        refuse_if(any(fees), R.REJECT_REASON_INVALID_PARAMETER)
        tiers.pop(key, None)
    else:
        refuse_if(not are_in_bounds(fees), R.REJECT_REASON_INVALID_PARAMETER)
        is_full = key not in tiers and len(tiers) >= limits.FEE_TIERS_MAX
        refuse_if(is_full, R.REJECT_REASON_CAPACITY)
        wanted = {**tiers, key: fees}
        is_covered = are_covered(wanted, run.state.fees_of_markets())
        refuse_if(not is_covered, R.REJECT_REASON_INVALID_PARAMETER)
        run.state.fee_tiers = wanted
    return lambda: run.tell_system(fee_tier_set=sent)


def judge_market(state: State, market_id: int, parameters: MarketParameters) -> None:
    """Fees of a market beside the tiers of accounts. Raises INVALID_PARAMETER."""
    fees = Fees(parameters.maker_fee_ppm, parameters.taker_fee_ppm)
    is_right = are_covered(state.fee_tiers, {market_id: fees})
    refuse_if(not is_right, R.REJECT_REASON_INVALID_PARAMETER)


def are_in_bounds(fees: Fees) -> bool:
    """Whether a market or an account may have them."""
    return 0 <= fees.taker_ppm <= limits.FEE_PPM_MAX and abs(fees.maker_ppm) <= fees.taker_ppm


def are_covered(tiers: FeeTiers, markets: Mapping[int, Fees]) -> bool:
    """Whether no rebate is above a taker fee that pays for it, in any of these markets."""
    return all(
        is_covered([of_market, *concerning(tiers, market_id)])
        for market_id, of_market in markets.items()
    )


def concerning(tiers: FeeTiers, market_id: int) -> Iterable[Fees]:
    """The tiers that may rule in a market."""
    return (fees for (_, market), fees in tiers.items() if market in (0, market_id))


def is_covered(met: list[Fees]) -> bool:
    """Whether any two of these may trade with each other at no cost to the venue."""
    return min(fees.taker_ppm for fees in met) >= max(-fees.maker_ppm for fees in met)
