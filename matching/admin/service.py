"""AdminService on the admin port, for operators known by certificate.

Each change is a journaled command; the answer comes after its commit. Everything may be done again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf import message_factory

from cambist.admin.v1 import admin_pb2
from cambist.internal.journal.v1 import system_pb2
from matching import limits
from matching.admin import commands
from matching.admin.adjustments import Adjustments
from matching.admin.amounts import to_bytes
from matching.admin.definitions import Definitions
from matching.admin.desk import Desk
from matching.admin.refusals import DUPLICATE, refusal
from matching.admin.status import operator_status
from matching.errors import Rejected
from matching.recovery import skips
from matching.rpc.faults import Context
from matching.rpc.service import told
from matching.shard_state import ShardState
from runtime import logs
from runtime.postgres import Database
from runtime.stages import StageMeter

LOGGER = logs.get(__name__)
SERVICE: Final = admin_pb2.DESCRIPTOR.services_by_name["AdminService"]
DEVELOPMENT: Final = "development"
SystemCommand = system_pb2.SystemCommand


@dataclass(frozen=True, slots=True)
class AdminParts:
    """What the service works with."""

    state: ShardState
    database: Database
    definitions: Definitions
    desk: Desk
    adjustments: Adjustments
    stages: StageMeter


class AdminService:
    """The methods; errors of matching become faults of the call."""

    def __init__(self, parts: AdminParts) -> None:
        self._parts = parts

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        methods: dict[str, Callable[[Any, Context], Awaitable[Any]]] = {
            "CreateAsset": self._create_asset,
            "CreateMarket": self._create_market,
            "UpdateMarket": self._update_market,
            "SetPhase": self._set_phase,
            "Halt": self._halt,
            "Resume": self._resume,
            "CreateFirm": self._create_firm,
            "CreateAccount": self._create_account,
            "SetAccountLimits": self._set_account_limits,
            "SetFeeTier": self._set_fee_tier,
            "SetReferencePrice": self._set_reference_price,
            "SetTradingLimits": self._set_trading_limits,
            "SetKillSwitch": self._set_kill_switch,
            "SwitchRules": self._switch_rules,
            "Adjust": self._adjust,
            "SkipPoisonCommand": self._skip_poison_command,
            "ListDefinitions": self._list_definitions,
            "GetAccounts": self._get_accounts,
            "GetStatus": self._get_status,
        }
        handlers = {}
        for method in SERVICE.methods:
            request = message_factory.GetMessageClass(method.input_type)
            response = message_factory.GetMessageClass(method.output_type)
            handlers[method.name] = grpc.unary_unary_rpc_method_handler(
                told(methods[method.name]),
                request_deserializer=request.FromString,
                response_serializer=response.SerializeToString,
            )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE.full_name, handlers),)
        )

    async def _carry_out(self, command: SystemCommand) -> int:
        """The reason of the answer. Raises NotPrimary, Rejected, Unavailable, Unknown."""
        desk = self._parts.desk
        primary = self._parts.state.require_primary()
        return await desk.carry_out(primary, command, desk.next_correlation())

    async def _must(self, command: SystemCommand) -> None:
        """Carries out what is not asked for twice. Raises Rejected when it is refused."""
        reason = await self._carry_out(command)
        if reason:
            raise refusal(reason)

    async def _create(self, command: SystemCommand, is_same: Callable[[], bool]) -> bool:
        """Creates something; whether it was there already, defined the same."""
        reason = await self._carry_out(command)
        if reason == DUPLICATE and is_same():
            return True
        if reason:
            raise refusal(reason)
        return False

    def _check_shard(self, shard: int) -> None:
        self._parts.state.require_primary()
        if shard != self._parts.state.shard:
            raise Rejected("WRONG_SHARD", f"this is shard {self._parts.state.shard}")

    async def _create_asset(
        self, request: admin_pb2.CreateAssetRequest, _: Context
    ) -> admin_pb2.CreateAssetResponse:
        self._check_shard(request.shard)
        wanted = commands.create_asset(request.asset)
        known = self._parts.definitions.assets
        existed = await self._create(
            SystemCommand(create_asset=wanted), lambda: known.get(wanted.asset_id) == wanted
        )
        return admin_pb2.CreateAssetResponse(existed=existed)

    async def _create_market(
        self, request: admin_pb2.CreateMarketRequest, _: Context
    ) -> admin_pb2.CreateMarketResponse:
        wanted = commands.create_market(request.market)
        known = self._parts.definitions.markets

        def is_same() -> bool:
            entry = known.get(wanted.market_id)
            return entry is not None and commands.is_same_market(wanted, entry)

        existed = await self._create(SystemCommand(create_market=wanted), is_same)
        return admin_pb2.CreateMarketResponse(existed=existed)

    async def _update_market(
        self, request: admin_pb2.UpdateMarketRequest, _: Context
    ) -> admin_pb2.UpdateMarketResponse:
        parameters = commands.parameters(request.limits)
        update = system_pb2.UpdateMarket(market_id=request.market_id, parameters=parameters)
        await self._must(SystemCommand(update_market=update))
        return admin_pb2.UpdateMarketResponse()

    async def _set_phase(
        self, request: admin_pb2.SetPhaseRequest, _: Context
    ) -> admin_pb2.SetPhaseResponse:
        phase = system_pb2.SetPhase(market_id=request.market_id, phase=request.phase)
        await self._must(SystemCommand(set_phase=phase))
        return admin_pb2.SetPhaseResponse()

    async def _halt(self, request: admin_pb2.HaltRequest, _: Context) -> admin_pb2.HaltResponse:
        self._check_shard(request.shard)
        await self._must(SystemCommand(halt=system_pb2.Halt(market_id=request.market_id)))
        return admin_pb2.HaltResponse()

    async def _resume(
        self, request: admin_pb2.ResumeRequest, _: Context
    ) -> admin_pb2.ResumeResponse:
        self._check_shard(request.shard)
        resume = system_pb2.Resume(market_id=request.market_id, phase=request.phase)
        await self._must(SystemCommand(resume=resume))
        return admin_pb2.ResumeResponse()

    async def _create_firm(
        self, request: admin_pb2.CreateFirmRequest, _: Context
    ) -> admin_pb2.CreateFirmResponse:
        self._check_shard(request.shard)
        wanted = system_pb2.CreateFirm(firm_id=request.firm.firm_id, name=request.firm.name)
        known = self._parts.definitions.firms
        existed = await self._create(
            SystemCommand(create_firm=wanted), lambda: known.get(wanted.firm_id) == wanted.name
        )
        return admin_pb2.CreateFirmResponse(existed=existed)

    async def _create_account(
        self, request: admin_pb2.CreateAccountRequest, _: Context
    ) -> admin_pb2.CreateAccountResponse:
        self._check_shard(request.shard)
        wanted = commands.create_account(request.account)
        known = self._parts.definitions.accounts

        def is_same() -> bool:
            shape = known.get(wanted.account_id)
            return shape is not None and commands.is_same_account(wanted, shape)

        existed = await self._create(SystemCommand(create_account=wanted), is_same)
        return admin_pb2.CreateAccountResponse(existed=existed)

    async def _set_account_limits(
        self, request: admin_pb2.SetAccountLimitsRequest, _: Context
    ) -> admin_pb2.SetAccountLimitsResponse:
        self._check_shard(request.shard)
        wanted = system_pb2.SetAccountLimits(
            account_id=request.account_id,
            limits=system_pb2.AccountLimits(
                open_orders_max=request.open_orders_max, id_capacity=request.id_capacity
            ),
            frozen=request.frozen,
        )
        await self._must(SystemCommand(set_account_limits=wanted))
        return admin_pb2.SetAccountLimitsResponse()

    async def _set_fee_tier(
        self, request: admin_pb2.SetFeeTierRequest, _: Context
    ) -> admin_pb2.SetFeeTierResponse:
        self._check_shard(request.shard)
        await self._must(SystemCommand(set_fee_tier=commands.set_fee_tier(request)))
        return admin_pb2.SetFeeTierResponse()

    async def _set_reference_price(
        self, request: admin_pb2.SetReferencePriceRequest, _: Context
    ) -> admin_pb2.SetReferencePriceResponse:
        wanted = system_pb2.SetReferencePrice(
            market_id=request.market_id, price_ticks=request.price_ticks
        )
        await self._must(SystemCommand(set_reference_price=wanted))
        return admin_pb2.SetReferencePriceResponse()

    async def _set_trading_limits(
        self, request: admin_pb2.SetTradingLimitsRequest, _: Context
    ) -> admin_pb2.SetTradingLimitsResponse:
        self._check_shard(request.shard)
        wanted = commands.set_trading_limits(request)
        await self._must(SystemCommand(set_trading_limits=wanted))
        return admin_pb2.SetTradingLimitsResponse()

    async def _set_kill_switch(
        self, request: admin_pb2.SetKillSwitchRequest, _: Context
    ) -> admin_pb2.SetKillSwitchResponse:
        self._check_shard(request.shard)
        await self._must(SystemCommand(kill_switch=commands.kill_switch(request)))
        return admin_pb2.SetKillSwitchResponse()

    async def _switch_rules(
        self, request: admin_pb2.SwitchRulesRequest, _: Context
    ) -> admin_pb2.SwitchRulesResponse:
        self._check_shard(request.shard)
        wanted = system_pb2.SwitchRules(version=request.version)
        await self._must(SystemCommand(switch_rules=wanted))
        return admin_pb2.SwitchRulesResponse()

    async def _adjust(
        self, request: admin_pb2.AdjustRequest, _: Context
    ) -> admin_pb2.AdjustResponse:
        self._check_shard(request.shard)
        command = system_pb2.Adjust(
            adjustment_id=request.adjustment_id,
            from_account_id=request.from_account_id,
            to_account_id=request.to_account_id,
            asset_id=request.asset_id,
            amount_atoms=to_bytes(request.amount_atoms, "amount_atoms"),
            first_approver=request.first_approver,
            second_approver=request.second_approver,
        )
        primary = self._parts.state.require_primary()
        repeat = await self._parts.adjustments.adjust(primary, command)
        return admin_pb2.AdjustResponse(repeat=repeat)

    async def _skip_poison_command(
        self, request: admin_pb2.SkipPoisonCommandRequest, context: Context
    ) -> admin_pb2.SkipPoisonCommandResponse:
        self._check_shard(request.shard)
        released = self._parts.state.require_primary().released.seq
        if not 1 <= request.seq <= released:
            raise Rejected("INVALID_PARAMETER", f"seq is not in 1 to {released}")
        asked_by = name_of_caller(context)
        LOGGER.warning("skip asked for", seq=request.seq, asked_by=asked_by)
        await skips.ask(self._parts.database, request.shard, request.seq, asked_by)
        skip = system_pb2.SkipPoisonCommand(seq=request.seq)
        await self._must(SystemCommand(skip_poison_command=skip))
        return admin_pb2.SkipPoisonCommandResponse()

    async def _list_definitions(
        self, request: admin_pb2.ListDefinitionsRequest, _: Context
    ) -> admin_pb2.ListDefinitionsResponse:
        self._check_shard(request.shard)
        known = self._parts.definitions
        assets, markets, firms = known.assets, known.markets, known.firms
        return admin_pb2.ListDefinitionsResponse(
            seq=known.seq,
            assets=[
                admin_pb2.Asset(
                    asset_id=asset_id,
                    symbol=assets[asset_id].symbol,
                    decimals=assets[asset_id].decimals,
                )
                for asset_id in sorted(assets)
            ],
            markets=[commands.market_of(markets[market_id]) for market_id in sorted(markets)],
            firms=[
                admin_pb2.Firm(firm_id=firm_id, name=firms[firm_id])
                for firm_id in sorted(firms)[: limits.FIRMS_LISTED_MAX]
            ],
            account_count=len(known.accounts),
        )

    async def _get_accounts(
        self, request: admin_pb2.GetAccountsRequest, _: Context
    ) -> admin_pb2.GetAccountsResponse:
        self._check_shard(request.shard)
        if len(request.account_ids) > limits.ACCOUNTS_ASKED_MAX:
            raise Rejected("TOO_LARGE", f"more than {limits.ACCOUNTS_ASKED_MAX} accounts")
        known = self._parts.definitions
        return admin_pb2.GetAccountsResponse(
            seq=known.seq,
            accounts=[
                commands.account_of(
                    account_id,
                    known.accounts[account_id],
                    known.fee_tiers.get(account_id, {}),
                    known.trading_limits.get(account_id, {}),
                )
                for account_id in request.account_ids
                if account_id in known.accounts
            ],
        )

    async def _get_status(
        self, request: admin_pb2.GetStatusRequest, _: Context
    ) -> admin_pb2.GetStatusResponse:
        if request.shard != self._parts.state.shard:
            raise Rejected("WRONG_SHARD", f"this is shard {self._parts.state.shard}")
        return operator_status(self._parts.state, self._parts.stages)


def name_of_caller(context: Context) -> str:
    """The name in the caller's certificate; callers without one exist in development only."""
    names = [*context.auth_context().get("x509_common_name", ())]
    return names[0].decode(errors="replace") if names else DEVELOPMENT
