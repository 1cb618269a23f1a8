"""One command that moves money, by a call of its own: its answer, or a named doubt.

Called by `wallet` and `withdrawals`. It never sends a command a second time.
"""

from typing import Final

from cambist.client.channels import Channels
from cambist.client.decode import decode_event
from cambist.client.errors import Rejected, Unavailable, Unknown
from cambist.client.events import MoneyMoved, Refused
from cambist.client.statuses import is_from_venue
from cambist.wallet.v1 import wallet_pb2 as pb

SERVICE: Final = "/cambist.wallet.v1.WalletService/"
Command = pb.TransferRequest | pb.RequestWithdrawalRequest
Response = type[pb.TransferResponse] | type[pb.RequestWithdrawalResponse]


async def move(channels: Channels, method: str, request: Command, response: Response) -> MoneyMoved:
    """Raises Rejected, Unavailable (not carried out), Unknown with the command's id and time."""
    try:
        answer = await channels.unary(SERVICE + method, request, response)
    except (Unavailable, Unknown) as error:
        if isinstance(error, Unavailable) and is_from_venue(error):
            raise
        raise unknown(request, str(error)) from error
    event = decode_event(answer.answer)
    if isinstance(event, Refused):
        raise Rejected(event.reason.name, answer=event)
    if not isinstance(event, MoneyMoved):
        raise unknown(request, "no usable answer")
    return event


def unknown(request: Command, text: str) -> Unknown:
    """The error of a command whose outcome is not known."""
    return Unknown(text, id=request.request_id, sent_time_ns=request.sent_time_ns)
