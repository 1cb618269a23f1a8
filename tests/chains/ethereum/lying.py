"""A proxy before a real node that changes what it answers, as a node that lies would."""

import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

# Changes the result of a method in place, or gives another.
Lie = Callable[[str, Any], Any]


@asynccontextmanager
async def lying(url: str, lie: Lie) -> AsyncIterator[str]:
    """The address of a proxy to a node."""

    async def handle(request: web.Request) -> web.Response:
        body = await request.json()
        async with session.post(url, json=body) as response:
            answer = await response.json()
        if "result" in answer:
            answer["result"] = lie(body["method"], copy.deepcopy(answer["result"]))
        return web.json_response(answer)

    application = web.Application(client_max_size=2**24)
    application.router.add_post("/", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
        finally:
            await runner.cleanup()
