"""Plays of batches that must be refused as a whole: damaged bytes, wrong numbers, too much.

Each takes the batch for itself; nothing of it may change anything.
"""

from collections.abc import Callable
from typing import Final

from cambist.internal.journal.v1 import batch_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow import messages
from tests.differential.flow.flow import Flow
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.plays.sessions import establish
from tests.kernel.test_malformed import MALFORMED
from tests.kernel.wire import blob


def _send(flow: Flow, envelopes: list[messages.Envelope], **fields: int) -> None:
    """Sends these envelopes in a batch of their own with some fields of the batch changed."""
    batch = batch_pb2.Batch(
        shard=flow.world.shard,
        first_seq=flow.model.last_seq + 1,
        time_ns=flow.now,
        envelopes=envelopes,
    )
    for name, value in fields.items():
        setattr(batch, name, value)
    flow.override = batch.SerializeToString(deterministic=True)


def _clock(flow: Flow, count: int = 1) -> messages.Envelope:
    return messages.system_envelope([system.Clock()] * count, received_ns=flow.now)


def wrong_batch(flow: Flow) -> None:
    """Another shard, another sequence, a time that goes back, no envelope."""
    fields = flow.random.choice(
        (
            {"shard": flow.world.shard + 1},
            {"first_seq": flow.model.last_seq},
            {"first_seq": flow.model.last_seq + 2},
            {"first_seq": 0},
            {"time_ns": flow.now - 10**15},
            {"time_ns": -1},
        )
    )
    _send(flow, [_clock(flow)], **fields)


def no_envelope(flow: Flow) -> None:
    """A batch without commands."""
    _send(flow, [])


def too_many_commands(flow: Flow) -> None:
    """One command more than a batch may have, or more envelopes."""
    if flow.random.random() < 0.5:
        _send(flow, [_clock(flow, 1_000) for _ in range(10)] + [_clock(flow)])
    else:
        _send(flow, [_clock(flow)] * 4_097)


def damaged_batch(flow: Flow) -> None:
    """Bytes of a good batch, changed."""
    _send(flow, [_clock(flow), _good(flow)])
    assert flow.override is not None
    flow.override = _damaged(flow, flow.override)


def _good(flow: Flow) -> messages.Envelope:
    return messages.firm_envelope(
        enums.COMMAND_CLASS_UNARY, [messages.command(limit_order(flow))], received_ns=flow.now
    )


def _damaged(flow: Flow, data: bytes) -> bytes:
    """Bytes with one to three places changed, cut or grown."""
    random = flow.random
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(data) + 1)
        removed = random.choice((0, 0, 1, 2, 5))
        put = random.choice((b"", b"\x80", b"\xff", random.randbytes(1), random.randbytes(3)))
        data = data[:place] + put + data[place + removed :]
    return data


def damaged_envelopes(flow: Flow) -> None:
    """Bodies of envelopes with damaged bytes."""
    session = establish(flow, flow.world.sessions[0])
    bodies = (_good(flow), messages.system_envelope([session]), _clock(flow, 3))
    envelope = flow.random.choice(bodies)
    if envelope.commands:
        envelope.commands = _damaged(flow, envelope.commands)
    else:
        envelope.system_commands = _damaged(flow, envelope.system_commands)
    _send(flow, [_clock(flow), envelope])


def unfit_envelopes(flow: Flow) -> None:
    """Fields of envelopes that do not go together."""
    changes: tuple[Callable[[messages.Envelope], None], ...] = (
        lambda e: setattr(e, "count", 2),
        lambda e: setattr(e, "count", 0),
        lambda e: setattr(e, "count", 1_001),
        lambda e: setattr(e, "session_id", 5),
        lambda e: setattr(e, "received_ns", -1),
        lambda e: setattr(e, "command_class", enums.COMMAND_CLASS_SYSTEM),
        lambda e: setattr(e, "command_class", enums.COMMAND_CLASS_UNSPECIFIED),
        lambda e: setattr(e, "command_class", enums.COMMAND_CLASS_ORDER),
        lambda e: setattr(e, "commands", e.commands * 2),
        lambda e: setattr(e, "commands", b""),
        lambda e: setattr(e, "commands", e.commands * 1_001),
        lambda e: setattr(e, "commands", bytes((1 << 20) + 1)),
        lambda e: setattr(e, "commands", b"\x0a\x00"),
        lambda e: setattr(e, "system_commands", b"\x0a\x02\x7a\x00"),
    )
    envelope = _good(flow)
    flow.random.choice(changes)(envelope)
    _send(flow, [_clock(flow), envelope])


def every_fault(flow: Flow) -> None:
    """An envelope out of the table of faults, behind a good one."""
    if not flow.faults:
        flow.faults = flow.random.sample(FAULTS, len(FAULTS))
    data = flow.faults.pop()
    _send(flow, [_clock(flow)])
    assert flow.override is not None
    flow.override += blob(ENVELOPES_FIELD, data)


def unfit_messages(flow: Flow) -> None:
    """Commands that break a rule of decoding by their content."""
    good = messages.command(limit_order(flow))
    short, none, wrong = (commands.Command() for _ in range(3))
    for changed in (short, none, wrong):
        changed.CopyFrom(good)
    short.new_order.cl_ord_id = b"short"
    none.new_order.cl_ord_id = b""
    wrong.new_order.expires_after_ms = 60_001
    unordered = establish(flow, flow.world.sessions[0])
    unordered.account_ids.append(1)
    envelope = flow.random.choice(
        (
            messages.firm_envelope(enums.COMMAND_CLASS_UNARY, [short]),
            messages.firm_envelope(enums.COMMAND_CLASS_UNARY, [none]),
            messages.firm_envelope(enums.COMMAND_CLASS_UNARY, [wrong]),
            messages.firm_envelope(
                enums.COMMAND_CLASS_CANCEL, [good], session_id=1, connection=1, first_seq_no=1
            ),
            messages.system_envelope([unordered]),
            messages.system_envelope([system.CreateAsset(asset_id=5, symbol="x" * 33)]),
            messages.system_envelope([system.CreateFirm(firm_id=5)]),
        )
    )
    _send(flow, [_clock(flow), envelope])


ENVELOPES_FIELD: Final = 4
FAULTS: Final = [data for data, _, _, _ in MALFORMED.values() if len(data) < 1_000]
PLAYS: Final = (
    *((every_fault,) * 12),
    wrong_batch,
    wrong_batch,
    no_envelope,
    too_many_commands,
    damaged_batch,
    damaged_envelopes,
    damaged_envelopes,
    damaged_envelopes,
    unfit_envelopes,
    unfit_envelopes,
    unfit_messages,
    unfit_messages,
)
