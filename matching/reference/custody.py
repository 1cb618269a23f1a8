"""Commands of custody and of two persons of the venue, numbered by source. Section 7.

Every rule gives the reason of its answer, unspecified when it was done; what it causes is told
behind the answer, so rules return what is to be told.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from cambist.internal.journal.v1 import snapshot_pb2, system_pb2
from cambist.orders.v1 import enums_pb2, events_pb2
from matching.reference import amounts, limits
from matching.reference.errors import Refusal
from matching.reference.money import (
    firm_account,
    judge_amount,
    judge_asset,
    judge_free,
    judge_funds,
    judge_room,
    tell_withdrawal,
)
from matching.reference.order_checks import refuse_if
from matching.reference.run import Run
from matching.reference.types import Deposit, Withdrawal

R = enums_pb2
SUSPENSE, EXTERNAL = limits.SUSPENSE_ACCOUNT, limits.EXTERNAL_ACCOUNT
REQUESTED = snapshot_pb2.WITHDRAWAL_PHASE_REQUESTED
STARTED = snapshot_pb2.WITHDRAWAL_PHASE_STARTED
SETTLED = snapshot_pb2.WITHDRAWAL_PHASE_SETTLED
RELEASED = snapshot_pb2.WITHDRAWAL_PHASE_RELEASED
VENUE_ACCOUNTS: Final = frozenset(
    {limits.FEES_ACCOUNT, limits.INSURANCE_ACCOUNT, SUSPENSE, EXTERNAL}
)
Reason: TypeAlias = "enums_pb2.RejectReason.ValueType"


def take_number(run: Run, source_id: int, source_seq: int) -> None:
    """Consumes the next number of a source. Raises what leaves it as it is."""
    refuse_if(source_id == 0, R.REJECT_REASON_INVALID_PARAMETER)
    last = run.state.sources.get(source_id, 0)
    refuse_if(source_seq <= last, R.REJECT_REASON_SOURCE_REPEAT)
    refuse_if(source_seq > last + 1, R.REJECT_REASON_SOURCE_GAP)
    is_new = source_id not in run.state.sources
    is_full = is_new and len(run.state.sources) >= limits.SOURCES_MAX
    refuse_if(is_full, R.REJECT_REASON_CAPACITY)
    run.state.sources[source_id] = source_seq


def tell_money(
    run: Run, account_id: int, kind: events_pb2.MoneyKind.ValueType, **fields: Any
) -> None:
    """A money report."""
    run.tell(account_id, money_report=events_pb2.MoneyReport(kind=kind, **fields))


# --- deposits


def credit(run: Run, sent: system_pb2.Credit) -> tuple[Reason, Callable[[], None]]:
    """Credits a deposit, for the first time or again."""
    amount = amounts.from_bytes(sent.amount_atoms)
    record = run.state.deposits.get(sent.deposit_id)
    reason: Reason = R.REJECT_REASON_UNSPECIFIED
    if record is not None:
        is_other = (
            record.credited
            or record.account_id not in (SUSPENSE, sent.account_id)
            or (record.asset_id, record.amount_atoms) != (sent.asset_id, amount)
        )
        refuse_if(is_other, R.REJECT_REASON_DEPOSIT_STATE)
        account_id = record.account_id
    else:
        judge_asset(run, sent.asset_id)
        judge_amount(amount)
        is_full = len(run.state.deposits) >= limits.DEPOSITS_MAX
        refuse_if(is_full, R.REJECT_REASON_CAPACITY)
        account_id = sent.account_id
        if account_id not in run.state.accounts:
            account_id, reason = SUSPENSE, R.REJECT_REASON_UNKNOWN_ACCOUNT
    judge_room(run, EXTERNAL, sent.asset_id, -amount)
    judge_room(run, account_id, sent.asset_id, amount)
    run.state.deposits[sent.deposit_id] = Deposit(account_id, sent.asset_id, amount, credited=True)
    move(run, EXTERNAL, account_id, sent.asset_id, amount)
    return reason, lambda: tell_money(
        run,
        account_id,
        events_pb2.MONEY_KIND_CREDIT,
        id=sent.deposit_id,
        asset_id=sent.asset_id,
        amount_atoms=amounts.to_bytes(amount),
    )


def move(run: Run, payer_id: int, receiver_id: int, asset_id: int, amount: int) -> None:
    """Free money from one account to another."""
    run.balance(payer_id, asset_id).available -= amount
    run.balance(receiver_id, asset_id).available += amount


def known_deposit(run: Run, deposit_id: bytes) -> Deposit:
    """Raises UNKNOWN_DEPOSIT."""
    record = run.state.deposits.get(deposit_id)
    if record is None:
        raise Refusal(R.REJECT_REASON_UNKNOWN_DEPOSIT)
    return record


def reverse_credit(run: Run, sent: system_pb2.ReverseCredit) -> tuple[Reason, Callable[[], None]]:
    """Takes a credit back; the account may go negative."""
    record = known_deposit(run, sent.deposit_id)
    refuse_if(not record.credited, R.REJECT_REASON_DEPOSIT_STATE)
    record.credited = False
    move(run, record.account_id, EXTERNAL, record.asset_id, record.amount_atoms)
    return R.REJECT_REASON_UNSPECIFIED, lambda: tell_money(
        run,
        record.account_id,
        events_pb2.MONEY_KIND_CREDIT_REVERSED,
        id=sent.deposit_id,
        asset_id=record.asset_id,
        amount_atoms=amounts.to_bytes(record.amount_atoms),
    )


def finalize_credit(run: Run, sent: system_pb2.FinalizeCredit) -> tuple[Reason, Callable[[], None]]:
    """The record goes."""
    known_deposit(run, sent.deposit_id)
    del run.state.deposits[sent.deposit_id]
    return R.REJECT_REASON_UNSPECIFIED, nothing


def nothing() -> None:
    """Nothing is told."""


# --- withdrawals


def known_withdrawal(run: Run, withdrawal_id: bytes, *phases: int) -> Withdrawal:
    """A withdrawal in one of these phases. Raises UNKNOWN_WITHDRAWAL, WITHDRAWAL_STATE."""
    withdrawal = run.state.withdrawals.get(withdrawal_id)
    if withdrawal is None:
        raise Refusal(R.REJECT_REASON_UNKNOWN_WITHDRAWAL)
    refuse_if(withdrawal.phase not in phases, R.REJECT_REASON_WITHDRAWAL_STATE)
    return withdrawal


def start_withdrawal(
    run: Run, sent: system_pb2.StartWithdrawal
) -> tuple[Reason, Callable[[], None]]:
    """Held to in flight: the point of no return."""
    withdrawal = known_withdrawal(run, sent.withdrawal_id, REQUESTED)
    judge_free(run, run.state.accounts[withdrawal.account_id])
    judge_funds(run, withdrawal.account_id, withdrawal.asset_id, 0)
    row = run.balance(withdrawal.account_id, withdrawal.asset_id)
    row.held -= withdrawal.total_atoms
    row.in_flight += withdrawal.total_atoms
    withdrawal.phase = STARTED
    return told(run, sent.withdrawal_id, events_pb2.MONEY_KIND_WITHDRAWAL_STARTED)


def settle_withdrawal(
    run: Run, sent: system_pb2.SettleWithdrawal
) -> tuple[Reason, Callable[[], None]]:
    """In flight to external and fees."""
    withdrawal = known_withdrawal(run, sent.withdrawal_id, STARTED)
    book_settlement(run, withdrawal, 1)
    withdrawal.phase = SETTLED
    return told(run, sent.withdrawal_id, events_pb2.MONEY_KIND_WITHDRAWAL_SETTLED)


def book_settlement(run: Run, withdrawal: Withdrawal, sign: int) -> None:
    """The booking of a settlement, or with -1 its undoing."""
    asset_id = withdrawal.asset_id
    row = run.balance(withdrawal.account_id, asset_id)
    row.in_flight -= sign * withdrawal.total_atoms
    run.balance(EXTERNAL, asset_id).available += sign * withdrawal.amount_atoms
    run.balance(limits.FEES_ACCOUNT, asset_id).available += sign * withdrawal.fee_atoms


def release_withdrawal(
    run: Run, sent: system_pb2.ReleaseWithdrawal
) -> tuple[Reason, Callable[[], None]]:
    """Held or in flight back to available."""
    withdrawal = known_withdrawal(run, sent.withdrawal_id, REQUESTED, STARTED)
    row = run.balance(withdrawal.account_id, withdrawal.asset_id)
    if withdrawal.phase == REQUESTED:
        row.held -= withdrawal.total_atoms
    else:
        row.in_flight -= withdrawal.total_atoms
    row.available += withdrawal.total_atoms
    withdrawal.phase = RELEASED
    return told(run, sent.withdrawal_id, events_pb2.MONEY_KIND_WITHDRAWAL_RELEASED)


def reopen_withdrawal(
    run: Run, sent: system_pb2.ReopenWithdrawal
) -> tuple[Reason, Callable[[], None]]:
    """Undoes a settlement."""
    withdrawal = known_withdrawal(run, sent.withdrawal_id, SETTLED)
    book_settlement(run, withdrawal, -1)
    withdrawal.phase = STARTED
    return told(run, sent.withdrawal_id, events_pb2.MONEY_KIND_WITHDRAWAL_REOPENED)


def finalize_withdrawal(
    run: Run, sent: system_pb2.FinalizeWithdrawal
) -> tuple[Reason, Callable[[], None]]:
    """The record goes."""
    known_withdrawal(run, sent.withdrawal_id, SETTLED, RELEASED)
    del run.state.withdrawals[sent.withdrawal_id]
    return R.REJECT_REASON_UNSPECIFIED, nothing


def told(
    run: Run, withdrawal_id: bytes, kind: events_pb2.MoneyKind.ValueType
) -> tuple[Reason, Callable[[], None]]:
    """Done, and its report."""
    withdrawal = run.state.withdrawals[withdrawal_id]
    return R.REJECT_REASON_UNSPECIFIED, lambda: tell_withdrawal(
        run, withdrawal_id, withdrawal, kind
    )


# --- shards and adjustments


def judge_peer(peer_shard: int) -> int:
    """IN_TRANSIT(peer). Raises INVALID_PARAMETER."""
    in_range = 1 <= peer_shard <= limits.PEER_SHARD_MAX
    refuse_if(not in_range, R.REJECT_REASON_INVALID_PARAMETER)
    return limits.IN_TRANSIT_BASE + peer_shard


def shard_transfer_out(
    run: Run, sent: system_pb2.ShardTransferOut
) -> tuple[Reason, Callable[[], None]]:
    """Account to in transit."""
    transit = judge_peer(sent.peer_shard)
    account = firm_account(run, sent.account_id)
    judge_asset(run, sent.asset_id)
    amount = amounts.from_bytes(sent.amount_atoms)
    judge_amount(amount)
    judge_free(run, account)
    judge_funds(run, account.account_id, sent.asset_id, amount)
    move(run, account.account_id, transit, sent.asset_id, amount)
    return R.REJECT_REASON_UNSPECIFIED, lambda: tell_money(
        run,
        account.account_id,
        events_pb2.MONEY_KIND_SHARD_OUT,
        asset_id=sent.asset_id,
        amount_atoms=amounts.to_bytes(amount),
    )


def shard_transfer_in(
    run: Run, sent: system_pb2.ShardTransferIn
) -> tuple[Reason, Callable[[], None]]:
    """In transit to account, or to suspense."""
    transit = judge_peer(sent.peer_shard)
    judge_asset(run, sent.asset_id)
    amount = amounts.from_bytes(sent.amount_atoms)
    judge_amount(amount)
    account_id, reason = sent.account_id, R.REJECT_REASON_UNSPECIFIED
    if account_id not in run.state.accounts:
        account_id, reason = SUSPENSE, R.REJECT_REASON_UNKNOWN_ACCOUNT
    judge_room(run, transit, sent.asset_id, -amount)
    judge_room(run, account_id, sent.asset_id, amount)
    move(run, transit, account_id, sent.asset_id, amount)
    return reason, lambda: tell_money(
        run,
        account_id,
        events_pb2.MONEY_KIND_SHARD_IN,
        asset_id=sent.asset_id,
        amount_atoms=amounts.to_bytes(amount),
    )


def adjust(run: Run, sent: system_pb2.Adjust) -> tuple[Reason, Callable[[], None]]:
    """Between any two accounts, by two persons."""
    payer, receiver = sent.from_account_id, sent.to_account_id
    is_one = sent.first_approver == sent.second_approver or payer == receiver
    refuse_if(is_one, R.REJECT_REASON_INVALID_PARAMETER)
    for account_id in (payer, receiver):
        is_known = account_id in run.state.accounts or account_id in VENUE_ACCOUNTS
        refuse_if(not is_known, R.REJECT_REASON_UNKNOWN_ACCOUNT)
    judge_asset(run, sent.asset_id)
    amount = amounts.from_bytes(sent.amount_atoms)
    judge_amount(amount)
    if payer in run.state.accounts:
        judge_funds(run, payer, sent.asset_id, amount)
    judge_room(run, payer, sent.asset_id, -amount)
    judge_room(run, receiver, sent.asset_id, amount)
    move(run, payer, receiver, sent.asset_id, amount)

    def tell() -> None:
        for account_id, other_id, change in ((payer, receiver, -amount), (receiver, payer, amount)):
            tell_money(
                run,
                account_id,
                events_pb2.MONEY_KIND_ADJUSTED,
                id=sent.adjustment_id,
                asset_id=sent.asset_id,
                amount_atoms=amounts.to_bytes(change),
                counterparty_account_id=other_id,
            )

    return R.REJECT_REASON_UNSPECIFIED, tell
