"""A screening by HTTP: what is no clear verdict is no answer."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets.screening import limits
from wallets.screening.http_screen import HttpScreen, ScreeningSettings, read_answer
from wallets.screening.verdicts import Answer, Question, Subject, Verdict

DEPOSIT = Question(
    Subject.DEPOSIT, b"\x01" * 16, "bitcoin", "regtest", "bcrt1q", 4096, "BTC", 2**80, "ab" * 32, 1
)
WITHDRAWAL = Question(
    Subject.WITHDRAWAL, b"\x02" * 16, "bitcoin", "regtest", "bcrt1q", 4096, "BTC", 2**80
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def ask(url: str, question: Question = DEPOSIT) -> Answer:
    async with HttpScreen(ScreeningSettings(SecretStr(url), SecretStr("planted"), 1)) as screen:
        return await screen.judge(question)


async def test_it_asks_with_the_deposits_id_and_takes_the_verdict() -> None:
    heard: list[tuple[str, str, dict[str, object]]] = []

    async def handler(request: web.Request) -> web.Response:
        headers = request.headers
        heard.append((headers["Idempotency-Key"], headers["Authorization"], await request.json()))
        return web.json_response({"verdict": "hold", "reason": "SANCTIONED", "reference": "7"})

    async with served(handler) as url:
        assert await ask(url) == Answer(Verdict.HOLD, "SANCTIONED", "7")
    ((key, token, question),) = heard
    assert (key, token) == ("01" * 16, "Bearer planted")
    assert question["amount_atoms"] == str(2**80)
    assert (question["deposit_id"], question["txid"], question["index"]) == (key, "ab" * 32, 1)


async def test_of_a_withdrawal_it_tells_the_recipient_and_may_hear_a_rejection() -> None:
    heard: list[dict[str, object]] = []

    async def handler(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.json_response({"verdict": "reject", "reason": "SANCTIONED", "reference": "7"})

    async with served(handler) as url:
        assert await ask(url, WITHDRAWAL) == Answer(Verdict.REJECT, "SANCTIONED", "7")
        # The coins of a deposit are here, whatever anybody says.
        with pytest.raises(Unavailable, match="no verdict"):
            await ask(url, DEPOSIT)
    assert heard[0] == {
        "withdrawal_id": "02" * 16,
        "chain": "bitcoin",
        "network": "regtest",
        "address": "bcrt1q",
        "account_id": 4096,
        "symbol": "BTC",
        "amount_atoms": str(2**80),
    }


@pytest.mark.parametrize("status", [204, 302, 404, 500])
async def test_another_status_is_no_answer(status: int) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, text='{"verdict": "accept"}' if status != 204 else None)

    async with served(handler) as url:
        with pytest.raises(Unavailable):
            await ask(url)


async def test_an_endless_answer_is_cut_and_nobody_listening_is_told_without_the_address() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(limits.ANSWER_BYTES_MAX // 1_024 + 2):
            await response.write(b" " * 1_024)
        return response

    async with served(handler) as url:
        with pytest.raises(Unavailable, match="too long"):
            await ask(url)
    with pytest.raises(Unavailable) as raised:
        await ask(f"{url}?key=planted")
    assert "planted" not in str(raised.value)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[" * 100_000,
        b'"accept"',
        b'{"verdict": "ACCEPT"}',
        b'{"verdict": ["accept"]}',
        b'{"verdict": "accept", "reason": "because of this"}',
        b'{"verdict": "accept", "reason": null}',
        json.dumps({"verdict": "accept", "reference": "x" * 201}).encode(),
    ],
)
def test_what_is_no_clear_verdict_is_no_answer(said: bytes) -> None:
    with pytest.raises(Unavailable):
        read_answer(said, Subject.WITHDRAWAL)


@pytest.mark.parametrize(
    ("url", "seconds"),
    [("ftp://a/", 5), ("http://10.0.0.1/", 5), ("https:///", 5), ("https://a/", 0)],
)
def test_settings_that_let_others_answer_or_wait_for_ever_are_refused(
    url: str, seconds: int
) -> None:
    with pytest.raises(ValueError, match="screening"):
        ScreeningSettings(SecretStr(url), None, seconds)
