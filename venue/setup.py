"""Creates what a demo trades: assets, markets, firms, accounts, money, API keys.

Over AdminService, as an operator would; every step may be done again.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cambist.admin.v1 import admin_pb2
from cambist.client.admin import Admin
from cambist.client.enums import MarketPhase
from cambist.client.keys import ApiKey
from venue.flow.definitions import (
    ASSETS,
    ID_CAPACITY,
    MARKETS,
    OPEN_ORDERS_MAX,
    SHARD,
    AssetPlan,
    FirmPlan,
    MarketPlan,
)
from venue.stack import Stack

EXTERNAL: Final = 4
APPROVERS: Final = ("demo operator one", "demo operator two")
# Calls under way at once.
CONCURRENT_MAX: Final = 32


async def create_venue(stack: Stack, firms: Sequence[FirmPlan]) -> None:
    """Everything but keys. Raises the SDK's errors."""
    async with Admin.connect(stack.admin_endpoint, shard=SHARD) as admin:
        for asset in ASSETS:
            await enter_asset(admin, asset)
        for market in MARKETS:
            await enter_market(admin, market)
        for firm in firms:
            await admin.create_firm(firm.firm_id, firm.name)
        gate = asyncio.Semaphore(CONCURRENT_MAX)

        async def open_account(firm: FirmPlan, account_id: int) -> None:
            async with gate:
                await create_account(admin, firm, account_id)

        async with asyncio.TaskGroup() as group:
            for firm in firms:
                for account_id in firm.account_ids:
                    group.create_task(open_account(firm, account_id))
        for market in MARKETS:
            await admin.set_phase(market.market_id, MarketPhase.CONTINUOUS)


async def enter_asset(admin: Admin, asset: AssetPlan) -> None:
    """May be done again. Raises the SDK's errors."""
    await admin.create_asset(
        admin_pb2.Asset(asset_id=asset.asset_id, symbol=asset.symbol, decimals=asset.decimals)
    )


async def enter_market(admin: Admin, market: MarketPlan) -> None:
    """Its phase is another command. May be done again. Raises the SDK's errors."""
    await admin.create_market(
        admin_pb2.Market(
            market_id=market.market_id,
            symbol=market.symbol,
            base_asset_id=market.base_asset_id,
            quote_asset_id=market.quote_asset_id,
            lot_size_atoms=str(market.lot_size_atoms),
            tick_size_atoms=str(market.tick_size_atoms),
            limits=admin_pb2.MarketLimits(
                maker_fee_ppm=market.maker_fee_ppm, taker_fee_ppm=market.taker_fee_ppm
            ),
        )
    )


async def create_account(admin: Admin, firm: FirmPlan, account_id: int) -> None:
    """One account with its money."""
    await admin.create_account(
        admin_pb2.Account(
            account_id=account_id,
            firm_id=firm.firm_id,
            # Every third account shares the firm's self-trade group.
            self_trade_group_id=firm.firm_id if account_id % 3 == 0 else 0,
            open_orders_max=OPEN_ORDERS_MAX,
            id_capacity=ID_CAPACITY,
        )
    )
    for asset in ASSETS:
        await admin.adjust(
            (account_id << 32 | asset.asset_id).to_bytes(16, "big"),
            from_account_id=EXTERNAL,
            to_account_id=account_id,
            asset_id=asset.asset_id,
            amount_atoms=asset.start_atoms,
            approvers=APPROVERS,
        )


async def create_keys(
    stack: Stack, firms: Sequence[FirmPlan], directory: Path, scopes: Sequence[str] = ()
) -> dict[int, Path]:
    """A key per firm; its file by firm. A file that is there was registered before.

    Scopes are as in `Stack.create_key`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    paths: dict[int, Path] = {}

    async def create(firm: FirmPlan) -> None:
        key = ApiKey.generate(f"firm-{firm.firm_id}")
        path = directory / f"{key.key_id}.key.json"
        paths[firm.firm_id] = path
        if not path.exists():
            key.save(path)
            await stack.create_key(firm.firm_id, key.key_id, key.public_hex, scopes)

    gate = asyncio.Semaphore(4)

    async def gated(firm: FirmPlan) -> None:
        async with gate:
            await create(firm)

    async with asyncio.TaskGroup() as group:
        for firm in firms:
            group.create_task(gated(firm))
    return paths
