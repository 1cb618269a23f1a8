"""Logon: signs the venue's challenge, keeps the token, renews it before its end."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import grpc.aio
from google.protobuf.message import Message

from cambist.auth.v1 import auth_pb2
from cambist.client import limits
from cambist.client.channels import Metadata, Response
from cambist.client.keys import ApiKey
from cambist.client.statuses import error_of

GET_CHALLENGE: Final = "/cambist.auth.v1.AuthService/GetChallenge"
LOGON: Final = "/cambist.auth.v1.AuthService/Logon"
NANOSECONDS: Final = 1_000_000_000


class Logon:
    """The token of one key. Concurrent callers share one logon."""

    def __init__(self, key: ApiKey, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._key = key
        self._now_ns = now_ns
        self._lock = asyncio.Lock()
        self._token = ""
        self._expires_ns = 0
        self.firm_id = 0
        self.account_ids: tuple[int, ...] = ()
        self.scopes: tuple[str, ...] = ()

    def forget(self) -> None:
        """The venue does not take the token any more: the next call logs on anew."""
        self._expires_ns = 0

    async def metadata(self, channel: grpc.aio.Channel) -> Metadata:
        """Metadata of a call. Raises Rejected, Unavailable, Unknown."""
        if self._is_due():
            async with self._lock:
                if self._is_due():
                    await self._log_on(channel)
        return (("authorization", f"Bearer {self._token}"),)

    def _is_due(self) -> bool:
        return self._now_ns() > self._expires_ns - limits.TOKEN_RENEW_SECONDS * NANOSECONDS

    async def _log_on(self, channel: grpc.aio.Channel) -> None:
        challenge = await call(
            channel, GET_CHALLENGE, auth_pb2.GetChallengeRequest(), auth_pb2.GetChallengeResponse
        )
        time_ns = self._now_ns()
        request = auth_pb2.LogonRequest(
            key_id=self._key.key_id,
            nonce=challenge.nonce,
            time_ns=time_ns,
            signature=self._key.sign_challenge(challenge.nonce, time_ns),
        )
        answer = await call(channel, LOGON, request, auth_pb2.LogonResponse)
        self._token = answer.token
        self._expires_ns = answer.expires_ns
        self.firm_id = answer.firm_id
        self.account_ids = tuple(answer.account_ids)
        self.scopes = tuple(answer.scopes)


async def call(
    channel: grpc.aio.Channel, method: str, request: Message, response: type[Response]
) -> Response:
    """A call without credentials."""
    open_call: Callable[..., Any] = channel.unary_unary(
        method,
        request_serializer=type(request).SerializeToString,
        response_deserializer=response.FromString,
    )
    try:
        answer: Response = await open_call(request, timeout=limits.CALL_SECONDS)
    except grpc.aio.AioRpcError as error:
        raise error_of(error) from error
    return answer
