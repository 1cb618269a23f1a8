"""Exact numbers: 16-byte amounts of the contract, and decimals at the surface.

Never takes a float: 0.1 is not a tenth.
"""

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final, TypeAlias

from cambist.client.errors import InvalidInput

AMOUNT_BYTES: Final = 16
# Longer numbers are mistakes; reading them exactly would cost memory.
DIGITS_MAX: Final = 60

Number: TypeAlias = Decimal | str | int


def atoms_from_bytes(raw: bytes) -> int:
    """An amount from 16 bytes, little-endian two's complement; absent = 0."""
    return int.from_bytes(raw, "little", signed=True)


def atoms_to_bytes(atoms: int) -> bytes:
    """16 bytes of an amount; zero is absent."""
    return atoms.to_bytes(AMOUNT_BYTES, "little", signed=True) if atoms else b""


def exact(number: Number) -> Fraction:
    """The number, exactly. Raises InvalidInput(INVALID_NUMBER) for floats and what is no number."""
    if isinstance(number, bool) or not isinstance(number, Decimal | str | int):
        kind = type(number).__name__
        raise InvalidInput("INVALID_NUMBER", f"{kind} is not exact: give a Decimal, str or int")
    try:
        value = Decimal(number)
    except InvalidOperation as error:
        raise InvalidInput("INVALID_NUMBER", f"{number!r} is not a decimal number") from error
    if not value.is_finite() or abs(value.adjusted()) > DIGITS_MAX:
        raise InvalidInput("INVALID_NUMBER", f"{number!r} is not a usable number")
    return Fraction(value)


def scaled(atoms: int, decimals: int) -> Decimal:
    """`atoms` in whole units of 10^decimals atoms, exactly."""
    sign = "-" if atoms < 0 else ""
    digits = str(abs(atoms)).rjust(decimals + 1, "0")
    whole, part = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return Decimal(f"{sign}{whole}.{part}" if part else f"{sign}{whole}")


def to_atoms(amount: Number, decimals: int) -> int:
    """Whole units to atoms. Raises InvalidInput(TOO_PRECISE) when a part of an atom is left."""
    atoms = exact(amount) * 10**decimals
    if atoms.denominator != 1:
        raise InvalidInput("TOO_PRECISE", f"{amount} has more than {decimals} decimals")
    return int(atoms.numerator)
