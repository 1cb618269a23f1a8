//! Random commands of few accounts at few prices, so that much of it trades, is refused or meets itself.

use super::{A, B, C, D, FOREIGN, MARKET, OTHER_MARKET, QUOTE, Venue};
use cambist_engine::types::*;
use proptest::prelude::*;

/// What to do; orders are named by their place among those accepted so far.
#[derive(Clone, Debug)]
pub enum Step {
    New(NewOrder),
    /// The order, whether it is named by its client id.
    Cancel(u16, bool),
    /// The order, price, quantity.
    Amend(u16, i64, i64),
    MassCancel(u64, u32, Side),
    /// The last command of an account again.
    Again(u16),
    Transfer(u64, u64, i128),
    Phase(MarketPhase),
    KillAccount(u64, bool),
    KillMarket(bool),
    /// Time passes.
    Wait(i64),
    EndBatch,
}

fn account() -> impl Strategy<Value = u64> {
    prop::sample::select(vec![A, B, C, D, FOREIGN])
}

fn side() -> impl Strategy<Value = Side> {
    prop::sample::select(vec![Side::Buy, Side::Sell])
}

prop_compose! {
    fn new_order()(
        account_id in account(),
        side in side(),
        price_ticks in 90_i64..111,
        quantity_lots in 1_i64..40,
        kind in 0_u32..20,
        mode in prop::sample::select(vec![
            SelfTradePrevention::Unspecified,
            SelfTradePrevention::CancelNewest,
            SelfTradePrevention::CancelOldest,
            SelfTradePrevention::CancelBoth,
            SelfTradePrevention::Decrement,
            SelfTradePrevention::None,
        ]),
        other in prop::bool::weighted(0.1),
        ends in 1_i64..40,
    ) -> NewOrder {
        let order = NewOrder {
            self_trade_prevention: mode,
            market_id: if other { OTHER_MARKET } else { MARKET },
            ..super::limit(account_id, side, price_ticks, quantity_lots)
        };
        let at_once = |time_in_force| NewOrder { time_in_force, ..order };
        let market = NewOrder {
            order_type: OrderType::Market,
            price_ticks: 0,
            ..at_once(TimeInForce::Ioc)
        };
        match kind {
            0 | 1 => at_once(TimeInForce::Ioc),
            2 | 3 => at_once(TimeInForce::Fok),
            4 => market,
            5 => NewOrder {
                quantity_lots: 0,
                quote_budget_atoms: i128::from(quantity_lots) * 95,
                ..market
            },
            6 => NewOrder { post_only: true, ..order },
            7 | 8 => NewOrder {
                // Added to the time of now.
                expire_time_ns: ends * 1_000,
                ..at_once(TimeInForce::Gtd)
            },
            _ => order,
        }
    }
}

pub fn step() -> impl Strategy<Value = Step> {
    let phase = prop::sample::select(vec![
        MarketPhase::Continuous,
        MarketPhase::Continuous,
        MarketPhase::PostOnly,
        MarketPhase::CancelOnly,
        MarketPhase::Halted,
    ]);
    let market = prop::sample::select(vec![0, MARKET, OTHER_MARKET]);
    prop_oneof![
        50 => new_order().prop_map(Step::New),
        15 => (any::<u16>(), any::<bool>()).prop_map(|(order, by_id)| Step::Cancel(order, by_id)),
        15 => (any::<u16>(), 0_i64..111, 0_i64..60).prop_map(|(order, price, lots)| {
            Step::Amend(order, if price < 90 { 0 } else { price }, lots)
        }),
        2 => (account(), market, prop::sample::select(vec![Side::Unspecified, Side::Buy, Side::Sell]))
            .prop_map(|(account, market, side)| Step::MassCancel(account, market, side)),
        4 => any::<u16>().prop_map(Step::Again),
        2 => (account(), account(), 0_i128..2_000).prop_map(|(from, to, atoms)| Step::Transfer(from, to, atoms)),
        1 => phase.prop_map(Step::Phase),
        1 => (account(), any::<bool>()).prop_map(|(account, on)| Step::KillAccount(account, on)),
        1 => any::<bool>().prop_map(Step::KillMarket),
        3 => (1_i64..30).prop_map(Step::Wait),
        12 => Just(Step::EndBatch),
    ]
}

