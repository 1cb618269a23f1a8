"""Administration: assets, markets, firms, accounts, phases. Section 8.

Every rule judges and returns what remains to be done; the answer is told in between.
"""

from collections.abc import Callable

from cambist.internal.journal.v1 import frames_pb2, system_pb2
from cambist.orders.v1 import enums_pb2, events_pb2
from matching.reference import amounts, disconnect, fee_tiers, limits
from matching.reference.custody import nothing
from matching.reference.errors import Refusal
from matching.reference.money import firm_account
from matching.reference.order_checks import market_of_command, refuse_if
from matching.reference.requests import HALTED
from matching.reference.run import Run
from matching.reference.state import Market, State
from matching.reference.types import Account, MarketParameters

R = enums_pb2
Then = Callable[[], None]
SETTABLE = (
    R.MARKET_PHASE_CONTINUOUS,
    R.MARKET_PHASE_POST_ONLY,
    R.MARKET_PHASE_CANCEL_ONLY,
    R.MARKET_PHASE_HALTED,
)


def create_asset(run: Run, sent: system_pb2.CreateAsset) -> Then:
    """An asset."""
    assets = run.state.assets
    is_wrong = sent.asset_id == 0 or sent.decimals > limits.DECIMALS_MAX
    refuse_if(is_wrong, R.REJECT_REASON_INVALID_PARAMETER)
    is_taken = sent.asset_id in assets or any(
        asset.symbol == sent.symbol for asset in assets.values()
    )
    refuse_if(is_taken, R.REJECT_REASON_DUPLICATE_ID)
    refuse_if(len(assets) >= limits.ASSETS_MAX, R.REJECT_REASON_CAPACITY)
    assets[sent.asset_id] = sent
    return lambda: run.tell_system(asset_created=sent)


def create_market(run: Run, sent: system_pb2.CreateMarket) -> Then:
    """A market, halted."""
    markets = run.state.markets
    refuse_if(sent.market_id >> 16 != run.state.shard, R.REJECT_REASON_WRONG_SHARD)
    refuse_if(not sent.market_id & 0xFFFF, R.REJECT_REASON_INVALID_PARAMETER)
    is_taken = sent.market_id in markets or any(
        market.created.symbol == sent.symbol for market in markets.values()
    )
    refuse_if(is_taken, R.REJECT_REASON_DUPLICATE_ID)
    refuse_if(len(markets) >= limits.MARKETS_MAX, R.REJECT_REASON_CAPACITY)
    lot, tick_value = market_sizes(run.state, sent)
    market = Market(sent, tick_value, lot, filled_parameters(sent.parameters))
    judge_version(run, market.parameters)
    fee_tiers.judge_market(run.state, sent.market_id, market.parameters)
    markets[sent.market_id] = market
    return lambda: tell_defined(run, market)


def market_sizes(state: State, sent: system_pb2.CreateMarket) -> tuple[int, int]:
    """Lot size in base atoms and tick value in quote atoms.

    Raises UNKNOWN_ASSET, INVALID_PARAMETER, TICK_VALUE_NOT_INTEGER.
    """
    assets = state.assets
    is_unknown = sent.base_asset_id not in assets or sent.quote_asset_id not in assets
    refuse_if(is_unknown, R.REJECT_REASON_UNKNOWN_ASSET)
    lot, tick = amounts.from_bytes(sent.lot_size_atoms), amounts.from_bytes(sent.tick_size_atoms)
    is_wrong = (
        sent.base_asset_id == sent.quote_asset_id
        or not 1 <= lot <= limits.LOT_SIZE_ATOMS_MAX
        or not 1 <= tick <= limits.LOT_SIZE_ATOMS_MAX
        or lot * tick > limits.SIZE_PRODUCT_MAX
    )
    refuse_if(is_wrong, R.REJECT_REASON_INVALID_PARAMETER)
    tick_value, rest = divmod(lot * tick, 10 ** assets[sent.base_asset_id].decimals)
    is_broken = rest or not 1 <= tick_value <= limits.TICK_VALUE_ATOMS_MAX
    refuse_if(bool(is_broken), R.REJECT_REASON_TICK_VALUE_NOT_INTEGER)
    return lot, tick_value


def update_market(run: Run, sent: system_pb2.UpdateMarket) -> Then:
    """Other limits and fees."""
    market = market_of_command(run, sent.market_id)
    parameters = filled_parameters(sent.parameters)
    judge_version(run, parameters)
    fee_tiers.judge_market(run.state, sent.market_id, parameters)
    market.parameters = parameters
    return lambda: tell_defined(run, market)


