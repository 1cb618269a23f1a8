"""Every reason for which an envelope is malformed, with the command and the field it names."""

import importlib
import importlib.util
from types import ModuleType

import pytest

from cambist.internal.journal.v1 import batch_pb2
from cambist.internal.matching.v1 import matching_pb2 as reasons
from cambist.orders.v1 import commands_pb2
from tests.kernel.wire import blob, integer, tag, varint

ID = bytes(range(16))
ORDER, CANCEL, UNARY, SYSTEM = range(1, 5)
TRUNCATED = reasons.MALFORMED_REASON_TRUNCATED
UNKNOWN_FIELD = reasons.MALFORMED_REASON_UNKNOWN_FIELD
DUPLICATE_FIELD = reasons.MALFORMED_REASON_DUPLICATE_FIELD
WRONG_WIRE_TYPE = reasons.MALFORMED_REASON_WRONG_WIRE_TYPE
OVERLONG_VARINT = reasons.MALFORMED_REASON_OVERLONG_VARINT
OUT_OF_RANGE = reasons.MALFORMED_REASON_OUT_OF_RANGE
UNKNOWN_ENUM_VALUE = reasons.MALFORMED_REASON_UNKNOWN_ENUM_VALUE
BAD_UTF8 = reasons.MALFORMED_REASON_BAD_UTF8
BAD_LENGTH = reasons.MALFORMED_REASON_BAD_LENGTH
EMPTY_COMMAND = reasons.MALFORMED_REASON_EMPTY_COMMAND
WRONG_CLASS = reasons.MALFORMED_REASON_WRONG_CLASS
COUNT_MISMATCH = reasons.MALFORMED_REASON_COUNT_MISMATCH
TOO_LARGE = reasons.MALFORMED_REASON_TOO_LARGE
BAD_ENVELOPE = reasons.MALFORMED_REASON_BAD_ENVELOPE
BAD_LIST = reasons.MALFORMED_REASON_BAD_LIST

IMPLEMENTATIONS = [
    name
    for name in ("matching.reference.envelopes", "cambist_kernel")
    if importlib.util.find_spec(name.partition(".")[0]) is not None
]


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest) -> ModuleType:
    """A module with `check_envelope` and `MalformedEnvelope`."""
    return importlib.import_module(request.param)


def envelope(
    body: bytes, command_class: int = ORDER, count: int = 1, **fields: int | bytes
) -> bytes:
    """An envelope around a body; `fields` replace what its class needs."""
    values: dict[str, int | bytes] = {"command_class": command_class, "count": count}
    if command_class in (ORDER, CANCEL):
        values |= {"session_id": 5, "connection": 1, "first_seq_no": 1}
    values["system_commands" if command_class == SYSTEM else "commands"] = body
    message = batch_pb2.Envelope()
    for name, value in (values | fields).items():
        setattr(message, name, value)
    return message.SerializeToString()


def command(member: int, message: bytes) -> bytes:
    """A body with one command."""
    return blob(1, blob(member, message))


def order(extra: bytes = b"") -> bytes:
    """A NewOrder with its id and more fields."""
    return blob(1, ID) + extra


def new_order(extra: bytes = b"") -> bytes:
    return envelope(command(1, order(extra)))


def system(member: int, message: bytes) -> bytes:
    return envelope(command(member, message), SYSTEM)


GOOD_ORDER = command(1, order())
GOOD_CANCEL = command(2, blob(1, ID))


def packed(number: int, *values: int) -> bytes:
    return blob(number, b"".join(map(varint, values)))


