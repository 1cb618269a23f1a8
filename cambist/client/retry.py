"""Bounded retries of calls that change nothing."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from cambist.client import limits
from cambist.client.channels import Channels, Response
from cambist.client.errors import Unavailable, Unknown

Result = TypeVar("Result")


async def again(call: Callable[[], Awaitable[Result]], before: Callable[[], None]) -> Result:
    """The call's result; `before` runs before each further attempt. Raises the last error."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((Unavailable, Unknown)),
        stop=stop_after_attempt(limits.READ_ATTEMPTS_MAX)
        | stop_after_delay(limits.READ_RETRY_SECONDS),
        wait=wait_random_exponential(limits.BACKOFF_FIRST_SECONDS, max=limits.BACKOFF_MAX_SECONDS),
        reraise=True,
    ):
        with attempt:
            if attempt.retry_state.attempt_number > 1:
                before()
            return await call()
    raise AssertionError("tenacity returns or raises")


async def read(
    channels: Channels,
    method: str,
    request: Message,
    response: type[Response],
    timeout_seconds: float = limits.CALL_SECONDS,
) -> Response:
    """A call that changes nothing, tried at the next gateway when one is unavailable."""
    return await again(
        lambda: channels.unary(method, request, response, timeout_seconds), channels.rotate
    )
