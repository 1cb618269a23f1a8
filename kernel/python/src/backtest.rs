//! `cambist_kernel.backtest.Backtest`.

use crate::engine::by_name;
use crate::errors::{apply_refused, bad_row, malformed, refused};
use crate::guarded::Guarded;
use cambist_backtest::{Backtest as Driven, Wanted};
use cambist_codec::ApplyError;
use cambist_engine::types::{
    AccountLimits, CreateAccount, CreateAsset, CreateFirm, CreateMarket, Credit, MarketParameters,
    MarketPhase, SetPhase, Side, SystemCommand, WireEnum,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::collections::BTreeMap;

/// Where credits of a backtest come from.
const SOURCE: u32 = 1;

/// Price, quantity, orders of a level.
type Level = (i64, i64, u32);
/// Venue's order id, account, price, open quantity.
type Resting = (u64, u64, i64, i64);
/// Available, held, in flight.
type Balance = (i128, i128, i128);

/// Reports, trades and quotes as packed rows.
type Taken<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

/// An engine driven by rows.
#[derive(Debug)]
#[pyclass(frozen, module = "cambist_kernel.backtest")]
pub struct Backtest {
    driven: Guarded<Driven>,
}

impl Backtest {
    fn system(&self, py: Python<'_>, command: SystemCommand<'_>) -> PyResult<()> {
        let done = self.driven.with(py, |driven| driven.system(command))?;
        done.map_err(|reason| refused(py, reason))
    }
}

#[pymethods]
impl Backtest {
    #[new]
    fn new(shard: u32) -> Self {
        Self {
            driven: Guarded::around(Driven::new(shard)),
        }
    }

    fn create_asset(
        &self,
        py: Python<'_>,
        asset_id: u32,
        symbol: &str,
        decimals: u32,
    ) -> PyResult<()> {
        let created = CreateAsset {
            asset_id,
            symbol,
            decimals,
        };
        self.system(py, SystemCommand::CreateAsset(created))
    }

    fn create_firm(&self, py: Python<'_>, firm_id: u32, name: &str) -> PyResult<()> {
        self.system(py, SystemCommand::CreateFirm(CreateFirm { firm_id, name }))
    }

    fn create_account(
        &self,
        py: Python<'_>,
        account_id: u64,
        firm_id: u32,
        self_trade_group_id: u64,
        open_orders_max: u32,
        id_capacity: u32,
    ) -> PyResult<()> {
        let created = CreateAccount {
            account_id,
            firm_id,
            self_trade_group_id,
            limits: AccountLimits {
                open_orders_max,
                id_capacity,
            },
        };
        self.system(py, SystemCommand::CreateAccount(created))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of a market, called from one place"
    )]
    fn create_market(
        &self,
        py: Python<'_>,
        market_id: u32,
        symbol: &str,
        base_asset_id: u32,
        quote_asset_id: u32,
        lot_size_atoms: i128,
        tick_size_atoms: i128,
        maker_fee_ppm: i32,
        taker_fee_ppm: i32,
    ) -> PyResult<()> {
        let created = CreateMarket {
            market_id,
            symbol,
            base_asset_id,
            quote_asset_id,
            lot_size_atoms,
            tick_size_atoms,
            parameters: MarketParameters {
                maker_fee_ppm,
                taker_fee_ppm,
                ..MarketParameters::default()
            },
        };
        self.system(py, SystemCommand::CreateMarket(created))
    }

    fn set_phase(&self, py: Python<'_>, market_id: u32, phase: u64) -> PyResult<()> {
        let phase =
            MarketPhase::from_number(phase).ok_or_else(|| PyValueError::new_err("phase"))?;
        self.system(py, SystemCommand::SetPhase(SetPhase { market_id, phase }))
    }

    fn credit(
        &self,
        py: Python<'_>,
        account_id: u64,
        asset_id: u32,
        amount_atoms: i128,
    ) -> PyResult<()> {
        let done = self.driven.with(py, |driven| {
            let source_seq = driven.next_credit();
            driven.system(SystemCommand::Credit(Credit {
                source_id: SOURCE,
                source_seq,
                deposit_id: u128::from(source_seq).to_be_bytes(),
                account_id,
                asset_id,
                amount_atoms,
            }))
        })?;
        done.map_err(|reason| refused(py, reason))
    }

    fn advance(&self, py: Python<'_>, time_ns: i64) -> PyResult<()> {
        self.driven.with(py, |driven| driven.advance(time_ns))
    }

    fn play(&self, py: Python<'_>, rows: &[u8], batch_ns: i64) -> PyResult<usize> {
        let played = self.driven.with(py, |driven| driven.play(rows, batch_ns))?;
        played.map_err(|error| bad_row(py, error))
    }

    fn replay(&self, py: Python<'_>, batch: &[u8]) -> PyResult<()> {
        let replayed = self.driven.with(py, |driven| driven.replay(batch))?;
        replayed.map_err(|error| match error {
            ApplyError::Refused(reason) => apply_refused(py, reason),
            ApplyError::Malformed(error) => malformed(py, error),
        })
    }

    fn want(&self, py: Python<'_>, reports: bool, trades: bool, quotes: bool) -> PyResult<()> {
        let wanted = Wanted {
            reports,
            trades,
            quotes,
        };
        self.driven
            .with(py, |driven| driven.columns().wanted = wanted)
    }

    fn take<'py>(&self, py: Python<'py>) -> PyResult<Taken<'py>> {
        let (reports, trades, quotes) = self.driven.with(py, |driven| {
            let columns = driven.columns();
            (
                std::mem::take(&mut columns.reports),
                std::mem::take(&mut columns.trades),
                std::mem::take(&mut columns.quotes),
            )
        })?;
        Ok((
            PyBytes::new(py, &reports),
            PyBytes::new(py, &trades),
            PyBytes::new(py, &quotes),
        ))
    }

    fn levels(
        &self,
        py: Python<'_>,
        market_id: u32,
        side: u64,
        depth: usize,
    ) -> PyResult<Vec<Level>> {
        let side = Side::from_number(side).ok_or_else(|| PyValueError::new_err("side"))?;
        let levels = self
            .driven
            .with(py, |driven| driven.engine().levels(market_id, side, depth))?;
        let levels = levels.into_iter();
        Ok(levels
            .map(|level| (level.price_ticks, level.quantity_lots, level.order_count))
            .collect())
    }

    fn queue(
        &self,
        py: Python<'_>,
        market_id: u32,
        side: u64,
        count: usize,
    ) -> PyResult<Vec<Resting>> {
        let side = Side::from_number(side).ok_or_else(|| PyValueError::new_err("side"))?;
        self.driven
            .with(py, |driven| driven.engine().queue(market_id, side, count))
    }

    fn balance(&self, py: Python<'_>, account_id: u64, asset_id: u32) -> PyResult<Option<Balance>> {
        self.driven
            .with(py, |driven| driven.engine().balance(account_id, asset_id))
    }

    fn state_parts<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<BTreeMap<&'static str, Bound<'py, PyBytes>>> {
        let parts = self.driven.with(py, |driven| driven.state_parts())?;
        Ok(by_name(py, &parts))
    }

    #[getter]
    fn time_ns(&self, py: Python<'_>) -> PyResult<i64> {
        self.driven.with(py, |driven| driven.engine().time_ns())
    }

    #[getter]
    fn last_seq(&self, py: Python<'_>) -> PyResult<u64> {
        self.driven.with(py, |driven| driven.engine().last_seq())
    }

    #[getter]
    fn resting_orders(&self, py: Python<'_>) -> PyResult<u32> {
        self.driven
            .with(py, |driven| driven.engine().resting_orders())
    }
}