def filled_parameters(sent: system_pb2.MarketParameters) -> MarketParameters:
    """Parameters with defaults. Raises INVALID_PARAMETER."""
    filled = MarketParameters(
        price_step_ticks=sent.price_step_ticks or 1,
        quantity_step_lots=sent.quantity_step_lots or 1,
        minimum_quantity_lots=sent.minimum_quantity_lots or 1,
        maximum_quantity_lots=sent.maximum_quantity_lots or limits.QUANTITY_LOTS_MAX,
        minimum_notional_atoms=amounts.from_bytes(sent.minimum_notional_atoms),
        maximum_notional_atoms=amounts.from_bytes(sent.maximum_notional_atoms),
        maker_fee_ppm=sent.maker_fee_ppm,
        taker_fee_ppm=sent.taker_fee_ppm,
        resting_orders_max=sent.resting_orders_max or limits.RESTING_ORDERS_DEFAULT,
        market_protection_ppm=sent.market_protection_ppm,
        static_band_ppm=sent.static_band_ppm,
    )
    is_right = (
        1 <= filled.price_step_ticks <= limits.STEP_MAX
        and 1 <= filled.quantity_step_lots <= limits.STEP_MAX
        and 1
        <= filled.minimum_quantity_lots
        <= filled.maximum_quantity_lots
        <= limits.QUANTITY_LOTS_MAX
        and 0 <= filled.minimum_notional_atoms <= limits.AMOUNT_ATOMS_MAX
        and 0 <= filled.maximum_notional_atoms <= limits.AMOUNT_ATOMS_MAX
        and 0 <= filled.taker_fee_ppm <= limits.FEE_PPM_MAX
        and abs(filled.maker_fee_ppm) <= filled.taker_fee_ppm
        and 1 <= filled.resting_orders_max <= limits.RESTING_ORDERS_MAX
        and filled.market_protection_ppm <= limits.MARKET_PROTECTION_PPM_MAX
        and filled.static_band_ppm <= limits.STATIC_BAND_PPM_MAX
    )
    refuse_if(not is_right, R.REJECT_REASON_INVALID_PARAMETER)
    return filled


def judge_version(run: Run, parameters: MarketParameters) -> None:
    """What older rules do not know of a market. Raises UNSUPPORTED."""
    is_later = parameters.market_protection_ppm != 0 or parameters.static_band_ppm != 0
    is_older = run.rules_version < limits.FULL_RULES
    refuse_if(is_later and is_older, R.REJECT_REASON_UNSUPPORTED)


def created_with_parameters(market: Market) -> system_pb2.CreateMarket:
    """As created, with the present parameters, defaults filled in."""
    present, created = market.parameters, market.created
    return system_pb2.CreateMarket(
        market_id=created.market_id,
        symbol=created.symbol,
        base_asset_id=created.base_asset_id,
        quote_asset_id=created.quote_asset_id,
        lot_size_atoms=created.lot_size_atoms,
        tick_size_atoms=created.tick_size_atoms,
        parameters=system_pb2.MarketParameters(
            price_step_ticks=present.price_step_ticks,
            quantity_step_lots=present.quantity_step_lots,
            minimum_quantity_lots=present.minimum_quantity_lots,
            maximum_quantity_lots=present.maximum_quantity_lots,
            minimum_notional_atoms=amounts.to_bytes(present.minimum_notional_atoms),
            maximum_notional_atoms=amounts.to_bytes(present.maximum_notional_atoms),
            maker_fee_ppm=present.maker_fee_ppm,
            taker_fee_ppm=present.taker_fee_ppm,
            resting_orders_max=present.resting_orders_max,
            market_protection_ppm=present.market_protection_ppm,
            static_band_ppm=present.static_band_ppm,
        ),
    )


def tell_defined(run: Run, market: Market) -> None:
    """A market as it stands."""
    defined = frames_pb2.MarketDefined(
        market=created_with_parameters(market), tick_value_atoms=market.tick_value
    )
    run.tell_system(market_defined=defined)


def set_phase(run: Run, sent: system_pb2.SetPhase) -> Then:
    """Another phase."""
    market = market_of_command(run, sent.market_id)
    refuse_if(not sent.phase, R.REJECT_REASON_INVALID_PARAMETER)
    refuse_if(sent.phase not in SETTABLE, R.REJECT_REASON_UNSUPPORTED)
    return lambda: run.set_phase(market, sent.phase)


def set_reference_price(run: Run, sent: system_pb2.SetReferencePrice) -> Then:
    """What the band of a market refers to."""
    if run.rules_version < limits.FULL_RULES:
        raise Refusal(R.REJECT_REASON_UNSUPPORTED)
    market = market_of_command(run, sent.market_id)
    in_range = 0 <= sent.price_ticks <= limits.PRICE_TICKS_MAX
    refuse_if(not in_range, R.REJECT_REASON_INVALID_PARAMETER)
    market.reference_price_ticks = sent.price_ticks
    return lambda: run.tell_system(reference_price_set=sent)


def halt(run: Run, sent: system_pb2.Halt) -> Then:
    """One market or all."""
    chosen = chosen_markets(run, sent.market_id)
    return lambda: set_all(run, chosen, HALTED)


def set_all(run: Run, markets: list[Market], phase: enums_pb2.MarketPhase.ValueType) -> None:
    """Every one of these markets, ascending."""
    for market in markets:
        run.set_phase(market, phase)