/// A command, of a firm or of the venue.
#[derive(Clone, Debug)]
pub enum Planned {
    Firm(Command<'static>),
    System(SystemCommand<'static>),
}

/// Turns steps into batches of commands. Which orders were accepted is told by [`Planner::heard`].
#[derive(Debug, Default)]
pub struct Planner {
    /// Account, order id, client id.
    orders: Vec<(u64, u64, Id)>,
    sent: Vec<Command<'static>>,
}

impl Planner {
    /// An order was accepted.
    pub fn heard(&mut self, account_id: u64, report: &ExecutionReport) {
        let cl_ord_id = report.cl_ord_id.expect("always");
        self.orders.push((account_id, report.order_id, cl_ord_id));
    }

    fn order(&self, number: u16) -> (u64, u64, Id) {
        let recent = self.orders.len().min(50);
        let from = self.orders.len() - recent;
        let found = self.orders.get(from + usize::from(number) % recent.max(1));
        found.copied().unwrap_or((A, 1, super::id(1)))
    }

    pub fn plan(&mut self, step: &Step, venue: &mut Venue) -> Option<Planned> {
        let sent_time_ns = venue.time_ns;
        let command = match *step {
            Step::New(mut order) => {
                if order.time_in_force == TimeInForce::Gtd {
                    order.expire_time_ns += venue.time_ns;
                }
                Command::NewOrder(venue.named(order))
            }
            Step::Cancel(number, by_id) => {
                let (account_id, order_id, cl_ord_id) = self.order(number);
                Command::Cancel(Cancel {
                    request_id: venue.next_id(),
                    account_id,
                    orig_cl_ord_id: by_id.then_some(cl_ord_id),
                    order_id: if by_id { 0 } else { order_id },
                    sent_time_ns,
                    ..Cancel::default()
                })
            }
            Step::Amend(number, price_ticks, quantity_lots) => {
                let (account_id, order_id, _) = self.order(number);
                Command::Amend(Amend {
                    request_id: venue.next_id(),
                    account_id,
                    order_id,
                    price_ticks,
                    quantity_lots,
                    sent_time_ns,
                    ..Amend::default()
                })
            }
            Step::MassCancel(account_id, market_id, side) => Command::MassCancel(MassCancel {
                request_id: venue.next_id(),
                account_id,
                market_id,
                side,
                sent_time_ns,
                ..MassCancel::default()
            }),
            Step::Again(number) => {
                let recent = self.sent.len().min(20);
                let at = self.sent.len() - recent + usize::from(number) % recent.max(1);
                self.sent.get(at)?.clone()
            }
            Step::Transfer(account_id, to_account_id, amount_atoms) => {
                Command::Transfer(Transfer {
                    request_id: venue.next_id(),
                    account_id,
                    to_account_id,
                    asset_id: QUOTE,
                    amount_atoms,
                    sent_time_ns,
                    ..Transfer::default()
                })
            }
            Step::Phase(phase) => {
                return Some(Planned::System(SystemCommand::SetPhase(SetPhase {
                    market_id: MARKET,
                    phase,
                })));
            }
            Step::KillAccount(target, active) => {
                return Some(kill(KillScope::Account, target, active));
            }
            Step::KillMarket(active) => {
                return Some(kill(KillScope::Market, u64::from(MARKET), active));
            }
            Step::Wait(_) | Step::EndBatch => return None,
        };
        self.sent.push(command.clone());
        Some(Planned::Firm(command))
    }
}

fn kill(scope: KillScope, target_id: u64, active: bool) -> Planned {
    Planned::System(SystemCommand::KillSwitch(KillSwitch {
        scope,
        target_id,
        active,
    }))
}
