"""Kill switches of accounts, markets, firms and the shard. Section 8; docs/semantics/risk.md.

Called by `system`. A switch refuses from its own command on; one that may meet more orders than one
command may touch cancels them in the work at the start of the next batches, never at once.
"""

from cambist.internal.journal.v1 import system_pb2
from cambist.orders.v1 import enums_pb2
from matching.reference import limits, order_events
from matching.reference.administration import Then, chosen_markets, tell_status
from matching.reference.errors import Refusal
from matching.reference.money import firm_account
from matching.reference.order_checks import market_of_command, refuse_if
from matching.reference.run import Run
from matching.reference.state import Market
from matching.reference.types import Account

R = enums_pb2
MARKET_ID_MAX = (1 << 32) - 1


def kill_switch(run: Run, sent: system_pb2.KillSwitch) -> Then:
    """Sets or takes back a switch. Raises what section 8 and the page of risk name."""
    if sent.scope == system_pb2.KILL_SCOPE_ACCOUNT:
        account = firm_account(run, sent.target_id)
        return lambda: kill_account(run, account, sent)
    if sent.scope == system_pb2.KILL_SCOPE_MARKET:
        return kill_market(run, sent)
    is_open = sent.scope == system_pb2.KILL_SCOPE_UNSPECIFIED
    refuse_if(is_open, R.REJECT_REASON_INVALID_PARAMETER)
    if run.rules_version >= limits.FULL_RULES:
        if sent.scope == system_pb2.KILL_SCOPE_FIRM:
            return kill_firm(run, sent)
        if sent.scope == system_pb2.KILL_SCOPE_ALL:
            return kill_all(run, sent)
    raise Refusal(R.REJECT_REASON_UNSUPPORTED)


def kill_account(run: Run, account: Account, sent: system_pb2.KillSwitch) -> None:
    """The flag, then its orders, in any phase."""
    account.killed = sent.active
    run.tell_system(kill_switch=sent)
    tell_status(run, account)
    if sent.active:
        for _, order in sorted(account.orders.items()):
            order_events.cancel_resting(run, order, R.CANCEL_REASON_KILLED)


def kill_market(run: Run, sent: system_pb2.KillSwitch) -> Then:
    """The flag; its book is cleared through a cursor."""
    refuse_if(sent.target_id > MARKET_ID_MAX, R.REJECT_REASON_UNKNOWN_MARKET)
    market = market_of_command(run, sent.target_id)
    market.killed = sent.active
    if sent.active:
        clear(market)
    return lambda: run.tell_system(kill_switch=sent)


def kill_firm(run: Run, sent: system_pb2.KillSwitch) -> Then:
    """The flag; the timers of its accounts with open orders are due at once."""
    state = run.state
    refuse_if(sent.target_id not in state.firms, R.REJECT_REASON_UNKNOWN_FIRM)
    if not sent.active:
        state.killed_firms.discard(sent.target_id)
        return lambda: run.tell_system(kill_switch=sent)
    state.killed_firms.add(sent.target_id)
    for account in state.accounts.values():
        is_due = 0 < account.cancel_all_at_ns <= run.now_ns
        if account.firm_id == sent.target_id and account.orders and not is_due:
            state.arm(account, run.now_ns)
    return lambda: run.tell_system(kill_switch=sent)


def kill_all(run: Run, sent: system_pb2.KillSwitch) -> Then:
    """The flag of the shard; every book is cleared through its cursor."""
    refuse_if(sent.target_id != 0, R.REJECT_REASON_INVALID_PARAMETER)
    run.state.killed = sent.active
    if sent.active:
        for market in chosen_markets(run, 0):
            clear(market)
    return lambda: run.tell_system(kill_switch=sent)


def clear(market: Market) -> None:
    """Begins to clear a market that has open orders, unless that is under way."""
    if market.open_count and not market.clearing:
        market.clearing, market.cleared_count = True, 0