MALFORMED = {
    # The envelope's own scan.
    "envelope tag cut": (b"\x80", TRUNCATED, 0, 0),
    "envelope tag overlong": (b"\x88\x00", OVERLONG_VARINT, 0, 0),
    "envelope field unknown": (integer(10, 1), UNKNOWN_FIELD, 0, 10),
    "envelope field zero": (b"\x00\x01", UNKNOWN_FIELD, 0, 0),
    "envelope field too large": (varint(1 << 32) + b"\x01", UNKNOWN_FIELD, 0, 0),
    "envelope wire type": (blob(1, b"\x01"), WRONG_WIRE_TYPE, 0, 1),
    "envelope group": (tag(1, 3), UNKNOWN_FIELD, 0, 1),
    "envelope field twice": (integer(5, 1) * 2, DUPLICATE_FIELD, 0, 5),
    "envelope class unknown": (integer(1, 5), UNKNOWN_ENUM_VALUE, 0, 1),
    "envelope count beyond 32 bits": (integer(5, 1 << 32), OUT_OF_RANGE, 0, 5),
    "envelope body cut": (tag(8, 2) + b"\x05abc", TRUNCATED, 0, 8),
    # Fields of the envelope that do not go together.
    "no class": (envelope(GOOD_ORDER, 0), BAD_ENVELOPE, 0, 0),
    "empty": (b"", BAD_ENVELOPE, 0, 0),
    "count zero": (envelope(GOOD_ORDER, count=0), BAD_ENVELOPE, 0, 0),
    "count above the bound": (envelope(GOOD_ORDER, count=1_001), BAD_ENVELOPE, 0, 0),
    "order without session": (envelope(GOOD_ORDER, session_id=0), BAD_ENVELOPE, 0, 0),
    "order without connection": (envelope(GOOD_ORDER, connection=0), BAD_ENVELOPE, 0, 0),
    "order without number": (envelope(GOOD_ORDER, first_seq_no=0), BAD_ENVELOPE, 0, 0),
    "number too large": (
        envelope(GOOD_ORDER, first_seq_no=(1 << 63) - 1),
        BAD_ENVELOPE,
        0,
        0,
    ),
    "number beyond 64 bits": (
        envelope(GOOD_ORDER, first_seq_no=(1 << 64) - 1),
        BAD_ENVELOPE,
        0,
        0,
    ),
    "received before 1970": (envelope(GOOD_ORDER, received_ns=-1), BAD_ENVELOPE, 0, 0),
    "unary with a session": (envelope(GOOD_ORDER, UNARY, session_id=1), BAD_ENVELOPE, 0, 0),
    "unary with two": (envelope(GOOD_ORDER * 2, UNARY, 2), BAD_ENVELOPE, 0, 0),
    "system with a connection": (
        envelope(command(15, b""), SYSTEM, connection=1),
        BAD_ENVELOPE,
        0,
        0,
    ),
    "both bodies": (
        envelope(GOOD_ORDER, system_commands=command(15, b"")),
        BAD_ENVELOPE,
        0,
        0,
    ),
    "system body for orders": (
        envelope(b"", system_commands=command(15, b"")),
        BAD_ENVELOPE,
        0,
        0,
    ),
    # Sizes.
    "body too long": (envelope(bytes((1 << 20) + 1)), TOO_LARGE, 0, 0),
    "too many commands": (envelope(GOOD_ORDER * 1_001, count=1_000), TOO_LARGE, 1_000, 0),
    "too many, the last one cut": (
        envelope(GOOD_ORDER * 1_000 + b"\x0a", count=1_000),
        TOO_LARGE,
        1_000,
        0,
    ),
    "no command": (envelope(b""), COUNT_MISMATCH, 0, 0),
    "fewer than count": (envelope(GOOD_ORDER, count=2), COUNT_MISMATCH, 0, 0),
    "more than count": (envelope(GOOD_ORDER * 2, count=1), COUNT_MISMATCH, 0, 0),
    "fault before count": (
        envelope(GOOD_ORDER * 2 + command(1, b""), count=9),
        BAD_LENGTH,
        2,
        1,
    ),
    # The body's scan.
    "body field unknown": (envelope(blob(2, b"")), UNKNOWN_FIELD, 0, 2),
    "body wire type": (envelope(integer(1, 1)), WRONG_WIRE_TYPE, 0, 1),
    "command cut": (envelope(b"\x0a\x05\x0a"), TRUNCATED, 0, 1),
    "index of the second": (envelope(GOOD_ORDER + b"\x0a\x05", count=2), TRUNCATED, 1, 1),
    "command empty": (envelope(blob(1, b"")), EMPTY_COMMAND, 0, 0),
    "member unknown": (envelope(command(14, b"")), UNKNOWN_FIELD, 0, 14),
    "member twice": (envelope(blob(1, blob(1, order()) * 2)), DUPLICATE_FIELD, 0, 1),
    "two members": (
        envelope(blob(1, blob(1, order()) + blob(2, blob(1, ID)))),
        DUPLICATE_FIELD,
        0,
        2,
    ),
    "cancel among orders": (envelope(GOOD_CANCEL), WRONG_CLASS, 0, 2),
    "order among cancels": (envelope(GOOD_ORDER, CANCEL), WRONG_CLASS, 0, 1),
    "transfer among cancels": (envelope(command(12, blob(1, ID)), CANCEL), WRONG_CLASS, 0, 12),
    # Fields of commands.
    "varint cut": (new_order(tag(2, 0) + b"\xff"), TRUNCATED, 0, 2),
    "varint missing": (new_order(tag(2, 0)), TRUNCATED, 0, 2),
    "varint overlong": (new_order(tag(2, 0) + b"\x80\x00"), OVERLONG_VARINT, 0, 2),
    "varint of eleven": (new_order(tag(2, 0) + b"\xff" * 10 + b"\x01"), OVERLONG_VARINT, 0, 2),
    "tenth byte": (new_order(tag(2, 0) + b"\xff" * 9 + b"\x02"), OVERLONG_VARINT, 0, 2),
    "enum varint overlong": (new_order(tag(4, 0) + b"\x81\x00"), OVERLONG_VARINT, 0, 4),
    "length overlong": (new_order(tag(9, 2) + b"\x80\x00"), OVERLONG_VARINT, 0, 9),
    "length beyond 64 bits": (new_order(tag(9, 2) + b"\xff" * 9 + b"\x7f"), OVERLONG_VARINT, 0, 9),
    "length past the end": (new_order(tag(9, 2) + b"\x10abc"), TRUNCATED, 0, 9),
    "length huge": (new_order(tag(9, 2) + varint((1 << 64) - 1)), TRUNCATED, 0, 9),
    "length judged before bounds": (new_order(tag(9, 2) + b"\x11"), TRUNCATED, 0, 9),
    "field unknown": (new_order(integer(23, 1)), UNKNOWN_FIELD, 0, 23),
    "field unknown, wire type 7": (new_order(tag(23, 7)), UNKNOWN_FIELD, 0, 23),
    "field known, wire type 7": (new_order(tag(3, 7)), WRONG_WIRE_TYPE, 0, 3),
    "field known, end of group": (new_order(tag(3, 4)), UNKNOWN_FIELD, 0, 3),
    "largest field number": (new_order(tag((1 << 29) - 1, 0)), UNKNOWN_FIELD, 0, (1 << 29) - 1),
    "wire type before value": (new_order(tag(2, 2)), WRONG_WIRE_TYPE, 0, 2),
    "field twice": (new_order(blob(1, ID)), DUPLICATE_FIELD, 0, 1),
    "field twice, the second cut": (new_order(integer(2, 1) + tag(2, 0)), DUPLICATE_FIELD, 0, 2),
    "uint32 too large": (new_order(integer(3, 1 << 32)), OUT_OF_RANGE, 0, 3),
    "bool two": (new_order(integer(13, 2)), OUT_OF_RANGE, 0, 13),
    "bool beyond 64 bits": (new_order(tag(13, 0) + b"\xff" * 10), OVERLONG_VARINT, 0, 13),
    "expires too late": (new_order(integer(11, 60_001)), OUT_OF_RANGE, 0, 11),
    "side unknown": (new_order(integer(4, 3)), UNKNOWN_ENUM_VALUE, 0, 4),
    "order type unknown": (new_order(integer(5, 9)), UNKNOWN_ENUM_VALUE, 0, 5),
    "time in force unknown": (new_order(integer(6, 8)), UNKNOWN_ENUM_VALUE, 0, 6),
    "prevention unknown": (new_order(integer(14, 6)), UNKNOWN_ENUM_VALUE, 0, 14),
    "enum negative": (new_order(integer(4, (1 << 64) - 1)), UNKNOWN_ENUM_VALUE, 0, 4),
    "budget of fifteen": (new_order(blob(9, bytes(15))), BAD_LENGTH, 0, 9),
    "id of seventeen": (envelope(command(1, blob(1, bytes(17)))), BAD_LENGTH, 0, 1),
    "id absent": (envelope(command(1, b"")), BAD_LENGTH, 0, 1),
    "id empty": (envelope(command(1, blob(1, b""))), BAD_LENGTH, 0, 1),
    "fault of a later field first": (envelope(command(1, integer(13, 2))), OUT_OF_RANGE, 0, 13),
    "resolve without id": (envelope(command(11, b""), CANCEL), BAD_LENGTH, 0, 2),
    "replace without order": (envelope(command(4, blob(1, ID))), BAD_LENGTH, 0, 1),
    "replace, order without id": (envelope(command(4, blob(2, b""))), BAD_LENGTH, 0, 1),
    "inner field, not outer": (
        envelope(command(4, blob(2, integer(3, 1 << 32)))),
        OUT_OF_RANGE,
        0,
        3,
    ),
    "list of one": (envelope(command(6, blob(1, ID) + blob(3, order()))), BAD_LIST, 0, 3),
    "list of four": (envelope(command(6, blob(1, ID) + blob(3, order()) * 4)), BAD_LIST, 0, 3),
    "list without id": (envelope(command(6, blob(3, order()))), BAD_LENGTH, 0, 1),
    "quote field unknown": (
        envelope(command(7, blob(1, ID) + blob(5, integer(6, 1)))),
        UNKNOWN_FIELD,
        0,
        6,
    ),
    "destination absent": (envelope(command(13, blob(1, ID))), BAD_LENGTH, 0, 7),
    "destination of 129": (
        envelope(command(13, blob(1, ID) + blob(7, b"x" * 129))),
        BAD_LENGTH,
        0,
        7,
    ),
    "destination not UTF-8": (
        envelope(command(13, blob(1, ID) + blob(7, b"\xc3\x28" * 200))),
        BAD_UTF8,
        0,
        7,
    ),
    "destination a surrogate": (
        envelope(command(13, blob(1, ID) + blob(7, b"\xed\xa0\x80"))),
        BAD_UTF8,
        0,
        7,
    ),
    # Commands of the venue.
    "system member unknown": (system(36, b""), UNKNOWN_FIELD, 0, 36),
    "clock with a field": (system(15, integer(1, 1)), UNKNOWN_FIELD, 0, 1),
    "asset without symbol": (system(1, integer(1, 1)), BAD_LENGTH, 0, 2),
    "symbol of 33": (system(1, blob(2, b"x" * 33)), BAD_LENGTH, 0, 2),
    "firm without name": (system(8, integer(1, 1)), BAD_LENGTH, 0, 2),
    "fee out of range": (
        system(2, blob(2, b"A") + blob(7, integer(7, 1 << 31))),
        OUT_OF_RANGE,
        0,
        7,
    ),
    "fee below the range": (
        system(2, blob(2, b"A") + blob(7, integer(7, (1 << 64) - (1 << 31) - 1))),
        OUT_OF_RANGE,
        0,
        7,
    ),
    "credit without deposit": (system(24, integer(1, 1)), BAD_LENGTH, 0, 3),
    "settle without withdrawal": (system(28, b""), BAD_LENGTH, 0, 3),
    "adjust without id": (system(34, b""), BAD_LENGTH, 0, 3),
    "adjust without approver": (system(34, blob(3, ID)), BAD_LENGTH, 0, 8),
    "adjust without second approver": (system(34, blob(3, ID) + blob(8, b"a")), BAD_LENGTH, 0, 9),
    "approver of 65": (system(34, blob(8, b"a" * 65)), BAD_LENGTH, 0, 8),
    "session without accounts": (system(20, integer(1, 1)), BAD_LIST, 0, 3),
    "accounts not packed": (system(20, integer(3, 1)), WRONG_WIRE_TYPE, 0, 3),
    "accounts equal": (system(20, packed(3, 5, 5)), BAD_LIST, 0, 3),
    "accounts descending": (system(20, packed(3, 5, 4)), BAD_LIST, 0, 3),
    "accounts too many": (system(20, packed(3, *range(1, 1_002))), BAD_LIST, 0, 3),
    "markets descending": (system(20, packed(3, 5) + packed(4, 2, 1)), BAD_LIST, 0, 4),
    "markets too many": (system(20, packed(3, 5) + packed(4, *range(1, 1_002))), BAD_LIST, 0, 4),
    "descending over two pieces": (system(20, packed(3, 5) + packed(3, 5)), BAD_LIST, 0, 3),
    "packed varint cut": (system(20, blob(3, b"\x80")), TRUNCATED, 0, 3),
    "packed varint overlong": (system(20, blob(3, b"\x80\x00")), OVERLONG_VARINT, 0, 3),
    "packed market too large": (system(20, packed(4, 1 << 32)), OUT_OF_RANGE, 0, 4),
    "list judged after the scan": (
        system(20, packed(3, 5, 4) + integer(10, 1)),
        UNKNOWN_FIELD,
        0,
        10,
    ),
}

