"""Money that firms move themselves: Transfer, RequestWithdrawal. Section 7."""

from cambist.internal.journal.v1 import frames_pb2, snapshot_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2
from matching.reference import amounts, limits
from matching.reference.errors import Refusal
from matching.reference.order_checks import refuse_if
from matching.reference.run import Run
from matching.reference.types import Account, Withdrawal

REQUESTED = snapshot_pb2.WITHDRAWAL_PHASE_REQUESTED


def judge_asset(run: Run, asset_id: int) -> None:
    """Raises UNKNOWN_ASSET."""
    refuse_if(asset_id not in run.state.assets, enums_pb2.REJECT_REASON_UNKNOWN_ASSET)


def judge_amount(amount: int) -> None:
    """Raises INVALID_AMOUNT."""
    in_range = 1 <= amount <= limits.AMOUNT_ATOMS_MAX
    refuse_if(not in_range, enums_pb2.REJECT_REASON_INVALID_AMOUNT)


def judge_free(run: Run, account: Account) -> None:
    """Raises ACCOUNT_FROZEN, KILLED."""
    refuse_if(account.frozen, enums_pb2.REJECT_REASON_ACCOUNT_FROZEN)
    refuse_if(run.state.is_killed(account), enums_pb2.REJECT_REASON_KILLED)


def judge_room(run: Run, account_id: int, asset_id: int, change: int) -> None:
    """Raises BALANCE_OVERFLOW when what an account has free would pass the bound."""
    after = run.state.available(account_id, asset_id) + change
    is_over = abs(after) > limits.BALANCE_ATOMS_MAX
    refuse_if(is_over, enums_pb2.REJECT_REASON_BALANCE_OVERFLOW)


def judge_funds(run: Run, account_id: int, asset_id: int, amount: int) -> None:
    """Raises INSUFFICIENT_FUNDS."""
    is_poor = amount > run.state.available(account_id, asset_id)
    refuse_if(is_poor, enums_pb2.REJECT_REASON_INSUFFICIENT_FUNDS)


def firm_account(run: Run, account_id: int) -> Account:
    """An account of a firm. Raises UNKNOWN_ACCOUNT."""
    account = run.state.accounts.get(account_id)
    if account is None:
        raise Refusal(enums_pb2.REJECT_REASON_UNKNOWN_ACCOUNT)
    return account


def transfer(run: Run, payer: Account, sent: commands_pb2.Transfer) -> None:
    """Between two accounts of one firm. Raises Refusal."""
    is_self = sent.to_account_id == payer.account_id
    refuse_if(is_self, enums_pb2.REJECT_REASON_INVALID_COMBINATION)
    receiver = firm_account(run, sent.to_account_id)
    is_foreign = receiver.firm_id != payer.firm_id
    refuse_if(is_foreign, enums_pb2.REJECT_REASON_FOREIGN_ACCOUNT)
    judge_asset(run, sent.asset_id)
    amount = amounts.from_bytes(sent.amount_atoms)
    judge_amount(amount)
    judge_free(run, payer)
    judge_funds(run, payer.account_id, sent.asset_id, amount)
    judge_room(run, receiver.account_id, sent.asset_id, amount)
    run.balance(payer.account_id, sent.asset_id).available -= amount
    run.balance(receiver.account_id, sent.asset_id).available += amount
    for account_id, other_id, kind in (
        (payer.account_id, receiver.account_id, events_pb2.MONEY_KIND_TRANSFER_OUT),
        (receiver.account_id, payer.account_id, events_pb2.MONEY_KIND_TRANSFER_IN),
    ):
        report = events_pb2.MoneyReport(
            kind=kind,
            id=sent.request_id,
            asset_id=sent.asset_id,
            amount_atoms=amounts.to_bytes(amount),
            counterparty_account_id=other_id,
        )
        run.tell(account_id, money_report=report)


def request_withdrawal(run: Run, payer: Account, sent: commands_pb2.RequestWithdrawal) -> None:
    """Available to held, and custody is told. Raises Refusal."""
    judge_asset(run, sent.asset_id)
    amount = amounts.from_bytes(sent.amount_atoms)
    fee = amounts.from_bytes(sent.fee_atoms)
    judge_amount(amount)
    is_bad_fee = not 0 <= fee <= limits.AMOUNT_ATOMS_MAX
    refuse_if(is_bad_fee, enums_pb2.REJECT_REASON_INVALID_AMOUNT)
    is_late = sent.quote_expires_ns != 0 and run.now_ns > sent.quote_expires_ns
    refuse_if(is_late, enums_pb2.REJECT_REASON_EXPIRED)
    judge_free(run, payer)
    withdrawals = run.state.withdrawals
    refuse_if(sent.request_id in withdrawals, enums_pb2.REJECT_REASON_DUPLICATE_ID)
    refuse_if(len(withdrawals) >= limits.WITHDRAWALS_MAX, enums_pb2.REJECT_REASON_CAPACITY)
    judge_funds(run, payer.account_id, sent.asset_id, amount + fee)
    withdrawal = Withdrawal(payer.account_id, sent.asset_id, amount, fee, REQUESTED)
    withdrawals[sent.request_id] = withdrawal
    row = run.balance(payer.account_id, sent.asset_id)
    row.available -= withdrawal.total_atoms
    row.held += withdrawal.total_atoms
    kind = events_pb2.MONEY_KIND_WITHDRAWAL_REQUESTED
    tell_withdrawal(run, sent.request_id, withdrawal, kind)
    requested = frames_pb2.WithdrawalRequested(
        withdrawal_id=sent.request_id,
        account_id=payer.account_id,
        asset_id=sent.asset_id,
        network_id=sent.network_id,
        amount_atoms=amounts.to_bytes(amount),
        fee_atoms=amounts.to_bytes(fee),
        destination=sent.destination,
        quote_expires_ns=sent.quote_expires_ns,
    )
    run.tell_system(withdrawal_requested=requested)


def tell_withdrawal(
    run: Run,
    withdrawal_id: bytes,
    withdrawal: Withdrawal,
    kind: events_pb2.MoneyKind.ValueType,
) -> None:
    """A step of a withdrawal, told to its account."""
    report = events_pb2.MoneyReport(
        kind=kind,
        id=withdrawal_id,
        asset_id=withdrawal.asset_id,
        amount_atoms=amounts.to_bytes(withdrawal.amount_atoms),
        fee_atoms=amounts.to_bytes(withdrawal.fee_atoms),
    )
    run.tell(withdrawal.account_id, money_report=report)
