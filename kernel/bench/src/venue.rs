//! The venue that both levels with commands play on: markets, 10,000 rich accounts, sessions, full tables of ids.

use crate::commands::{ACCOUNTS, FIRST_ACCOUNT, Numbers, SHARD, START_NS, STEP_NS, accounts_of};
use crate::shapes::SESSIONS;
use cambist_codec::encoder::{Cause, Level2};
use cambist_engine::limits::RESTING_ORDERS_MAX;
use cambist_engine::types::{
    AccountLimits, BalanceUpdate, BestBidOffer, Command, CommandClass, CreateAccount, CreateAsset,
    CreateFirm, CreateMarket, Credit, ExecutionReport, L3Event, MarketParameters, MarketPhase,
    MarketStatus, NewOrder, PrivateEvent, RejectReason, SessionEstablished, SessionEvent, SetPhase,
    SystemCommand, SystemEvent, Trade,
};
use cambist_engine::{Engine, Head, Sink};
use std::hint::black_box;

const BASE: u32 = 1;
const QUOTE: u32 = 2;
const RICH: i128 = 1_000_000_000_000_000_000_000;
/// Ids that each account keeps, besides those of open orders.
const ID_CAPACITY: u32 = 1_024;
/// Accounts of one self-trade group.
const GROUP: u64 = 4;
/// Commands of one batch of filling.
const FILLING: usize = 10_000;

/// Takes every event and keeps none.
#[derive(Debug, Default)]
pub struct Counter {
    pub events: u64,
}

impl Counter {
    #[inline]
    fn take<T>(&mut self, event: &T) {
        self.events += 1;
        black_box(event);
    }
}

impl Sink for Counter {
    fn cause(&mut self, cause: Cause) {
        black_box(&cause);
    }

    fn report(&mut self, _: u64, _: u64, report: &ExecutionReport) {
        self.take(report);
    }

    fn private(&mut self, _: u64, _: u64, event: &PrivateEvent) {
        self.take(event);
    }

    fn session(&mut self, _: u64, _: u32, event: &SessionEvent) {
        self.take(event);
    }

    fn l3(&mut self, _: u32, event: &L3Event) {
        self.take(event);
    }

    fn trade(&mut self, _: u32, trade: &Trade) {
        self.take(trade);
    }

    fn status(&mut self, _: u32, status: &MarketStatus) {
        self.take(status);
    }

    fn l2(&mut self, _: u32, delta: &Level2<'_>) {
        self.take(delta);
    }

    fn bbo(&mut self, _: u32, quote: &BestBidOffer) {
        self.take(quote);
    }

    fn balance(&mut self, update: &BalanceUpdate) {
        self.take(update);
    }

    fn system(&mut self, event: &SystemEvent<'_>) {
        // Nothing of what the bench sends may be refused.
        if let SystemEvent::Answer(answer) = event {
            assert_eq!(answer.reason, RejectReason::Unspecified);
        }
        self.take(event);
    }
}

