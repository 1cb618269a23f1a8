"""One wish for play money: its bounds, and its commands for the engine. Pure."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Self

import grpc

from cambist.internal.journal.v1 import system_pb2
from cambist.internal.matching.v1 import matching_pb2
from matching.admin.amounts import AMOUNT_BYTES, to_bytes
from matching.admin.definitions import Definitions
from matching.errors import Rejected
from matching.settings import SandboxSettings

# The source number of the faucet, next to that of adjustments; custody's sources count from 1.
SOURCE_ID: Final = 2**32 - 2
ID_BYTES: Final = 16
DOMAIN: Final = b"cambist pay-in"
# A credit, and that it is final: the engine then forgets the deposit, and its table stays small.
COMMANDS_EACH: Final = 2


@dataclass(frozen=True, slots=True)
class PayIn:
    """What was asked for, within its bounds."""

    account_id: int
    request_id: bytes
    asset_id: int
    amount_atoms: int

    @classmethod
    def of(
        cls, asked: matching_pb2.PayInRequest, known: Definitions, bounds: SandboxSettings
    ) -> Self:
        """The wish of a request. Raises Rejected: an unknown account's money would be nobody's."""
        if len(asked.request_id) != ID_BYTES:
            raise Rejected("BAD_LENGTH", f"request_id is not {ID_BYTES} bytes")
        if asked.account_id not in known.accounts:
            missing = f"no account {asked.account_id}"
            raise Rejected("UNKNOWN_ACCOUNT", missing, grpc.StatusCode.NOT_FOUND)
        asset = known.assets.get(asked.asset_id)
        if asset is None:
            missing = f"no asset {asked.asset_id}"
            raise Rejected("UNKNOWN_ASSET", missing, grpc.StatusCode.NOT_FOUND)
        amount = int.from_bytes(to_bytes(asked.amount_atoms, "amount_atoms"), "little")
        if amount == 0:
            raise Rejected("INVALID_AMOUNT", "amount_atoms is not above zero")
        most = bounds.pay_in_units_max * 10**asset.decimals
        if amount > most:
            raise Rejected(
                "AMOUNT_TOO_LARGE",
                f"one call gives at most {most} atoms",
                metadata={"max_atoms": str(most)},
            )
        return cls(asked.account_id, asked.request_id, asked.asset_id, amount)

    @property
    def deposit_id(self) -> bytes:
        """The deposit's id at the engine: two firms may choose the same request id."""
        account = self.account_id.to_bytes(8, "big")
        return blake2b(DOMAIN + account + self.request_id, digest_size=ID_BYTES).digest()

    def commands(self, number: int) -> tuple[system_pb2.SystemCommand, system_pb2.SystemCommand]:
        """Both commands of the pay-in with this number, from 1 without gaps."""
        last_seq = number * COMMANDS_EACH
        credit = system_pb2.Credit(
            source_id=SOURCE_ID,
            source_seq=last_seq - 1,
            deposit_id=self.deposit_id,
            account_id=self.account_id,
            asset_id=self.asset_id,
            amount_atoms=self.amount_atoms.to_bytes(AMOUNT_BYTES, "little"),
        )
        final = system_pb2.FinalizeCredit(
            source_id=SOURCE_ID, source_seq=last_seq, deposit_id=self.deposit_id
        )
        return (
            system_pb2.SystemCommand(credit=credit),
            system_pb2.SystemCommand(finalize_credit=final),
        )
