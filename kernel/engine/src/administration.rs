//! Assets, markets, firms and accounts: how they come to be and change. `docs/semantics.md` section 8.

use crate::accounts;
use crate::engine::Engine;
use crate::limits::{
    ACCOUNTS_MAX, ASSETS_MAX, DECIMALS_MAX, FEES, FIRM_ACCOUNTS_FROM, FIRMS_MAX, FULL_RULES,
    MARKETS_MAX, MARKETS_PER_SHARD, SIZE_ATOMS_MAX, SIZE_PRODUCT_MAX, TICK_VALUE_MAX,
};
use crate::markets::{self, Market};
use crate::refusal::refuse_if;
use crate::sink::Sink;
use crate::system::{Ask, Outcome};
use crate::types::{
    AccountStatusReport, CreateAccount, CreateAsset, CreateFirm, CreateMarket, MarketDefined,
    MarketParameters, PrivateEvent, RejectReason, SetAccountLimits, SystemEvent, UpdateMarket,
};

impl Engine {
    pub(crate) fn create_asset<S: Sink>(
        &mut self,
        asset: &CreateAsset<'_>,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        self.add_asset(asset)?;
        ask.done(sink);
        sink.system(&SystemEvent::AssetCreated(*asset));
        Ok(())
    }

    /// Adds an asset, unless it may not be.
    pub(crate) fn add_asset(&mut self, asset: &CreateAsset<'_>) -> Outcome {
        refuse_if(
            asset.asset_id == 0 || asset.decimals > DECIMALS_MAX,
            RejectReason::InvalidParameter,
        )?;
        refuse_if(
            self.assets.knows(asset.asset_id) || self.assets.has_symbol(asset.symbol),
            RejectReason::DuplicateId,
        )?;
        refuse_if(self.assets.list.len() >= ASSETS_MAX, RejectReason::Capacity)?;
        self.assets
            .add(asset.asset_id, asset.symbol, asset.decimals);
        Ok(())
    }

    pub(crate) fn create_market<S: Sink>(
        &mut self,
        market: &CreateMarket<'_>,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let place = self.add_market(market)?;
        ask.done(sink);
        self.tell_defined(place, sink);
        Ok(())
    }

    fn tell_defined<S: Sink>(&self, market: u32, sink: &mut S) {
        let market = &self.markets[market];
        sink.system(&SystemEvent::MarketDefined(MarketDefined {
            market: market.created(),
            tick_value_atoms: market.tick_value,
        }));
    }

    /// Adds a market, unless it may not be, and gives its place.
    pub(crate) fn add_market(&mut self, market: &CreateMarket<'_>) -> Result<u32, RejectReason> {
        refuse_if(
            market.market_id >> 16 != self.shard,
            RejectReason::WrongShard,
        )?;
        refuse_if(
            market.market_id.is_multiple_of(MARKETS_PER_SHARD),
            RejectReason::InvalidParameter,
        )?;
        refuse_if(
            self.markets.find(market.market_id).is_some() || self.markets.has_symbol(market.symbol),
            RejectReason::DuplicateId,
        )?;
        refuse_if(self.markets.len() >= MARKETS_MAX, RejectReason::Capacity)?;
        let tick_value = self.judge_assets(market)?;
        let created = CreateMarket {
            parameters: self.judge_parameters(&market.parameters)?,
            ..*market
        };
        self.judge_fees(market.market_id, &created.parameters)?;
        let fees_row = self.balances.row(FEES, market.quote_asset_id);
        Ok(self
            .markets
            .add(Market::new(&created, tick_value, fees_row)))
    }

    /// Judges assets and sizes of a market and gives its tick value.
    fn judge_assets(&self, market: &CreateMarket<'_>) -> Result<i64, RejectReason> {
        let base = self.assets.list.get(&market.base_asset_id);
        let base = base.ok_or(RejectReason::UnknownAsset)?;
        self.judge_asset(market.quote_asset_id)?;
        let sizes = [market.lot_size_atoms, market.tick_size_atoms];
        let is_size = |size| (1..=SIZE_ATOMS_MAX).contains(size);
        let fits = market.base_asset_id != market.quote_asset_id && sizes.iter().all(is_size);
        refuse_if(!fits, RejectReason::InvalidParameter)?;
        let product = sizes[0].checked_mul(sizes[1]);
        let product = product.filter(|product| *product <= SIZE_PRODUCT_MAX);
        let product = product.ok_or(RejectReason::InvalidParameter)?;
        let unit = 10_i128.pow(base.decimals);
        let tick_value = product / unit;
        refuse_if(
            product % unit != 0 || !(1..=TICK_VALUE_MAX).contains(&tick_value),
            RejectReason::TickValueNotInteger,
        )?;
        Ok(i64::try_from(tick_value).expect("bounded by TICK_VALUE_MAX"))
    }

