"""Serving: TLS, health, settings, and what a wrong configuration does."""

import datetime
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from pydantic import SecretStr

from cambist.info.v1 import info_pb2, info_pb2_grpc
from cambist.limits.v1 import limits_pb2, limits_pb2_grpc
from gateway.door.permissions import PERMISSIONS
from gateway.server import tls_settings
from gateway.settings import DevelopmentSettings, GatewaySettings, parse_endpoints
from runtime.development_certificates import make_authority
from runtime.errors import ConfigurationError
from runtime.settings import TlsSettings
from tests.gateway.venue import (
    SECRET,
    Client,
    RunningGateway,
    Venue,
    health_of,
    log_on,
    until,
)


def secure_channel(
    gateway: RunningGateway, authority: Path, client: TlsSettings | None = None
) -> grpc.aio.Channel:
    """A channel that trusts an authority; with a certificate of its own when given."""
    credentials = grpc.ssl_channel_credentials(
        authority.read_bytes(),
        Path(client.private_key_file).read_bytes() if client else None,
        Path(client.certificate_file).read_bytes() if client else None,
    )
    return grpc.aio.secure_channel(f"127.0.0.1:{gateway.ports.port}", credentials)


async def test_tls_carries_logon_and_orders_and_refuses_plain_text(
    venue: Venue, tmp_path: Path
) -> None:
    gateway = await venue.gateway(
        development={"enabled": True, "certificate_directory": str(tmp_path)}
    )
    key = await venue.key()
    channel = secure_channel(gateway, tmp_path / "authority.pem")
    client = Client(channel, await log_on(channel, key), key)
    session = await client.session()
    await session.send_orders(1)
    await session.private_events(1)
    await channel.close()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await log_on(venue.channel(gateway), key)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert await health_of(gateway) == "SERVING"


async def test_mutual_tls_lets_only_known_certificates_in(venue: Venue, tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(tmp_path, now)
    served = authority.issue("gateway", now)
    settings = served.model_copy(update={"authority_file": authority.authority_file})
    gateway = await venue.gateway(tls=settings)
    key = await venue.key()
    known = secure_channel(gateway, Path(authority.authority_file), authority.issue("firm", now))
    await log_on(known, key)
    stranger = secure_channel(gateway, Path(authority.authority_file))
    with pytest.raises(grpc.aio.AioRpcError):
        await log_on(stranger, key)
    for channel in (known, stranger):
        await channel.close()


async def test_health_names_every_shard_and_follows_its_link(venue: Venue) -> None:
    gateway = await venue.gateway()
    for name in ("", "cambist.gateway", "shard/1"):
        assert await health_of(gateway, name) == "SERVING"
    await venue.matching.stop()

    async def is_down() -> bool:
        return await health_of(gateway, "shard/1") == "NOT_SERVING"

    await until(is_down)
    assert await health_of(gateway) == "NOT_SERVING"


async def test_one_shard_away_leaves_the_process_serving(venue: Venue) -> None:
    gateway = await venue.gateway(
        matching_endpoints=f"1=127.0.0.1:{venue.matching_port};2=127.0.0.1:1"
    )
    assert await health_of(gateway) == "SERVING"
    assert await health_of(gateway, "shard/2") == "NOT_SERVING"
    assert await health_of(gateway, "cambist.gateway") == "NOT_SERVING"


async def test_a_gateway_that_was_never_linked_says_unavailable(venue: Venue) -> None:
    await venue.matching.stop()
    gateway = await venue.gateway(is_serving=False)
    key = await venue.key()
    channel = venue.channel(gateway)
    client = Client(channel, await log_on(channel, key), key)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await client.negotiate()
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    service: Any = info_pb2_grpc.ApiInfoServiceStub(channel)
    assert (await service.GetApiInfo(info_pb2.GetApiInfoRequest())).version


async def test_a_taken_port_is_a_fault_of_configuration(
    venue: Venue, gateway: RunningGateway
) -> None:
    with pytest.raises(ConfigurationError, match="cannot listen"):
        await venue.gateway(listen_address=f"127.0.0.1:{gateway.ports.port}")


async def test_info_lists_what_is_not_built(gateway: RunningGateway, venue: Venue) -> None:
    service: Any = info_pb2_grpc.ApiInfoServiceStub(venue.channel(gateway))
    answer = await service.GetApiInfo(info_pb2.GetApiInfoRequest())
    unbuilt = sorted(name for name, one in PERMISSIONS.items() if not one.built)
    assert list(answer.unimplemented_methods) == unbuilt
    assert "cambist.orders.v1" in {package.name for package in answer.packages}
    assert answer.version


async def test_limits_of_the_key_and_their_use_are_told(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key(orders_per_second=50, cancels_per_second=70)
    client = await venue.client(gateway, key)
    session = await client.session()
    await session.send_orders(20)
    await session.private_events(20)
    service: Any = limits_pb2_grpc.LimitsServiceStub(client.channel)
    answer = await service.GetLimits(limits_pb2.GetLimitsRequest(), metadata=client.metadata)
    found = {limit.name: limit for limit in answer.limits}
    assert found["orders_per_second"].maximum == 50
    assert 0 < found["orders_per_second"].used <= 20
    assert (found["cancels_per_second"].maximum, found["cancels_per_second"].used) == (70, 0)
    assert found["streams"].used == 1


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("x=a:1", "SHARD=HOST"),
        ("1", "SHARD=HOST"),
        ("1=", "SHARD=HOST"),
        ("1=host", "without a port"),
        ("1=a:1;1=b:2", "twice or out of range"),
        ("0=a:1", "twice or out of range"),
        ("65536=a:1", "twice or out of range"),
    ],
)
def test_wrong_endpoints_are_named(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        parse_endpoints(text)


def test_endpoints_by_shard() -> None:
    assert parse_endpoints(" 1=a:1, b:2 ; 3=c:4;") == {1: ("a:1", "b:2"), 3: ("c:4",)}


@pytest.mark.parametrize("secret", ["", "short"])
def test_production_needs_a_token_secret_of_its_own(secret: str) -> None:
    with pytest.raises(ValueError, match="token_secret"):
        GatewaySettings(token_secret=SecretStr(secret))


async def test_development_gateways_of_one_database_know_each_others_tokens(
    venue: Venue,
) -> None:
    development = {"enabled": True}
    first = await venue.gateway(token_secret=SecretStr(""), development=development)
    second = await venue.gateway(token_secret=SecretStr(""), development=development)
    client = await venue.client(first, await venue.key())
    other = Client(venue.channel(second), client.token, client.key)
    await other.negotiate()
    foreign = Client(venue.channel(await venue.gateway()), client.token, client.key)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await foreign.negotiate()
    assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_only_development_makes_its_own_certificate() -> None:
    settings = GatewaySettings(
        token_secret=SecretStr(SECRET),
        development=DevelopmentSettings(certificate_directory="somewhere"),
    )
    with pytest.raises(ConfigurationError, match="development"):
        tls_settings(settings)
