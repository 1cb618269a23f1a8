"""The gRPC face of the signer: calls become the signer's methods.

Registered by `server` behind `wallets.callers`, which lets only named callers in and turns errors
into faults. It decides nothing.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc.aio

from cambist.internal.signer.v1 import signer_pb2, signer_pb2_grpc
from wallets.errors import Rejected
from wallets.signer import limits, log
from wallets.signer.service import Signer

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


@dataclass(frozen=True, slots=True)
class Servicer(signer_pb2_grpc.SignerServiceServicer):
    """One signer's calls."""

    signer: Signer

    async def Sign(  # noqa: N802
        self, request: signer_pb2.SignRequest, _: Context
    ) -> signer_pb2.SignResponse:
        """Signs one approved intent."""
        return await self.signer.sign(request)

    async def Close(  # noqa: N802
        self, request: signer_pb2.CloseRequest, _: Context
    ) -> signer_pb2.CloseResponse:
        """Closes a withdrawal id."""
        raws = await self.signer.close(request.withdrawal_id)
        return signer_pb2.CloseResponse(never_signed=not raws, raw_transactions=raws)

    async def Stop(  # noqa: N802
        self, request: signer_pb2.StopRequest, _: Context
    ) -> signer_pb2.StopResponse:
        """Stops everything."""
        await self.signer.stop(request.actor, request.reason)
        return signer_pb2.StopResponse()

    async def Resume(  # noqa: N802
        self, request: signer_pb2.ResumeRequest, _: Context
    ) -> signer_pb2.ResumeResponse:
        """Ends a stop."""
        await self.signer.resume({one.person: one.signature for one in request.people})
        return signer_pb2.ResumeResponse()

    async def GetPublicKeys(  # noqa: N802
        self, request: signer_pb2.GetPublicKeysRequest, _: Context
    ) -> signer_pb2.GetPublicKeysResponse:
        """Extended public keys of all branches with a seed, of a chain or network."""
        response = signer_pb2.GetPublicKeysResponse()
        for network in self.signer.policy.networks.values():
            if request.chain not in ("", network.chain):
                continue
            if request.network_id not in (0, network.network_id):
                continue
            for branch in sorted(network.branches.keys() - self.signer.policy.token_branches):
                key = await asyncio.to_thread(self.signer.keys.branch_key, network, branch)
                response.branches.add(
                    branch=branch, extended_public_key=key, network_id=network.network_id
                )
        return response

    async def ListEntries(  # noqa: N802
        self, request: signer_pb2.ListEntriesRequest, _: Context
    ) -> signer_pb2.ListEntriesResponse:
        """What was signed for a network, in pages. Takes no turn: an entry never changes."""
        if not 1 <= request.page_size <= limits.ENTRIES_PAGE_MAX:
            raise Rejected("MALFORMED", f"pages have 1 to {limits.ENTRIES_PAGE_MAX} entries")
        found = await log.entries(
            self.signer.database, request.network_id, request.after_log_number, request.page_size
        )
        return signer_pb2.ListEntriesResponse(
            entries=[
                signer_pb2.LogEntry(
                    log_number=one.log_number,
                    intent_id=one.intent_id,
                    txid=one.txid,
                    withdrawal_ids=one.withdrawal_ids,
                )
                for one in found
            ]
        )

    async def GetStatus(  # noqa: N802
        self, request: signer_pb2.GetStatusRequest, _: Context
    ) -> signer_pb2.GetStatusResponse:
        """State of the signer."""
        del request
        return await self.signer.status()
