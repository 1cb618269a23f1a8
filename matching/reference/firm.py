"""Envelopes and commands of firms: the steps of section 3 that all kinds share."""

from typing import Any

from cambist.internal.journal.v1 import batch_pb2, frames_pb2, snapshot_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2
from matching.reference import (
    answers,
    limits,
    money,
    new_order,
    replacement,
    requests,
    triggers,
)
from matching.reference.body_hash import body_hash, member_of
from matching.reference.errors import Refusal
from matching.reference.order_checks import refuse_if
from matching.reference.requests import BURNT, Origin
from matching.reference.run import Run
from matching.reference.types import Account, Key, Session

R = enums_pb2
ORDER, CANCEL = R.COMMAND_CLASS_ORDER, R.COMMAND_CLASS_CANCEL
KINDS = {
    "new_order": snapshot_pb2.KEY_KIND_NEW_ORDER,
    "cancel": snapshot_pb2.KEY_KIND_CANCEL,
    "amend": snapshot_pb2.KEY_KIND_AMEND,
    "mass_cancel": snapshot_pb2.KEY_KIND_MASS_CANCEL,
    "transfer": snapshot_pb2.KEY_KIND_TRANSFER,
    "request_withdrawal": snapshot_pb2.KEY_KIND_WITHDRAWAL,
}
FULL_KINDS = KINDS | {
    "replace": snapshot_pb2.KEY_KIND_NEW_ORDER,
    "cancel_all_after": snapshot_pb2.KEY_KIND_CANCEL_ALL_AFTER,
}


def apply_envelope(
    run: Run, envelope: batch_pb2.Envelope, first_seq: int, *, is_poisoned: bool = False
) -> None:
    """Class ORDER, CANCEL or UNARY. A poisoned one has one command, with its cause's sequence."""
    commands = commands_pb2.Commands.FromString(envelope.commands).commands
    run.received_ns, run.seq = envelope.received_ns, first_seq
    if envelope.command_class not in (ORDER, CANCEL):
        origin = Origin(envelope.command_class, None, 0, is_poisoned)
        for index, command in enumerate(commands):
            run.seq = first_seq + index
            apply_command(run, command, origin, envelope)
            run_cascade(run, origin)
        return
    session = run.state.sessions.get(envelope.session_id)
    if not is_in_order(run, envelope, session):
        return
    assert session is not None, "it is in order"
    for index, command in enumerate(commands):
        run.seq = first_seq + index
        origin = Origin(envelope.command_class, session, envelope.first_seq_no + index, is_poisoned)
        apply_command(run, command, origin, envelope)
        run_cascade(run, origin)
    last = envelope.first_seq_no + envelope.count - 1
    if envelope.command_class == ORDER:
        session.last_order_seq_no = max(session.last_order_seq_no, last)
    else:
        session.last_cancel_seq_no = max(session.last_cancel_seq_no, last)
    session.last_used_ns = run.now_ns
    applied = events_pb2.BatchApplied(
        command_class=envelope.command_class,
        first_seq_no=envelope.first_seq_no,
        count=envelope.count,
    )
    run.tell_session(envelope.session_id, session.connection, applied=applied)
    if envelope.command_class == ORDER:
        session.early_cancels = [
            early
            for early in session.early_cancels
            if early.up_to_order_seq_no > session.last_order_seq_no
        ]


def run_cascade(run: Run, origin: Origin) -> None:
    """What a command made others do; what is put aside is part of another command."""
    if not origin.is_poisoned:
        triggers.cascade(run)


def is_in_order(run: Run, envelope: batch_pb2.Envelope, session: Session | None) -> bool:
    """Whether an envelope of a session is carried out; if not, `not_applied` is told."""
    not_applied = events_pb2.NotApplied(command_class=envelope.command_class)
    connection = session.connection if session else 0
    if session is None:
        not_applied.reason = R.REJECT_REASON_UNKNOWN_SESSION
    elif not session.connected or envelope.connection != session.connection:
        not_applied.reason = R.REJECT_REASON_OLD_CONNECTION
    else:
        is_order = envelope.command_class == ORDER
        last = session.last_order_seq_no if is_order else session.last_cancel_seq_no
        if envelope.first_seq_no <= last + 1:
            return True
        not_applied.from_seq_no = last + 1
        not_applied.count = envelope.first_seq_no - last - 1
    run.tell_session(envelope.session_id, connection, not_applied=not_applied)
    return False


def account_and_id(name: str, sent: Any) -> tuple[int, bytes]:
    """Whose command it is, and its id."""
    if name == "replace":
        return sent.new_order.account_id, sent.new_order.cl_ord_id
    if name == "new_list":
        return sent.orders[0].account_id, sent.request_id
    if name == "resolve":
        return sent.account_id, sent.id
    return sent.account_id, sent.cl_ord_id if name == "new_order" else sent.request_id


