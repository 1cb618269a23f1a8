"""A hook for services that lend energy for TRX; none is built in, so nothing is rented by default.

Given to `gathering` by whoever builds a venue with one. A service never sees a key and is asked for
an offer only. What it costs is paid by a transfer of the station, stored before it is sent like any
other, to an address that the signer's own list must hold.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Offer:
    """The price in sun, and the account that is paid; the energy comes some blocks later."""

    pay_to: bytes
    amount_sun: int


class RentsEnergy(Protocol):
    """A rental service."""

    async def offer(self, receiver: bytes, energy: int) -> Offer | None:
        """For an account that exists; None without an offer. Raises Unavailable."""
