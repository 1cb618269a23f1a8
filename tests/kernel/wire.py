"""Protobuf bytes by hand, well or badly formed, for tests of the strict decoder."""


def varint(value: int) -> bytes:
    """The shortest varint of a value below 2^64."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number: int, wire_type: int) -> bytes:
    """A field's tag."""
    return varint(number << 3 | wire_type)


def integer(number: int, value: int) -> bytes:
    """A varint field."""
    return tag(number, 0) + varint(value)


def blob(number: int, value: bytes) -> bytes:
    """A length-delimited field."""
    return tag(number, 2) + varint(len(value)) + value