def apply_command(
    run: Run, command: commands_pb2.Command, origin: Origin, envelope: batch_pb2.Envelope
) -> None:
    """One command, from its account to its answer."""
    member, name, sent = member_of(command)
    account_id, id_ = account_and_id(name, sent)
    account = run.state.accounts.get(account_id)
    reason = permission(account, origin, account_id)
    if reason or account is None:
        refuse_nameless(run, origin, envelope, id_, reason)
        return
    try:
        kinds = FULL_KINDS if run.rules_version >= limits.FULL_RULES else KINDS
        if name not in kinds:
            without_key(run, account, name, sent, origin)
            return
        key = run.state.keys_of(account_id).by_id.get(id_)
        folded = body_hash(member, sent)
        if key is not None:
            known(run, account, name, sent, key, folded)
            return
        sent_time_ns = order_in(name, sent).sent_time_ns
        judge_time(run, account_id, sent_time_ns)
    except Refusal as refusal:
        answers.refuse(run, account_id, name, sent, refusal)
        return
    with_key(run, account, name, sent, origin, Key(id_, kinds[name], folded, sent_time_ns, run.seq))


def order_in(name: str, sent: Any) -> Any:
    """The message that carries the times of a command."""
    return sent.new_order if name == "replace" else sent


def permission(
    account: Account | None, origin: Origin, account_id: int
) -> enums_pb2.RejectReason.ValueType:
    """Why an account cannot even be told; unspecified when it can."""
    if account is None:
        return R.REJECT_REASON_UNKNOWN_ACCOUNT
    session = origin.session
    if session is not None:
        may = session.established.may_trade or origin.command_class != ORDER
        if account_id not in session.account_ids or not may:
            return R.REJECT_REASON_ACCOUNT_NOT_PERMITTED
    return R.REJECT_REASON_UNSPECIFIED


def refuse_nameless(
    run: Run,
    origin: Origin,
    envelope: batch_pb2.Envelope,
    id_: bytes,
    reason: enums_pb2.RejectReason.ValueType,
) -> None:
    """A refusal that no account may hear: the session, or the caller, hears it."""
    session = origin.session
    if session is None:
        answer = frames_pb2.SystemAnswer(correlation=envelope.correlation, reason=reason)
        run.tell_system(answer=answer)
        return
    refused = events_pb2.CommandRefused(
        command_class=origin.command_class, seq_no=origin.seq_no, id=id_, reason=reason
    )
    run.tell_session(envelope.session_id, session.connection, refused=refused)


def without_key(run: Run, account: Account, name: str, sent: Any, origin: Origin) -> None:
    """Resolve, and what later versions carry out. Raises Refusal."""
    refuse_if(origin.is_poisoned, R.REJECT_REASON_POISONED)
    refuse_if(name != "resolve", R.REJECT_REASON_UNSUPPORTED)
    requests.resolve(run, account, sent)


def known(run: Run, account: Account, name: str, sent: Any, key: Key, folded: int) -> None:
    """An id that was used before. Raises Refusal."""
    if key.kind == BURNT:
        raise Refusal(key.reason)
    is_same = key.kind == FULL_KINDS[name] and key.body_hash == folded
    refuse_if(not is_same, R.REJECT_REASON_ID_REUSED)
    answers.repeat_answer(run, account.account_id, name, sent, key)


def judge_time(run: Run, account_id: int, sent_time_ns: int) -> None:
    """Step 5. Raises STALE, SENT_TIME_AHEAD, which leave no key."""
    floor = run.state.keys_of(account_id).stale_floor_ns
    is_stale = sent_time_ns <= floor or sent_time_ns < run.now_ns - limits.RETENTION_NS
    refuse_if(is_stale, R.REJECT_REASON_STALE)
    is_ahead = sent_time_ns > run.now_ns + limits.SENT_TIME_AHEAD_NS
    refuse_if(is_ahead, R.REJECT_REASON_SENT_TIME_AHEAD)


def with_key(run: Run, account: Account, name: str, sent: Any, origin: Origin, key: Key) -> None:
    """Steps 6 to 8; whatever the answer, the id is kept."""
    try:
        carry_out(run, account, name, sent, origin, key)
    except Refusal as refusal:
        key.reason, key.detail = refusal.reason, refusal.phase
        answers.refuse(run, account.account_id, name, sent, refusal)
    keys = run.state.keys_of(account.account_id)
    keys.add(key)
    keys.trim(account.id_capacity)


def carry_out(run: Run, account: Account, name: str, sent: Any, origin: Origin, key: Key) -> None:
    """The command itself. Raises Refusal."""
    refuse_if(origin.is_poisoned, R.REJECT_REASON_POISONED)
    if name == "cancel_all_after":
        requests.cancel_all_after(run, account, sent)
        return
    timed = order_in(name, sent)
    life = timed.expires_after_ms * limits.NANOSECONDS_PER_MILLISECOND
    is_late = life > 0 and run.now_ns > timed.sent_time_ns + life
    refuse_if(is_late, R.REJECT_REASON_EXPIRED)
    if name in ("new_order", "replace"):
        if origin.session is not None and origin.command_class == ORDER:
            new_order.refused_when_overtaken(origin.session, timed, origin.seq_no)
        if name == "replace":
            order = replacement.replace(run, account, sent, origin.session)
        else:
            order = new_order.enter(run, account, sent, origin.session)
        key.order_id = order.order_id
        key.open = order.order_id in account.orders
    elif name == "cancel":
        key.order_id = requests.cancel(run, account, sent, origin)
    elif name == "amend":
        key.order_id = requests.amend(run, account, sent, origin)
    elif name == "mass_cancel":
        key.detail = requests.mass_cancel(run, account, sent, origin)
    elif name == "transfer":
        money.transfer(run, account, sent)
    else:
        money.request_withdrawal(run, account, sent)
