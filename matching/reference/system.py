"""Commands of the venue: each is answered first, then does what it causes. Sections 7 and 8."""

from collections.abc import Callable
from typing import Any, Final

from cambist.internal.journal.v1 import batch_pb2, frames_pb2, system_pb2
from cambist.orders.v1 import enums_pb2
from matching.reference import (
    administration,
    custody,
    fee_tiers,
    firm,
    kill_switches,
    sessions,
    trading_limits,
    triggers,
)
from matching.reference.administration import Then
from matching.reference.custody import nothing
from matching.reference.envelopes import open_envelope
from matching.reference.errors import MalformedEnvelope, Refusal
from matching.reference.requests import HALTED
from matching.reference.run import Run

R = enums_pb2
RULES: Final[dict[str, Callable[[Run, Any], Then]]] = {
    "create_asset": administration.create_asset,
    "create_market": administration.create_market,
    "update_market": administration.update_market,
    "set_phase": administration.set_phase,
    "halt": administration.halt,
    "resume": administration.resume,
    "set_reference_price": administration.set_reference_price,
    "create_firm": administration.create_firm,
    "create_account": administration.create_account,
    "set_account_limits": administration.set_account_limits,
    "set_fee_tier": fee_tiers.set_fee_tier,
    "set_trading_limits": trading_limits.set_trading_limits,
    "kill_switch": kill_switches.kill_switch,
    "bust_trade": administration.unsupported,
    "correct_trade": administration.unsupported,
    "clock": administration.no_operation,
    "skip_poison_command": administration.no_operation,
    "epoch_started": administration.epoch_started,
    "switch_rules": administration.switch_rules,
    "session_established": sessions.session_established,
    "session_lost": sessions.session_lost,
    "session_ended": sessions.session_ended,
    "gateway_lost": sessions.gateway_lost,
}
Numbered = Callable[[Run, Any], tuple[enums_pb2.RejectReason.ValueType, Then]]
NUMBERED_RULES: Final[dict[str, Numbered]] = {
    "credit": custody.credit,
    "reverse_credit": custody.reverse_credit,
    "finalize_credit": custody.finalize_credit,
    "start_withdrawal": custody.start_withdrawal,
    "settle_withdrawal": custody.settle_withdrawal,
    "release_withdrawal": custody.release_withdrawal,
    "reopen_withdrawal": custody.reopen_withdrawal,
    "finalize_withdrawal": custody.finalize_withdrawal,
    "shard_transfer_out": custody.shard_transfer_out,
    "shard_transfer_in": custody.shard_transfer_in,
    "adjust": custody.adjust,
}


def apply_envelope(run: Run, envelope: batch_pb2.Envelope, first_seq: int) -> None:
    """Class SYSTEM."""
    commands = system_pb2.SystemCommands.FromString(envelope.system_commands).commands
    for index, command in enumerate(commands):
        run.seq, run.received_ns = first_seq + index, envelope.received_ns
        name = command.WhichOneof("command")
        assert name is not None, "the strict decoder refuses an empty command"
        sent = getattr(command, name)
        if name == "command_poisoned":
            answer(run, envelope.correlation, index, R.REJECT_REASON_UNSPECIFIED)
            put_aside(run, sent)
        else:
            reason, then = carry_out(run, name, sent)
            answer(run, envelope.correlation, index, reason)
            then()
        triggers.cascade(run)


def answer(
    run: Run, correlation: int, index: int, reason: enums_pb2.RejectReason.ValueType
) -> None:
    """The answer to one command."""
    told = frames_pb2.SystemAnswer(correlation=correlation, index=index, reason=reason)
    run.tell_system(answer=told)


def carry_out(run: Run, name: str, sent: Any) -> tuple[enums_pb2.RejectReason.ValueType, Then]:
    """Judges and books; the reason, and what is told behind the answer."""
    try:
        if name in NUMBERED_RULES:
            custody.take_number(run, sent.source_id, sent.source_seq)
            return NUMBERED_RULES[name](run, sent)
        return R.REJECT_REASON_UNSPECIFIED, RULES[name](run, sent)
    except Refusal as refusal:
        return refusal.reason, nothing


def put_aside(run: Run, sent: system_pb2.CommandPoisoned) -> None:
    """A command that stopped the engine: its market halts, its sender is told."""
    market = run.state.markets.get(sent.market_id)
    run.tell_system(
        poison_noted=frames_pb2.PoisonNoted(market_id=market.market_id if market else 0)
    )
    if market is not None:
        run.set_phase(market, HALTED)
    try:
        envelope = open_envelope(sent.envelope)
    except MalformedEnvelope:
        return
    if envelope.count != 1:
        return
    if envelope.command_class == R.COMMAND_CLASS_SYSTEM:
        answer(run, envelope.correlation, 0, R.REJECT_REASON_POISONED)
        return
    firm.apply_envelope(run, envelope, run.seq, is_poisoned=True)
