"""Who may call what: every method of every public service by its full name.

Deny unless declared: the server refuses to start when a method of a served service is missing
here, or when a name here is no method. `allowed` empty and not anonymous = any live key.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from runtime.errors import ConfigurationError


class Scope(enum.StrEnum):
    """What an API key may do; a key has several."""

    # Enter and change orders.
    TRADE = "TRADE"
    # Cancel orders and settle ids; a session without TRADE can do only this.
    CANCEL = "CANCEL"
    # Orders, fills, balances, drop copy.
    READ = "READ"
    # Market data.
    MARKET_DATA = "MARKET_DATA"
    # Move money between accounts of the firm.
    TRANSFER = "TRANSFER"
    # Deposits, withdrawals, address book.
    WITHDRAW = "WITHDRAW"
    # Limits and kill switches of the firm.
    RISK = "RISK"
    # API keys and sub-accounts of the firm.
    MANAGE = "MANAGE"


# What is left of the scopes of a read-only key.
READ_ONLY: Final = frozenset({Scope.READ, Scope.MARKET_DATA})


@dataclass(frozen=True, slots=True)
class Permission:
    """What a caller needs for one method."""

    # Any one of these is enough; empty = any live key.
    allowed: frozenset[Scope] = frozenset()
    # No credentials needed.
    anonymous: bool = False
    # Else it answers UNIMPLEMENTED, to those who may call it.
    built: bool = True

    def describe(self) -> str:
        """What a caller needs, for people."""
        if self.anonymous:
            return "nothing"
        return " or ".join(sorted(self.allowed)) or "any live key"


ANONYMOUS: Final = Permission(anonymous=True)
ANY_KEY: Final = Permission()
TRADE: Final = Permission(frozenset({Scope.TRADE}))
CANCEL: Final = Permission(frozenset({Scope.TRADE, Scope.CANCEL}))
READ: Final = Permission(frozenset({Scope.READ}))
WITHDRAW: Final = Permission(frozenset({Scope.WITHDRAW}))
MARKET_DATA: Final = Permission(frozenset({Scope.MARKET_DATA}))
TRANSFER: Final = Permission(frozenset({Scope.TRANSFER}))
RISK: Final = Permission(frozenset({Scope.RISK}))
# Play money, for whoever may use money.
PAY_IN: Final = Permission(frozenset({Scope.TRADE, Scope.TRANSFER, Scope.WITHDRAW}))


def later(*scopes: Scope) -> Permission:
    """A method that is not built yet."""
    return Permission(frozenset(scopes), built=False)


PERMISSIONS: Final[dict[str, Permission]] = {
    "/cambist.auth.v1.AuthService/GetChallenge": ANONYMOUS,
    "/cambist.auth.v1.AuthService/Logon": ANONYMOUS,
    "/cambist.info.v1.ApiInfoService/GetApiInfo": ANONYMOUS,
    "/cambist.orders.v1.OrderEntryService/Negotiate": CANCEL,
    "/cambist.orders.v1.OrderEntryService/OrderEntrySession": CANCEL,
    "/cambist.orders.v1.OrderEntryService/NewOrder": TRADE,
    "/cambist.orders.v1.OrderEntryService/CancelOrder": CANCEL,
    "/cambist.orders.v1.OrderEntryService/AmendOrder": TRADE,
    "/cambist.orders.v1.OrderEntryService/ReplaceOrder": TRADE,
    "/cambist.orders.v1.OrderEntryService/MassCancel": CANCEL,
    "/cambist.orders.v1.OrderEntryService/NewOrderList": later(Scope.TRADE),
    "/cambist.orders.v1.OrderEntryService/BatchNewOrders": TRADE,
    "/cambist.orders.v1.OrderEntryService/BatchCancelOrders": CANCEL,
    "/cambist.orders.v1.OrderEntryService/CancelAllAfter": CANCEL,
    "/cambist.orders.v1.OrderEntryService/ResolveOrder": CANCEL,
    "/cambist.orders.v1.OrderEntryService/TestNewOrder": later(Scope.TRADE),
    "/cambist.mass_quote.v1.MassQuoteService/MassQuote": later(Scope.TRADE),
    "/cambist.mass_quote.v1.MassQuoteService/CancelQuotes": later(Scope.TRADE, Scope.CANCEL),
    "/cambist.mass_quote.v1.MassQuoteService/SetProtection": later(Scope.TRADE),
    "/cambist.mass_quote.v1.MassQuoteService/ResetProtection": later(Scope.TRADE),
    "/cambist.market_data.v1.MarketDataService/MarketDataSession": MARKET_DATA,
    "/cambist.market_data.v1.MarketDataService/StreamLevel2": MARKET_DATA,
    "/cambist.market_data.v1.MarketDataService/StreamTrades": MARKET_DATA,
    "/cambist.market_data.v1.MarketDataService/StreamBestBidOffer": MARKET_DATA,
    "/cambist.market_data.v1.MarketDataService/GetLevel2": MARKET_DATA,
    "/cambist.market_data.v1.MarketDataService/ReplayMarketData": later(Scope.MARKET_DATA),
    "/cambist.market_data.v1.MarketDataService/ListCandles": later(Scope.MARKET_DATA),
    "/cambist.query.v1.OrderQueryService/GetOrder": READ,
    "/cambist.query.v1.OrderQueryService/ListOpenOrders": READ,
    "/cambist.query.v1.OrderQueryService/ListOrders": READ,
    "/cambist.query.v1.OrderQueryService/ListFills": READ,
    "/cambist.query.v1.OrderQueryService/ListPreventedMatches": READ,
    "/cambist.drop_copy.v1.DropCopyService/StreamPrivateEvents": READ,
    "/cambist.reference.v1.ReferenceDataService/ListAssets": ANY_KEY,
    "/cambist.reference.v1.ReferenceDataService/ListMarkets": ANY_KEY,
    "/cambist.reference.v1.ReferenceDataService/GetMarket": ANY_KEY,
    "/cambist.reference.v1.ReferenceDataService/GetServerTime": ANY_KEY,
    "/cambist.reference.v1.ReferenceDataService/StreamTradingStatus": ANY_KEY,
    "/cambist.reference.v1.ReferenceDataService/ListTradingSessions": later(),
    "/cambist.wallet.v1.WalletService/GetBalances": READ,
    "/cambist.wallet.v1.WalletService/StreamBalances": READ,
    "/cambist.wallet.v1.WalletService/Transfer": TRANSFER,
    "/cambist.wallet.v1.WalletService/CreateDepositAddress": WITHDRAW,
    "/cambist.wallet.v1.WalletService/ListDeposits": READ,
    "/cambist.wallet.v1.WalletService/QuoteWithdrawal": WITHDRAW,
    "/cambist.wallet.v1.WalletService/RequestWithdrawal": WITHDRAW,
    "/cambist.wallet.v1.WalletService/CancelWithdrawal": WITHDRAW,
    "/cambist.wallet.v1.WalletService/ListWithdrawals": READ,
    "/cambist.wallet.v1.WalletService/AddAddress": WITHDRAW,
    "/cambist.wallet.v1.WalletService/ListAddresses": READ,
    "/cambist.wallet.v1.WalletService/ListLedgerEntries": READ,
    "/cambist.wallet.v1.WalletService/GetLiabilityProof": READ,
    "/cambist.wallet.v1.WalletService/GetLiabilityReport": ANY_KEY,
    "/cambist.account.v1.AccountService/ListAccounts": ANY_KEY,
    "/cambist.account.v1.AccountService/CreateSubAccount": later(Scope.MANAGE),
    "/cambist.account.v1.AccountService/UpdateSubAccount": later(Scope.MANAGE),
    "/cambist.api_key.v1.ApiKeyService/CreateApiKey": later(Scope.MANAGE),
    "/cambist.api_key.v1.ApiKeyService/ListApiKeys": later(Scope.MANAGE),
    "/cambist.api_key.v1.ApiKeyService/UpdateApiKey": later(Scope.MANAGE),
    "/cambist.api_key.v1.ApiKeyService/RevokeApiKey": later(Scope.MANAGE),
    "/cambist.limits.v1.LimitsService/GetLimits": ANY_KEY,
    "/cambist.limits.v1.LimitsService/StreamLimits": later(),
    "/cambist.risk.v1.RiskService/GetRiskLimits": later(Scope.RISK),
    "/cambist.risk.v1.RiskService/SetRiskLimits": later(Scope.RISK),
    "/cambist.risk.v1.RiskService/ActivateKillSwitch": later(Scope.RISK),
    "/cambist.risk.v1.RiskService/ReleaseKillSwitch": later(Scope.RISK),
    "/cambist.risk.v1.RiskService/MassCancelFirm": RISK,
    "/cambist.sandbox.v1.SandboxService/PayIn": PAY_IN,
    "/cambist.sandbox.v1.SandboxService/InjectFault": later(),
    "/cambist.sandbox.v1.SandboxService/AdvanceClock": later(),
}


def check_complete(methods: Iterable[str], permissions: dict[str, Permission]) -> None:
    """Raises ConfigurationError unless exactly the served methods are declared."""
    served = set(methods)
    missing, unknown = sorted(served - permissions.keys()), sorted(permissions.keys() - served)
    if missing or unknown:
        raise ConfigurationError(
            f"the permission map does not fit the services: missing {missing}, unknown {unknown}"
        )
