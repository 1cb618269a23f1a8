"""Batches and single envelopes as bytes."""

import pytest

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2
from matching import engines
from matching.sequencer import envelopes, poison

CHECK = engines.load("auto").check_envelope


def test_a_batch_holds_its_envelopes_as_they_arrived() -> None:
    # Fields in an unusual order stay as they are.
    odd = b"\x28\x01\x08\x04" + batch_pb2.Envelope(correlation=5).SerializeToString()
    data = envelopes.batch(3, 17, 99, [odd, b""])
    batch = batch_pb2.Batch.FromString(data)
    assert (batch.shard, batch.first_seq, batch.time_ns) == (3, 17, 99)
    assert len(batch.envelopes) == 2
    assert odd in data


@pytest.mark.parametrize(
    "envelope",
    [
        envelopes.clock(5),
        envelopes.epoch_started(3, 5),
        envelopes.gateway_lost(2**63, 5),
        envelopes.command_poisoned(b"anything", 65_537, 5),
        envelopes.clock(-1),
    ],
)
def test_our_own_envelopes_are_well_formed(envelope: bytes) -> None:
    CHECK(envelope)


def session_envelope(count: int) -> bytes:
    orders = [
        commands_pb2.NewOrder(
            cl_ord_id=bytes([index]) * 16,
            account_id=4_096,
            market_id=65_537 + index,
            # Large enough for a length of two bytes.
            quote_budget_atoms=bytes(16),
            price_ticks=2**50,
            quantity_lots=2**50,
            sent_time_ns=2**62,
            expire_time_ns=2**62,
        )
        for index in range(count)
    ]
    commands = commands_pb2.Commands(
        commands=[commands_pb2.Command(new_order=order) for order in orders]
    )
    return batch_pb2.Envelope(
        command_class=enums_pb2.COMMAND_CLASS_ORDER,
        session_id=9,
        connection=2,
        first_seq_no=100,
        count=count,
        received_ns=7,
        commands=commands.SerializeToString(),
    ).SerializeToString()


def test_singles_hold_one_command_each_with_its_number() -> None:
    whole = batch_pb2.Envelope.FromString(session_envelope(5))
    parts = [
        batch_pb2.Envelope.FromString(single) for single in poison.singles(session_envelope(5))
    ]
    assert [part.first_seq_no for part in parts] == [100, 101, 102, 103, 104]
    assert b"".join(part.commands for part in parts) == whole.commands
    for part in parts:
        assert (part.session_id, part.connection, part.count, part.received_ns) == (9, 2, 1, 7)
        CHECK(part.SerializeToString())


def test_singles_of_the_venues_own_keep_their_correlation() -> None:
    body = system_pb2.SystemCommands(
        commands=[
            system_pb2.SystemCommand(halt=system_pb2.Halt(market_id=65_537)),
            system_pb2.SystemCommand(clock=system_pb2.Clock()),
        ]
    )
    envelope = batch_pb2.Envelope(
        command_class=enums_pb2.COMMAND_CLASS_SYSTEM,
        count=2,
        correlation=77,
        system_commands=body.SerializeToString(),
    ).SerializeToString()
    found = poison.singles(envelope)
    assert [batch_pb2.Envelope.FromString(single).correlation for single in found] == [77, 77]
    assert [poison.market_of(single) for single in found] == [65_537, 0]


@pytest.mark.parametrize(
    ("command", "market_id"),
    [
        (commands_pb2.Command(new_order=commands_pb2.NewOrder(market_id=65_540)), 65_540),
        (commands_pb2.Command(mass_cancel=commands_pb2.MassCancel(market_id=65_541)), 65_541),
        (
            commands_pb2.Command(
                replace=commands_pb2.Replace(new_order=commands_pb2.NewOrder(market_id=65_542))
            ),
            65_542,
        ),
        (commands_pb2.Command(cancel=commands_pb2.Cancel(order_id=1)), 0),
        (commands_pb2.Command(transfer=commands_pb2.Transfer(asset_id=1)), 0),
    ],
)
def test_the_market_of_a_command_is_found(command: commands_pb2.Command, market_id: int) -> None:
    single = batch_pb2.Envelope(
        command_class=enums_pb2.COMMAND_CLASS_UNARY,
        count=1,
        commands=commands_pb2.Commands(commands=[command]).SerializeToString(),
    ).SerializeToString()
    assert poison.market_of(single) == market_id
