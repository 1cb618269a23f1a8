"""`python -m venue.trader CONFIG`: trades until standard input says "stop", then "end".

Prints a line of JSON four times a second; `"quiet"` is true when it sends no more and all is
answered, the last line has `"done": true`. Exit status 1 when a session ended or an answer never
came.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import uvloop

from cambist.client.channels import Tls
from cambist.client.client import Client
from cambist.client.keys import ApiKey
from venue.flow.firm import Firm
from venue.latency import Histogram
from venue.trader.config import TraderConfig
from venue.trader.firm_trader import STAGES, FirmTrader, Words

STATUS_SECONDS: Final = 0.25


async def read_words(words: Words) -> None:
    """Sets what standard input says, line by line; its end says both."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.readline()
    words.stop.set()
    await reader.readline()
    words.end.set()


def tell(traders: list[FirmTrader], *, done: bool) -> None:
    """One line about all firms of the process; histograms start anew with each line."""
    latencies: dict[str, Histogram] = {stage: Histogram() for stage in STAGES}
    totals: dict[str, int] = {}
    for trader in traders:
        for name in ("sent", "answered", "refused", "fills", "events", "faults"):
            totals[name] = totals.get(name, 0) + getattr(trader.counts, name)
        for stage, histogram in trader.latencies.items():
            latencies[stage].merge(histogram)
            trader.latencies[stage] = Histogram()
    line: dict[str, Any] = {
        **totals,
        "unanswered": sum(len(trader.unanswered) for trader in traders),
        "open_orders": sum(len(trader.flow.orders) for trader in traders),
        "latencies": {stage: histogram.to_plain() for stage, histogram in latencies.items()},
        "quiet": all(trader.is_quiet for trader in traders),
        "done": done,
    }
    print(json.dumps(line), flush=True)


async def report(traders: list[FirmTrader]) -> None:
    """Tells until cancelled."""
    while True:
        await asyncio.sleep(STATUS_SECONDS)
        tell(traders, done=False)


async def run(trader: FirmTrader, words: Words, pause_seconds: float) -> None:
    """One firm; one that fails ends the process, so that nobody waits for it."""
    try:
        await trader.run(words, lambda: pause_seconds)
    finally:
        if not trader.is_quiet:
            words.stop.set()
            words.end.set()


async def trade(config: TraderConfig) -> bool:
    """Runs all firms; whether everything was answered and nothing was refused whole."""
    words = Words()
    tls = Tls(authority=config.authority_file) if config.authority_file else None
    async with AsyncExitStack() as stack:
        traders = []
        for firm in config.firms:
            key = ApiKey.load(firm.key_file)
            client = await stack.enter_async_context(Client.connect(config.endpoints, key, tls=tls))
            flow = Firm(firm.plan(), config.seed, config.run, config.window_commands)
            path = Path(config.log_directory) / f"firm-{firm.firm_id}.log"
            traders.append(
                FirmTrader(flow, client, path, config.window_commands, config.burst_commands)
            )
        rate = config.commands_per_second / len(traders)
        pause = config.burst_commands / rate if rate else 0.0
        async with asyncio.TaskGroup() as group:
            helpers = [group.create_task(read_words(words)), group.create_task(report(traders))]
            results = await asyncio.gather(
                *(run(trader, words, pause) for trader in traders), return_exceptions=True
            )
            for helper in helpers:
                helper.cancel()
        tell(traders, done=True)
    for result in results:
        if isinstance(result, BaseException):
            print(f"{config.name}: {type(result).__name__}: {result}", file=sys.stderr)
    is_whole = not any(trader.unanswered or trader.counts.faults for trader in traders)
    return is_whole and not any(isinstance(result, BaseException) for result in results)


def main() -> int:
    """Reads the configuration and trades."""
    if len(sys.argv) != 2:
        print("usage: python -m venue.trader CONFIG", file=sys.stderr)
        return 2
    config = TraderConfig.load(Path(sys.argv[1]))
    return 0 if uvloop.run(trade(config)) else 1


if __name__ == "__main__":
    sys.exit(main())