    /// Judges parameters alone and fills in their defaults.
    fn judge_parameters(
        &self,
        parameters: &MarketParameters,
    ) -> Result<MarketParameters, RejectReason> {
        let filled = markets::filled_in(parameters).ok_or(RejectReason::InvalidParameter)?;
        let is_later = (filled.market_protection_ppm | filled.static_band_ppm) != 0;
        refuse_if(
            is_later && self.rules.version < FULL_RULES,
            RejectReason::Unsupported,
        )?;
        Ok(filled)
    }

    pub(crate) fn update_market<S: Sink>(
        &mut self,
        update: &UpdateMarket,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let place = self.market_of(update.market_id)?;
        let parameters = self.judge_parameters(&update.parameters)?;
        self.judge_fees(update.market_id, &parameters)?;
        self.markets[place].parameters = parameters;
        ask.done(sink);
        self.tell_defined(place, sink);
        Ok(())
    }

    pub(crate) fn create_firm<S: Sink>(
        &mut self,
        firm: &CreateFirm<'_>,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        self.add_firm(firm)?;
        ask.done(sink);
        sink.system(&SystemEvent::FirmCreated(*firm));
        Ok(())
    }

    /// Adds a firm, unless it may not be.
    pub(crate) fn add_firm(&mut self, firm: &CreateFirm<'_>) -> Outcome {
        refuse_if(firm.firm_id == 0, RejectReason::InvalidParameter)?;
        refuse_if(
            self.firms.contains_key(&firm.firm_id),
            RejectReason::DuplicateId,
        )?;
        refuse_if(self.firms.len() >= FIRMS_MAX, RejectReason::Capacity)?;
        self.firms.insert(firm.firm_id, firm.name.into());
        Ok(())
    }

    pub(crate) fn create_account<S: Sink>(
        &mut self,
        account: &CreateAccount,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let place = self.add_account(account)?;
        ask.done(sink);
        let created = self.accounts.created(place);
        sink.system(&SystemEvent::AccountCreated(created));
        Ok(())
    }

    /// Adds an account, unless it may not be, and gives its place.
    pub(crate) fn add_account(&mut self, account: &CreateAccount) -> Result<u32, RejectReason> {
        refuse_if(
            account.account_id < FIRM_ACCOUNTS_FROM,
            RejectReason::InvalidParameter,
        )?;
        refuse_if(
            self.accounts.find(account.account_id).is_some(),
            RejectReason::DuplicateId,
        )?;
        refuse_if(
            !self.firms.contains_key(&account.firm_id),
            RejectReason::UnknownFirm,
        )?;
        refuse_if(self.accounts.len() >= ACCOUNTS_MAX, RejectReason::Capacity)?;
        let limits = accounts::filled_in(account.limits);
        Ok(self.accounts.add(CreateAccount {
            limits: limits.ok_or(RejectReason::InvalidParameter)?,
            ..*account
        }))
    }

    /// The account of a firm that a command of the venue names.
    pub(crate) fn account_of(&self, account_id: u64) -> Result<u32, RejectReason> {
        self.accounts
            .find(account_id)
            .ok_or(RejectReason::UnknownAccount)
    }

    pub(crate) fn set_account_limits<S: Sink>(
        &mut self,
        set: &SetAccountLimits,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let place = self.account_of(set.account_id)?;
        let limits = accounts::filled_in(set.limits).ok_or(RejectReason::InvalidParameter)?;
        let account = &mut self.accounts[place];
        account.limits = limits;
        account.frozen = set.frozen;
        account.keys.trim(limits.id_capacity);
        ask.done(sink);
        let set = SetAccountLimits { limits, ..*set };
        sink.system(&SystemEvent::AccountLimitsSet(set));
        self.tell_status(place, sink);
        Ok(())
    }

    /// Limits, freeze and kill switch of an account as they are now.
    pub(crate) fn tell_status<S: Sink>(&mut self, place: u32, sink: &mut S) {
        let account = &self.accounts[place];
        let report = AccountStatusReport {
            open_orders_max: account.limits.open_orders_max,
            frozen: account.frozen,
            killed: account.killed,
        };
        self.tell(place, &PrivateEvent::AccountStatusReport(report), sink);
    }
}
