"""Output scripts that we pay to, as bytes, and what is dust for each. Pure.

Called by addresses, derivation and the builder. A script that is not exactly one of these shapes
has no kind: it is never given a name or an address by likeness.
"""

import enum
from typing import Final

# Satoshi per 1,000 virtual bytes below which nodes do not relay an output, by default.
DUST_RELAY_FEE_RATE: Final = 3_000
# Virtual bytes of the cheapest input that spends an output, as Bitcoin Core counts them for dust.
WITNESS_SPEND_BYTES: Final = 67
LEGACY_SPEND_BYTES: Final = 148


class ScriptKind(enum.Enum):
    """Standard scripts of recipients: what comes before and after the program, and its length."""

    P2PKH = (b"\x76\xa9\x14", 20, b"\x88\xac")
    P2SH = (b"\xa9\x14", 20, b"\x87")
    P2WPKH = (b"\x00\x14", 20, b"")
    P2WSH = (b"\x00\x20", 32, b"")
    P2TR = (b"\x51\x20", 32, b"")

    @property
    def is_witness(self) -> bool:
        """Whether its spending proof is cheaper than bytes."""
        return self in (ScriptKind.P2WPKH, ScriptKind.P2WSH, ScriptKind.P2TR)


# What makes each kind, read once: blocks and addresses look at every script.
SHAPES: Final = tuple((kind, *kind.value) for kind in ScriptKind)


def script_of(kind: ScriptKind, program: bytes) -> bytes:
    """The output script; `program` is the hash, or the key of P2TR."""
    before, length, after = kind.value
    if len(program) != length:
        raise ValueError(f"{kind.name} takes {length} bytes, not {len(program)}")
    return before + program + after


def kind_of(script: bytes) -> ScriptKind | None:
    """Which kind exactly these bytes are; None for everything else, whatever it resembles."""
    for kind, before, length, after in SHAPES:
        is_long = len(script) == len(before) + length + len(after)
        if is_long and script.startswith(before) and script.endswith(after):
            return kind
    return None


def program_of(script: bytes, kind: ScriptKind) -> bytes:
    """The hash or key inside a script of that kind."""
    before, length, _ = kind.value
    return script[len(before) : len(before) + length]


def dust_atoms(script: bytes) -> int:
    """The least amount that nodes relay to this script, in satoshi."""
    kind = kind_of(script)
    spend = WITNESS_SPEND_BYTES if kind is not None and kind.is_witness else LEGACY_SPEND_BYTES
    # Amount, length of the script, script.
    output = 8 + 1 + len(script)
    return (output + spend) * DUST_RELAY_FEE_RATE // 1_000
