"""Logon: a signed challenge in, a token out; everything else has a name and opens nothing."""

import ipaddress
import time

import grpc.aio
import pytest

from cambist.auth.v1 import auth_pb2
from gateway import limits
from gateway.door.permissions import Scope
from gateway.identity.tokens import Signer, Token
from runtime.clock import NANOSECONDS_PER_SECOND
from tests.gateway.venue import (
    ACCOUNT,
    FIRM,
    FOREIGN_ACCOUNT,
    OTHER_FIRM,
    SECOND_ACCOUNT,
    SECRET,
    Client,
    Key,
    RunningGateway,
    Venue,
    auth_stub,
    log_on,
    signed_logon,
    status_of,
)


async def challenge(channel: grpc.aio.Channel) -> bytes:
    answer = await auth_stub(channel).GetChallenge(auth_pb2.GetChallengeRequest())
    return bytes(answer.nonce)


async def logon_status(channel: grpc.aio.Channel, request: auth_pb2.LogonRequest) -> str:
    code, reason = await status_of(auth_stub(channel).Logon(request))
    assert code in {"OK", "UNAUTHENTICATED"}
    return reason


async def test_a_token_names_the_rights_of_the_key(venue: Venue, gateway: RunningGateway) -> None:
    key = await venue.key(scopes=frozenset({Scope.READ, Scope.TRADE}))
    channel = venue.channel(gateway)
    request = signed_logon(key, await challenge(channel))
    answer = await auth_stub(channel).Logon(request)
    assert answer.firm_id == FIRM
    assert list(answer.account_ids) == [ACCOUNT, SECOND_ACCOUNT]
    assert list(answer.scopes) == ["READ", "TRADE"]
    life_ns = answer.expires_ns - time.time_ns()
    assert 0 < life_ns <= limits.TOKEN_SECONDS * NANOSECONDS_PER_SECOND


async def test_a_read_only_key_has_no_other_scopes(venue: Venue, gateway: RunningGateway) -> None:
    key = await venue.key(is_read_only=True)
    channel = venue.channel(gateway)
    answer = await auth_stub(channel).Logon(signed_logon(key, await challenge(channel)))
    assert list(answer.scopes) == ["MARKET_DATA", "READ"]


async def test_a_replayed_logon_is_refused_on_every_gateway(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key()
    channel = venue.channel(gateway)
    request = signed_logon(key, await challenge(channel))
    assert await logon_status(channel, request) == ""
    assert await logon_status(channel, request) == "NONCE_REPLAYED"
    other = venue.channel(await venue.gateway())
    assert await logon_status(other, request) == "NONCE_REPLAYED"


async def test_a_challenge_of_one_gateway_opens_another(venue: Venue) -> None:
    key = await venue.key()
    one, other = venue.channel(await venue.gateway()), venue.channel(await venue.gateway())
    assert await logon_status(other, signed_logon(key, await challenge(one))) == ""


@pytest.mark.parametrize("age_seconds", [-6, 6, -3_600, 3_600])
async def test_a_clock_that_differs_is_named(
    venue: Venue, gateway: RunningGateway, age_seconds: int
) -> None:
    key = await venue.key()
    channel = venue.channel(gateway)
    time_ns = time.time_ns() + age_seconds * NANOSECONDS_PER_SECOND
    request = signed_logon(key, await challenge(channel), time_ns=time_ns)
    assert await logon_status(channel, request) == "CLOCK_SKEW"


async def test_nonces_that_are_not_ours_or_over_are_refused(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key()
    channel = venue.channel(gateway)
    foreign = Signer(b"another secret of many characters").make_nonce(time.time_ns(), bytes(8))
    made_ns = time.time_ns() - (limits.NONCE_SECONDS + 1) * NANOSECONDS_PER_SECOND
    over = Signer(SECRET.encode()).make_nonce(made_ns, bytes(8))
    for nonce in (b"", bytes(32), bytes(31), foreign, over):
        assert await logon_status(channel, signed_logon(key, nonce)) == "NONCE_REPLAYED"


async def test_a_signature_of_another_key_opens_nothing(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key()
    channel = venue.channel(gateway)
    thief = Key(key.key_id)
    request = signed_logon(thief, await challenge(channel))
    assert await logon_status(channel, request) == "BAD_SIGNATURE"


@pytest.mark.parametrize("change", ["signature", "key_id", "time_ns", "nonce"])
async def test_every_signed_field_is_under_the_signature(
    venue: Venue, gateway: RunningGateway, change: str
) -> None:
    key, other = await venue.key(), await venue.key()
    channel = venue.channel(gateway)
    request = signed_logon(key, await challenge(channel))
    match change:
        case "signature":
            request.signature = request.signature[:-1] + bytes([request.signature[-1] ^ 1])
        case "key_id":
            request.key_id = other.key_id
        case "time_ns":
            request.time_ns += 1
        case _:
            request.nonce = await challenge(channel)
    assert await logon_status(channel, request) == "BAD_SIGNATURE"


@pytest.mark.parametrize("key_id", ["", "nobody", "x" * 65, "a\0b", "é" * 40])
async def test_unknown_keys_are_named(venue: Venue, gateway: RunningGateway, key_id: str) -> None:
    channel = venue.channel(gateway)
    request = signed_logon(Key(key_id), await challenge(channel))
    assert await logon_status(channel, request) == "UNKNOWN_KEY"


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), bytes(10_000)])
async def test_signatures_of_any_length_are_only_bad(
    venue: Venue, gateway: RunningGateway, signature: bytes
) -> None:
    channel = venue.channel(gateway)
    request = signed_logon(await venue.key(), await challenge(channel))
    request.signature = signature
    assert await logon_status(channel, request) == "BAD_SIGNATURE"


