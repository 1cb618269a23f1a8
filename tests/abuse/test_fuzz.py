"""A short fuzz of every public method over a gateway in this process; and of the fuzzer itself."""

import random
from collections.abc import AsyncIterator

import pytest

from cambist.orders.v1 import commands_pb2, service_pb2
from gateway.door.methods import methods_of
from gateway.services import SERVED
from runtime.settings import PostgresSettings
from tests.abuse.fuzz import INNER, ORDER_SESSION
from tests.abuse.messages import MessageMaker
from tests.abuse.rpc_fuzz import Opener, RpcFuzzer
from tests.gateway.venue import ACCOUNT, FIRM, MARKET, Client, Venue, open_venue

SEED = 20_261_125
SECONDS = 2.0


@pytest.fixture
async def venue(postgres_settings: PostgresSettings) -> AsyncIterator[Venue]:
    async with open_venue(postgres_settings) as opened:
        yield opened


async def fuzzer_of(venue: Venue, source: random.Random) -> tuple[RpcFuzzer, Client]:
    client = await venue.client(await venue.gateway(), await venue.key())
    maker = MessageMaker(source, (1, FIRM, ACCOUNT, MARKET), INNER)

    async def metadata() -> tuple[tuple[str, str], ...]:
        return client.metadata

    async def establish() -> list[bytes]:
        negotiated = await client.negotiate()
        message = service_pb2.Establish(
            session_id=negotiated.session_id,
            session_version=negotiated.session_version,
            keep_alive_ms=10_000,
        )
        return [service_pb2.OrderEntrySessionRequest(establish=message).SerializeToString()]

    methods = list(methods_of(SERVED).values())
    openers: dict[str, Opener] = {ORDER_SESSION: establish}
    return RpcFuzzer(client.channel, methods, maker, source, metadata, openers), client


async def test_no_public_method_fails_by_its_own_fault_and_refusals_change_nothing(
    venue: Venue,
) -> None:
    fuzzer, client = await fuzzer_of(venue, random.Random(SEED))

    async def applied_sequence() -> int:
        return venue.matching.engine.last_seq

    await fuzzer.one_by_one(SECONDS, applied_sequence)
    await fuzzer.all_at_once(SECONDS, callers=8)
    assert fuzzer.findings.faults == []
    assert {method for method, _ in fuzzer.findings.calls} == {
        method.full_name for method in fuzzer.methods
    }
    # It is well afterwards.
    session = await client.session("after")
    await session.send_orders(1)
    await session.session_events("applied")


async def test_the_fuzzer_finds_a_method_that_fails_and_one_that_moves_the_journal(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr("gateway.queries.info.InfoService.get_api_info", fail)
    fuzzer, _ = await fuzzer_of(venue, random.Random(SEED))
    moved = 0

    async def applied_sequence() -> int:
        nonlocal moved
        moved += 1
        return moved

    await fuzzer.one_by_one(0.0, applied_sequence)
    kinds = {fault.split(" (")[0].split(":")[0] for fault in fuzzer.findings.faults}
    assert "cambist.info.v1.ApiInfoService.GetApiInfo answered UNKNOWN" in kinds
    assert any(kind.endswith("refused a call and moved the journal") for kind in kinds)


def test_a_seed_gives_the_same_bytes_again() -> None:
    descriptor = commands_pb2.Commands.DESCRIPTOR

    def bodies() -> list[bytes]:
        maker = MessageMaker(random.Random(SEED), (ACCOUNT,), INNER)
        return [maker.body(descriptor) for _ in range(50)]

    assert bodies() == bodies()
    assert len(set(bodies())) > 25