WELL_FORMED = {
    "order": envelope(GOOD_ORDER),
    "orders": envelope(GOOD_ORDER * 1_000, count=1_000),
    "cancel": envelope(GOOD_CANCEL, CANCEL),
    "unary order": envelope(GOOD_ORDER, UNARY),
    "unary cancel": envelope(GOOD_CANCEL, UNARY),
    "fields in any order": envelope(command(1, integer(3, 7) + order(integer(2, 1)))),
    "defaults present": new_order(integer(2, 0) + integer(4, 0) + blob(9, b"") + integer(13, 0)),
    "largest expiry": new_order(integer(11, 60_000)),
    "negative offset": new_order(integer(22, (1 << 64) - 1)),
    "id of zeros": envelope(command(1, blob(1, bytes(16)))),
    "replace without old id": envelope(command(4, blob(2, order()))),
    "list of two": envelope(command(6, blob(1, ID) + blob(3, order()) * 2)),
    "list of three": envelope(command(6, blob(1, ID) + blob(3, order()) * 3)),
    "destination of 128": envelope(command(13, blob(1, ID) + blob(7, "ä".encode() * 128))),
    "clock": system(15, b""),
    "poisoned bytes of any kind": system(16, blob(1, b"\xff\xff")),
    "accounts in two pieces": system(20, packed(3, 5) + packed(3, 6)),
    "accounts in an empty piece": system(20, packed(3) + packed(3, 6)),
    "market without parameters": system(2, blob(2, b"A")),
    "last number": envelope(GOOD_ORDER, first_seq_no=(1 << 63) - 2),
    "received at the end of time": envelope(GOOD_ORDER, received_ns=(1 << 63) - 1),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_envelope_names_reason_command_and_field(
    implementation: ModuleType, name: str
) -> None:
    data, reason, index, field = MALFORMED[name]
    with pytest.raises(implementation.MalformedEnvelope) as malformed:
        implementation.check_envelope(data)
    found = malformed.value
    assert (found.reason, found.index, found.field) == (reason, index, field)


@pytest.mark.parametrize("name", WELL_FORMED)
def test_well_formed_envelope_passes(implementation: ModuleType, name: str) -> None:
    implementation.check_envelope(WELL_FORMED[name])


def test_every_reason_is_in_the_table() -> None:
    named = {reason for _, reason, _, _ in MALFORMED.values()}
    assert named == set(reasons.MalformedReason.values()) - {0}


@pytest.mark.parametrize("member", sorted(commands_pb2.Command.DESCRIPTOR.fields_by_number))
def test_every_command_of_firms_has_one_class(implementation: ModuleType, member: int) -> None:
    cancels = {2, 5, 8, 10, 11}
    body = {4: blob(2, order()), 6: blob(1, ID) + blob(3, order()) * 2, 11: blob(2, ID)}.get(
        member, blob(1, ID) + (blob(7, b"x") if member == 13 else b"")
    )
    right, wrong = (CANCEL, ORDER) if member in cancels else (ORDER, CANCEL)
    implementation.check_envelope(envelope(command(member, body), right))
    implementation.check_envelope(envelope(command(member, body), UNARY))
    with pytest.raises(implementation.MalformedEnvelope) as malformed:
        implementation.check_envelope(envelope(command(member, body), wrong))
    assert (malformed.value.reason, malformed.value.field) == (WRONG_CLASS, member)
