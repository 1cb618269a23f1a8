"""What is a place to die at in a source, and what is not."""

import pytest

from tests.wallets.crash_points import sites_of


@pytest.mark.parametrize(
    ("body", "calls"),
    [
        ("await self._signer.sign(plan)", ["sign"]),
        ("async for row in stub.StreamEvents(request):\n  pass", ["StreamEvents"]),
        ("async with changing(d, A) as connection:\n  await connection.execute('')", ["changing"]),
        (
            "async with changing(d, A) as connection:\n  await self._signer.sign(connection2)",
            ["changing", "sign"],
        ),
        ("await self.own()", []),
        ("await log.take(database)", []),
        ("await other.take(database)", ["take"]),
        ("await asyncio.sleep(1)", []),
        ("await self._store.wait(mine)", ["wait"]),
        ("await task", ["task"]),
    ],
)
def test_every_await_that_may_leave_something_behind_is_a_place_to_die_at(
    body: str, calls: list[str]
) -> None:
    indented = body.replace("\n", "\n  ")
    source = f"class One:\n async def own(self):\n  pass\n async def work(self):\n  {indented}\n"
    assert [site.call for _, site in sites_of(source, "one", {"log"})] == calls