def resume(run: Run, sent: system_pb2.Resume) -> Then:
    """The end of a halt."""
    is_wrong = sent.phase not in SETTABLE or sent.phase == HALTED
    refuse_if(is_wrong, R.REJECT_REASON_INVALID_PARAMETER)
    chosen = chosen_markets(run, sent.market_id)
    is_running = sent.market_id != 0 and chosen[0].phase != HALTED
    refuse_if(is_running, R.REJECT_REASON_PHASE)
    halted = [market for market in chosen if market.phase == HALTED]
    return lambda: set_all(run, halted, sent.phase)


def chosen_markets(run: Run, market_id: int) -> list[Market]:
    """One market, or all for 0, ascending. Raises WRONG_SHARD, UNKNOWN_MARKET."""
    if market_id:
        return [market_of_command(run, market_id)]
    return [market for _, market in sorted(run.state.markets.items())]


def create_firm(run: Run, sent: system_pb2.CreateFirm) -> Then:
    """A firm."""
    firms = run.state.firms
    refuse_if(sent.firm_id == 0, R.REJECT_REASON_INVALID_PARAMETER)
    refuse_if(sent.firm_id in firms, R.REJECT_REASON_DUPLICATE_ID)
    refuse_if(len(firms) >= limits.FIRMS_MAX, R.REJECT_REASON_CAPACITY)
    firms[sent.firm_id] = sent
    return lambda: run.tell_system(firm_created=sent)


def filled_limits(sent: system_pb2.AccountLimits) -> tuple[int, int]:
    """Open orders and ids, defaults filled in. Raises INVALID_PARAMETER."""
    orders = sent.open_orders_max or limits.OPEN_ORDERS_DEFAULT
    ids = sent.id_capacity or limits.ID_CAPACITY_DEFAULT
    fits = orders <= limits.OPEN_ORDERS_MAX and (
        limits.ID_CAPACITY_MIN <= ids <= limits.ID_CAPACITY_MAX
    )
    refuse_if(not fits, R.REJECT_REASON_INVALID_PARAMETER)
    return orders, ids


def create_account(run: Run, sent: system_pb2.CreateAccount) -> Then:
    """An account of a firm."""
    state = run.state
    is_venues = sent.account_id < limits.FIRM_ACCOUNT_MIN
    refuse_if(is_venues, R.REJECT_REASON_INVALID_PARAMETER)
    refuse_if(sent.account_id in state.accounts, R.REJECT_REASON_DUPLICATE_ID)
    refuse_if(sent.firm_id not in state.firms, R.REJECT_REASON_UNKNOWN_FIRM)
    refuse_if(len(state.accounts) >= limits.ACCOUNTS_MAX, R.REJECT_REASON_CAPACITY)
    orders, ids = filled_limits(sent.limits)
    account = Account(sent.account_id, sent.firm_id, sent.self_trade_group_id, orders, ids)
    state.accounts[sent.account_id] = account
    return lambda: run.tell_system(account_created=created_with_limits(account))


def created_with_limits(account: Account) -> system_pb2.CreateAccount:
    """As created, with the present limits, defaults filled in."""
    return system_pb2.CreateAccount(
        account_id=account.account_id,
        firm_id=account.firm_id,
        self_trade_group_id=account.self_trade_group_id,
        limits=system_pb2.AccountLimits(
            open_orders_max=account.open_orders_max, id_capacity=account.id_capacity
        ),
    )


def set_account_limits(run: Run, sent: system_pb2.SetAccountLimits) -> Then:
    """Other limits, and the freeze."""
    account = firm_account(run, sent.account_id)
    account.open_orders_max, account.id_capacity = filled_limits(sent.limits)
    account.frozen = sent.frozen
    run.state.keys_of(account.account_id).trim(account.id_capacity)

    def tell() -> None:
        told = system_pb2.SetAccountLimits(
            account_id=account.account_id,
            limits=created_with_limits(account).limits,
            frozen=account.frozen,
        )
        run.tell_system(account_limits_set=told)
        tell_status(run, account)

    return tell


def tell_status(run: Run, account: Account) -> None:
    """Limits and switches of an account, told to it."""
    report = events_pb2.AccountStatusReport(
        open_orders_max=account.open_orders_max, frozen=account.frozen, killed=account.killed
    )
    run.tell(account.account_id, account_status_report=report)


def epoch_started(run: Run, sent: system_pb2.EpochStarted) -> Then:
    """A process became primary: nobody is connected any more."""
    disconnect.start_epoch(run)
    for session in run.state.sessions.values():
        session.connected = False
    return lambda: run.tell_system(epoch_started=sent)


def switch_rules(run: Run, sent: system_pb2.SwitchRules) -> Then:
    """Other rules from the next batch on; never older ones."""
    is_unknown = not 1 <= sent.version <= run.rules_newest
    refuse_if(is_unknown, R.REJECT_REASON_UNKNOWN_RULES_VERSION)
    refuse_if(sent.version < run.rules_next, R.REJECT_REASON_INVALID_PARAMETER)
    run.rules_next = sent.version
    return nothing


def unsupported(run: Run, sent: object) -> Then:
    """What later versions carry out."""
    del run, sent
    raise Refusal(R.REJECT_REASON_UNSUPPORTED)


def no_operation(run: Run, sent: object) -> Then:
    """Clock, SkipPoisonCommand: nothing by themselves."""
    del run, sent
    return nothing
