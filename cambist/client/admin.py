"""What operators do on the admin port of matching: assets, markets, firms, accounts, phases, money.

Callers are known by certificate (mTLS); in development the port may be plain on the loopback.
"""

from collections.abc import Generator, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from google.protobuf.message import Message

from cambist.admin.v1 import admin_pb2 as pb
from cambist.client import limits
from cambist.client.channels import Anonymous, Channels, Tls
from cambist.client.commands import check_id
from cambist.client.enums import MarketPhase
from cambist.client.retry import again
from cambist.orders.v1 import enums_pb2

SERVICE: Final = "/cambist.admin.v1.AdminService/"
Answer = TypeVar("Answer", bound=Message)


class Admin:
    """Administration of one shard. Every method may be called again: it is done once."""

    def __init__(self, endpoint: str, *, shard: int = 1, tls: Tls | None = None) -> None:
        self._channels = Channels.open((endpoint,), tls, Anonymous())
        self.shard = shard

    @classmethod
    def connect(cls, endpoint: str, *, shard: int = 1, tls: Tls | None = None) -> Self:
        """Use as `async with Admin.connect("127.0.0.1:7002") as admin`."""
        return cls(endpoint, shard=shard, tls=tls)

    async def open(self) -> Self:
        """Nothing to do: calls connect."""
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self.open().__await__()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the channel."""
        await self._channels.close()

    async def create_asset(self, asset: pb.Asset) -> bool:
        """Creates an asset; whether it was there already. Raises Rejected."""
        request = pb.CreateAssetRequest(shard=self.shard, asset=asset)
        return (await self._call("CreateAsset", request, pb.CreateAssetResponse)).existed

    async def create_market(self, market: pb.Market) -> bool:
        """Creates a market, HALTED; whether it was there already. Raises Rejected."""
        request = pb.CreateMarketRequest(market=market)
        return (await self._call("CreateMarket", request, pb.CreateMarketResponse)).existed

    async def update_market(self, market_id: int, market_limits: pb.MarketLimits) -> None:
        """Replaces limits and fees. Raises Rejected."""
        request = pb.UpdateMarketRequest(market_id=market_id, limits=market_limits)
        await self._call("UpdateMarket", request, pb.UpdateMarketResponse)

    async def set_phase(self, market_id: int, phase: MarketPhase) -> None:
        """Sets the phase of a market. Raises Rejected."""
        value = enums_pb2.MarketPhase.ValueType(phase)
        request = pb.SetPhaseRequest(market_id=market_id, phase=value)
        await self._call("SetPhase", request, pb.SetPhaseResponse)

    async def halt(self, market_id: int = 0) -> None:
        """Halts one market, or all with 0. Raises Rejected."""
        request = pb.HaltRequest(shard=self.shard, market_id=market_id)
        await self._call("Halt", request, pb.HaltResponse)

    async def resume(self, market_id: int = 0, phase: MarketPhase = MarketPhase.CONTINUOUS) -> None:
        """Ends a halt of one market, or of all with 0. Raises Rejected."""
        value = enums_pb2.MarketPhase.ValueType(phase)
        request = pb.ResumeRequest(shard=self.shard, market_id=market_id, phase=value)
        await self._call("Resume", request, pb.ResumeResponse)

    async def switch_rules(self, version: int) -> None:
        """Switches to a newer version of the rules, for good. Raises Rejected."""
        request = pb.SwitchRulesRequest(shard=self.shard, version=version)
        await self._call("SwitchRules", request, pb.SwitchRulesResponse)

    async def create_firm(self, firm_id: int, name: str) -> bool:
        """Creates a firm; whether it was there already. Raises Rejected."""
        firm = pb.Firm(firm_id=firm_id, name=name)
        request = pb.CreateFirmRequest(shard=self.shard, firm=firm)
        return (await self._call("CreateFirm", request, pb.CreateFirmResponse)).existed

    async def create_account(self, account: pb.Account) -> bool:
        """Creates an account; whether it was there already. Raises Rejected."""
        request = pb.CreateAccountRequest(shard=self.shard, account=account)
        return (await self._call("CreateAccount", request, pb.CreateAccountResponse)).existed

    async def set_account_limits(
        self,
        account_id: int,
        *,
        open_orders_max: int = 0,
        id_capacity: int = 0,
        frozen: bool = False,
    ) -> None:
        """Replaces limits and freeze of an account; 0 takes the default. Raises Rejected."""
        request = pb.SetAccountLimitsRequest(
            shard=self.shard,
            account_id=account_id,
            open_orders_max=open_orders_max,
            id_capacity=id_capacity,
            frozen=frozen,
        )
        await self._call("SetAccountLimits", request, pb.SetAccountLimitsResponse)

    async def set_fee_tier(
        self, account_id: int, *, maker_fee_ppm: int, taker_fee_ppm: int, market_id: int = 0
    ) -> None:
        """Fees of one account for its orders from then on, in one market or with 0 in all others.

        In parts per million of notional; a negative maker fee is a rebate. Raises Rejected; it is
        UNSUPPORTED before rules version 2.
        """
        tier = pb.FeeTier(
            market_id=market_id, maker_fee_ppm=maker_fee_ppm, taker_fee_ppm=taker_fee_ppm
        )
        request = pb.SetFeeTierRequest(shard=self.shard, account_id=account_id, tier=tier)
        await self._call("SetFeeTier", request, pb.SetFeeTierResponse)

    async def remove_fee_tier(self, account_id: int, *, market_id: int = 0) -> None:
        """Takes the tier of one market back, or with 0 that of all others. Raises Rejected."""
        request = pb.SetFeeTierRequest(
            shard=self.shard,
            account_id=account_id,
            tier=pb.FeeTier(market_id=market_id),
            remove=True,
        )
        await self._call("SetFeeTier", request, pb.SetFeeTierResponse)

    async def set_reference_price(self, market_id: int, price_ticks: int) -> None:
        """What the market's static band refers to; 0 is none. Raises Rejected."""
        request = pb.SetReferencePriceRequest(market_id=market_id, price_ticks=price_ticks)
        await self._call("SetReferencePrice", request, pb.SetReferencePriceResponse)

    async def set_trading_limits(
        self,
        account_id: int,
        market_id: int,
        *,
        order_lots_max: int = 0,
        order_notional_atoms_max: int = 0,
        open_orders_max: int = 0,
        open_lots_max: int = 0,
        open_notional_atoms_max: int = 0,
        position_atoms_max: int = 0,
    ) -> None:
        """All limits of an account in a market; 0 is none, and without any they are taken back.

        Lots and base atoms are the market's, notionals are quote atoms. Raises Rejected; it is
        UNSUPPORTED before rules version 2.
        """
        wanted = pb.TradingLimits(
            market_id=market_id,
            order_lots_max=order_lots_max,
            order_notional_atoms_max=str(order_notional_atoms_max),
            open_orders_max=open_orders_max,
            open_lots_max=open_lots_max,
            open_notional_atoms_max=str(open_notional_atoms_max),
            position_atoms_max=str(position_atoms_max),
        )
        request = pb.SetTradingLimitsRequest(shard=self.shard, account_id=account_id, limits=wanted)
        await self._call("SetTradingLimits", request, pb.SetTradingLimitsResponse)

    async def set_kill_switch(
        self,
        *,
        account_id: int = 0,
        firm_id: int = 0,
        market_id: int = 0,
        whole_shard: bool = False,
        active: bool = True,
    ) -> None:
        """Kill switch of exactly one account, firm or market, or of the shard. Raises Rejected.

        Those of firms and of the shard are UNSUPPORTED before rules version 2.
        """
        request = pb.SetKillSwitchRequest(
            shard=self.shard,
            account_id=account_id,
            firm_id=firm_id,
            market_id=market_id,
            whole_shard=whole_shard,
            active=active,
        )
        await self._call("SetKillSwitch", request, pb.SetKillSwitchResponse)

    async def adjust(
        self,
        adjustment_id: bytes,
        *,
        from_account_id: int,
        to_account_id: int,
        asset_id: int,
        amount_atoms: int,
        approvers: tuple[str, str],
    ) -> bool:
        """Moves money with two approvers (from 4 = external); whether it was done before.

        `adjustment_id` (16 bytes) makes it happen once. Raises Rejected.
        """
        request = pb.AdjustRequest(
            shard=self.shard,
            adjustment_id=check_id(adjustment_id),
            from_account_id=from_account_id,
            to_account_id=to_account_id,
            asset_id=asset_id,
            amount_atoms=str(amount_atoms),
            first_approver=approvers[0],
            second_approver=approvers[1],
        )
        return (await self._call("Adjust", request, pb.AdjustResponse)).repeat

    async def definitions(self) -> pb.ListDefinitionsResponse:
        """What exists on the shard."""
        request = pb.ListDefinitionsRequest(shard=self.shard)
        return await self._call("ListDefinitions", request, pb.ListDefinitionsResponse)

    async def accounts(self, account_ids: Sequence[int]) -> dict[int, pb.Account]:
        """Those of the accounts that exist, as they stand. Raises Rejected."""
        found: dict[int, pb.Account] = {}
        for page in range(0, len(account_ids), limits.ACCOUNTS_ASKED_MAX):
            asked = account_ids[page : page + limits.ACCOUNTS_ASKED_MAX]
            request = pb.GetAccountsRequest(shard=self.shard, account_ids=asked)
            answer = await self._call("GetAccounts", request, pb.GetAccountsResponse)
            found |= {account.account_id: account for account in answer.accounts}
        return found

    async def status(self) -> pb.GetStatusResponse:
        """State and speed of the process, in any role. Raises Rejected, Unavailable."""
        request = pb.GetStatusRequest(shard=self.shard)
        return await self._channels.unary(
            SERVICE + "GetStatus", request, pb.GetStatusResponse, limits.STATUS_SECONDS
        )

    async def _call(self, method: str, request: Message, response: type[Answer]) -> Answer:
        """Calls again when unavailable: administration is idempotent."""
        return await again(
            lambda: self._channels.unary(SERVICE + method, request, response, limits.CALL_SECONDS),
            self._channels.rotate,
        )
