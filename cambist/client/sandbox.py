"""Play money of a sandbox venue."""

import os
from dataclasses import dataclass
from typing import Final

from cambist.client.channels import Channels
from cambist.client.commands import ID_BYTES
from cambist.client.errors import Unavailable, Unknown
from cambist.client.statuses import is_from_venue
from cambist.sandbox.v1 import sandbox_pb2 as pb

METHOD: Final = "/cambist.sandbox.v1.SandboxService/PayIn"


@dataclass(frozen=True, slots=True)
class PaidIn:
    """Play money that was credited."""

    # Of the request.
    id: bytes
    # Journal sequence that has it: `wallet.balances` with it shows the money.
    as_of_seq: int
    # Nothing was credited now: the request had been carried out before.
    is_repeat: bool


class Sandbox:
    """The faucet, for accounts of the key."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def pay_in(
        self, account_id: int, asset_id: int, amount_atoms: int, *, request_id: bytes = b""
    ) -> PaidIn:
        """Credits an account.

        Raises Rejected (NOT_A_SANDBOX, AMOUNT_TOO_LARGE, FAUCET_EXHAUSTED …), Unavailable, and
        Unknown with the request's id: call again with it, it is carried out once.
        """
        request = pb.PayInRequest(
            account_id=account_id,
            asset_id=asset_id,
            amount_atoms=str(amount_atoms),
            request_id=request_id or os.urandom(ID_BYTES),
        )
        try:
            answer = await self._channels.unary(METHOD, request, pb.PayInResponse)
        except (Unavailable, Unknown) as error:
            if isinstance(error, Unavailable) and is_from_venue(error):
                raise
            raise Unknown(str(error), id=request.request_id) from error
        return PaidIn(request.request_id, answer.as_of_seq, answer.repeat)
