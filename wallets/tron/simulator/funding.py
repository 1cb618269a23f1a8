"""Coins out of nothing for tests and demonstrations, and contracts with odd habits. Pure.

Called by the simulator's own routes and by genesis; a real chain has nothing like it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from wallets.errors import RefusedAddress
from wallets.tron.addresses import KEY_BYTES, PREFIX, is_hexadecimal, parse_address
from wallets.tron.simulator.dynamic_factor import current
from wallets.tron.simulator.state import Account, State

ATOMS_MAX: Final = 2**256 - 1
SUN_MAX: Final = 2**63 - 1
NUMBERS: Final = frozenset(
    {"user_percent", "origin_energy_limit", "fee_basis_points", "fee_max", "cycle_energy"}
)
SWITCHES: Final = frozenset({"pays_out", "is_paused"})


@dataclass(frozen=True, slots=True)
class Funding:
    """What an account gets on top: sun, or atoms of a TRC-20 or of a TRC-10 token."""

    key: bytes
    sun: int = 0
    token: bytes = b""
    asset: bytes = b""
    atoms: int = 0


def key_of_text(text: str) -> bytes:
    """The account of base58 or hexadecimal text. Raises ValueError."""
    if is_hexadecimal(text):
        key = bytes.fromhex(text)
        if len(key) != KEY_BYTES or key[0] != PREFIX:
            raise ValueError(f"{text} is no account")
        return key
    try:
        return parse_address(text).key
    except RefusedAddress as error:
        raise ValueError(f"{text} is no account: {error}") from error


def funding_of(body: Mapping[str, Any]) -> Funding:
    """Reads a request: `address`, and `sun`, or `token` or `asset` with `atoms`.

    Raises KeyError, TypeError or ValueError.
    """
    sun, atoms = int(body.get("sun", 0)), int(body.get("atoms", 0))
    if not 0 <= sun <= SUN_MAX or not 0 <= atoms <= ATOMS_MAX:
        raise ValueError("an amount is out of range")
    token = body.get("token")
    asset = str(body.get("asset", "")).encode()
    if (token is not None or bool(asset)) != bool(atoms) or not (sun or atoms):
        raise ValueError("sun, or a token or an asset with atoms")
    return Funding(
        key_of_text(body["address"]), sun, key_of_text(token) if token else b"", asset, atoms
    )


def fund(state: State, funding: Funding, time_ms: int) -> None:
    """Gives it; sun make the account if there is none, tokens do not."""
    if funding.sun:
        state.accounts.setdefault(funding.key, Account(0, time_ms))
        state.pay(funding.key, funding.sun)
    for books, name in ((state.tokens, funding.token), (state.assets, funding.asset)):
        if name:
            holders = books.setdefault(name, {})
            holders[funding.key] = holders.get(funding.key, 0) + funding.atoms


def set_contract(state: State, body: Mapping[str, Any], time_ms: int) -> None:
    """A contract's habits by name; `contract` is its address. Raises KeyError, ValueError."""
    key = key_of_text(body["contract"])
    changes: dict[str, Any] = {}
    for name, value in body.items():
        if name in NUMBERS:
            changes[name] = int(value)
        elif name in SWITCHES:
            changes[name] = bool(value)
        elif name == "creator":
            changes[name] = key_of_text(value)
        elif name == "returns":
            changes[name] = bytes.fromhex(value)
        elif name == "banned":
            changes[name] = frozenset(key_of_text(one) for one in value)
        elif name != "contract":
            raise ValueError(f"a contract has no {name}")
    contract = replace(current(state, key, time_ms), **changes)
    if not contract.pays_out:
        state.tokens.setdefault(key, {})
    state.contracts[key] = contract
