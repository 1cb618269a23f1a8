"""The address book of an account: where its withdrawals may go."""

from dataclasses import dataclass

from cambist.client.channels import Channels
from cambist.client.money import SERVICE
from cambist.client.retry import read
from cambist.wallet.v1 import wallet_pb2 as pb


@dataclass(frozen=True, slots=True)
class BookAddress:
    """An address that withdrawals may go to from `usable_from_ns` on."""

    network: str
    address: str
    label: str
    usable_from_ns: int


class Addresses:
    """Address books of the key's accounts."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def add(self, account_id: int, network: str, address: str, label: str) -> int:
        """When it can be used, ns; the same address again keeps its hold and takes the label.

        From its first address on the account withdraws to its book alone.
        Raises Rejected, Unavailable, Unknown: add it again.
        """
        request = pb.AddAddressRequest(
            account_id=account_id, network=network, address=address, label=label
        )
        answer = await self._channels.unary(SERVICE + "AddAddress", request, pb.AddAddressResponse)
        return int(answer.usable_from_ns)

    async def list(self, account_id: int) -> list[BookAddress]:
        """The whole book, oldest first. Raises Rejected, Unavailable."""
        request = pb.ListAddressesRequest(account_id=account_id)
        answer = await read(
            self._channels, SERVICE + "ListAddresses", request, pb.ListAddressesResponse
        )
        return [
            BookAddress(one.network, one.address, one.label, one.usable_from_ns)
            for one in answer.addresses
        ]