/// Commands of the venue as one batch.
fn system(engine: &mut Engine, time_ns: i64, commands: &[SystemCommand<'_>]) {
    let head = Head {
        command_class: CommandClass::System,
        received_ns: time_ns,
        ..Head::default()
    };
    let mut sink = Counter::default();
    engine.begin(time_ns, &mut sink);
    engine.system_envelope(&head, commands, &mut sink);
    engine.end(&mut sink);
}

/// An engine with `markets` markets, accounts and money, and its time.
pub fn bare_engine(markets: u32) -> (Engine, i64) {
    let mut engine = Engine::new(SHARD);
    let asset = |asset_id, symbol| {
        SystemCommand::CreateAsset(CreateAsset {
            asset_id,
            symbol,
            decimals: 0,
        })
    };
    let firm = SystemCommand::CreateFirm(CreateFirm {
        firm_id: 1,
        name: "firm",
    });
    let first = [asset(BASE, "BASE"), asset(QUOTE, "QUOTE"), firm];
    system(&mut engine, START_NS, &first);
    for number in 0..markets {
        open_market(&mut engine, market_id(number));
    }
    for number in 0..ACCOUNTS {
        open_account(&mut engine, number);
    }
    (engine, START_NS)
}

/// The same with sessions and full tables of ids.
pub fn engine(markets: u32) -> (Engine, Numbers) {
    let (mut engine, _) = bare_engine(markets);
    for session in 0..SESSIONS {
        let established = SystemCommand::SessionEstablished(SessionEstablished {
            session_id: session as u64 + 1,
            firm_id: 1,
            account_ids: accounts_of(session).collect(),
            may_trade: true,
            ..SessionEstablished::default()
        });
        system(&mut engine, START_NS, &[established]);
    }
    let mut numbers = Numbers::new(START_NS);
    fill_keys(&mut engine, &mut numbers);
    (engine, numbers)
}

fn open_account(engine: &mut Engine, number: u64) {
    let account_id = FIRST_ACCOUNT + number;
    let created = SystemCommand::CreateAccount(CreateAccount {
        account_id,
        firm_id: 1,
        self_trade_group_id: 1 + number / GROUP,
        limits: AccountLimits {
            open_orders_max: 10_000,
            id_capacity: ID_CAPACITY,
        },
    });
    let credit = |asset_id: u32, source_seq: u64| {
        SystemCommand::Credit(Credit {
            source_id: 1,
            source_seq,
            deposit_id: u128::from(source_seq).to_be_bytes(),
            account_id,
            asset_id,
            amount_atoms: RICH,
        })
    };
    let commands = [
        created,
        credit(BASE, 2 * number + 1),
        credit(QUOTE, 2 * number + 2),
    ];
    system(engine, START_NS, &commands);
}

/// Refused orders until every account has as many ids as it keeps.
fn fill_keys(engine: &mut Engine, numbers: &mut Numbers) {
    let mut commands = Vec::new();
    for round in 0..ID_CAPACITY {
        for number in 0..ACCOUNTS {
            // Ids that are gone when measuring starts are as long ago as ids can be.
            numbers.time_ns += 10;
            commands.push(Command::NewOrder(NewOrder {
                cl_ord_id: numbers.fresh_id(),
                account_id: FIRST_ACCOUNT + number,
                market_id: market_id(0),
                sent_time_ns: numbers.time_ns,
                tag: round,
                ..NewOrder::default()
            }));
            if commands.len() == FILLING {
                unary(engine, numbers.time_ns, &commands);
                commands.clear();
            }
        }
    }
    numbers.time_ns += STEP_NS;
}

/// Firms' commands as one batch, each an envelope of its own.
pub fn unary(engine: &mut Engine, time_ns: i64, commands: &[Command<'_>]) {
    let head = Head {
        command_class: CommandClass::Unary,
        ..Head::default()
    };
    let mut sink = Counter::default();
    engine.begin(time_ns, &mut sink);
    for number in 0..commands.len() {
        engine.firm_envelope_ahead(&head, &commands[number..], 1, &mut sink);
    }
    engine.end(&mut sink);
}

pub fn market_id(number: u32) -> u32 {
    (SHARD << 16) + 1 + number
}

/// Opens a market with fees.
fn open_market(engine: &mut Engine, market_id: u32) {
    let symbol = format!("MARKET-{market_id}");
    let created = SystemCommand::CreateMarket(CreateMarket {
        market_id,
        symbol: &symbol,
        base_asset_id: BASE,
        quote_asset_id: QUOTE,
        lot_size_atoms: 100,
        tick_size_atoms: 1,
        parameters: MarketParameters {
            maker_fee_ppm: 100,
            taker_fee_ppm: 500,
            resting_orders_max: RESTING_ORDERS_MAX,
            ..MarketParameters::default()
        },
    });
    let opened = SystemCommand::SetPhase(SetPhase {
        market_id,
        phase: MarketPhase::Continuous,
    });
    system(engine, START_NS, &[created, opened]);
}
