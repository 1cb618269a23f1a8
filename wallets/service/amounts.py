"""Decimal text and atoms. Pure; no float is near money. Called by the service."""

from wallets.errors import Rejected
from wallets.service import limits


def text_of(atoms: int, decimals: int) -> str:
    """The shortest text in whole units."""
    whole, part = divmod(atoms, 10**decimals)
    fraction = str(part).rjust(decimals, "0").rstrip("0") if part else ""
    return f"{whole}.{fraction}" if fraction else str(whole)


def atoms_of(text: str, decimals: int) -> int:
    """Atoms above zero, exactly as written. Raises Rejected."""
    whole, dot, fraction = text.partition(".")
    digits = whole + fraction
    is_number = digits.isascii() and digits.isdigit() and whole and (fraction or not dot)
    if not is_number or len(text) > limits.AMOUNT_LENGTH_MAX:
        raise Rejected("INVALID_AMOUNT", "not a decimal number")
    if len(fraction) > decimals:
        raise Rejected("INVALID_AMOUNT", f"more than {decimals} decimals")
    atoms = int(whole + fraction.ljust(decimals, "0"))
    if not 1 <= atoms <= limits.AMOUNT_ATOMS_MAX:
        raise Rejected("INVALID_AMOUNT", "zero, or too large")
    return atoms