async def test_revoked_and_expired_keys_do_not_get_in(
    venue: Venue, gateway: RunningGateway
) -> None:
    channel = venue.channel(gateway)
    expired = await venue.key(expires_ns=time.time_ns() - 1)
    request = signed_logon(expired, await challenge(channel))
    assert await logon_status(channel, request) == "KEY_EXPIRED"
    revoked = await venue.key()
    await venue.store.revoke(revoked.key_id, time.time_ns())
    request = signed_logon(revoked, await challenge(channel))
    assert await logon_status(channel, request) == "KEY_REVOKED"


async def test_a_token_never_outlives_its_key(venue: Venue, gateway: RunningGateway) -> None:
    expires_ns = time.time_ns() + 20 * NANOSECONDS_PER_SECOND
    key = await venue.key(expires_ns=expires_ns)
    channel = venue.channel(gateway)
    answer = await auth_stub(channel).Logon(signed_logon(key, await challenge(channel)))
    assert answer.expires_ns == expires_ns


async def test_both_keys_of_a_rotation_get_in_and_a_third_is_too_many(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key()
    channel = venue.channel(gateway)
    second = Key(key.key_id)
    await venue.store.add_public_key(key.key_id, second.public_bytes, time.time_ns())
    for one in (key, second):
        await log_on(channel, one)
    await venue.store.retire_public_key(key.key_id, key.public_bytes)
    request = signed_logon(key, await challenge(channel))
    assert await logon_status(channel, request) == "BAD_SIGNATURE"
    await log_on(channel, second)


async def test_a_key_bound_to_networks_is_refused_elsewhere(
    venue: Venue, gateway: RunningGateway
) -> None:
    channel = venue.channel(gateway)
    far = await venue.key(networks=(ipaddress.ip_network("203.0.113.0/24"),))
    request = signed_logon(far, await challenge(channel))
    assert await logon_status(channel, request) == "IP_NOT_ALLOWED"
    near = await venue.key(networks=(ipaddress.ip_network("127.0.0.0/8"),))
    await log_on(channel, near)


async def test_a_trusted_proxy_says_who_calls_and_nobody_else_may(venue: Venue) -> None:
    key = await venue.key(networks=(ipaddress.ip_network("203.0.113.0/24"),))
    forwarded = (("x-forwarded-for", "198.51.100.1, 203.0.113.9"),)
    trusting = venue.channel(await venue.gateway(trusted_proxies="127.0.0.0/8"))
    request = signed_logon(key, await challenge(trusting))
    code, _ = await status_of(auth_stub(trusting).Logon(request, metadata=forwarded))
    assert code == "OK"
    wary = venue.channel(await venue.gateway())
    request = signed_logon(key, await challenge(wary))
    assert await status_of(auth_stub(wary).Logon(request, metadata=forwarded)) == (
        "UNAUTHENTICATED",
        "IP_NOT_ALLOWED",
    )


async def test_another_firm_sees_its_own_accounts(venue: Venue, gateway: RunningGateway) -> None:
    key = await venue.key(firm_id=OTHER_FIRM)
    channel = venue.channel(gateway)
    answer = await auth_stub(channel).Logon(signed_logon(key, await challenge(channel)))
    assert list(answer.account_ids) == [FOREIGN_ACCOUNT]


def token(key: Key, expires_ns: int, secret: str = SECRET) -> str:
    return Signer(secret.encode()).make_token(Token(key.key_id, FIRM, expires_ns))


async def test_tokens_are_judged_before_anything_else(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key()
    later = time.time_ns() + 60 * NANOSECONDS_PER_SECOND
    cases = {
        "": "NO_CREDENTIALS",
        "Basic abc": "NO_CREDENTIALS",
        "Bearer ": "BAD_TOKEN",
        "Bearer x": "BAD_TOKEN",
        f"Bearer {token(key, later)[:-4]}": "BAD_TOKEN",
        f"Bearer {token(key, later, 'a secret of another venue, made up')}": "BAD_TOKEN",
        f"Bearer {token(key, time.time_ns() - 1)}": "TOKEN_EXPIRED",
        f"Bearer {token(Key('nobody'), later)}": "UNKNOWN_KEY",
        f"Bearer {token(key, later)}": "",
    }
    client = Client(venue.channel(gateway), "", key)
    for text, expected in cases.items():
        metadata = (("authorization", text),) if text else ()
        request = client.negotiate_request()
        _, reason = await status_of(client.orders.Negotiate(request, metadata=metadata))
        assert reason == expected, text
