//! A small venue for tests: typed commands in, recorded events out.

// Each test program uses a part of it.
#![allow(dead_code)]

pub mod flow;
pub mod ledger;
pub mod recorder;

use cambist_engine::types::*;
use cambist_engine::{Engine, Head};
pub use recorder::{Event, Recorder};

pub const SHARD: u32 = 1;
pub const MARKET: u32 = (SHARD << 16) + 1;
pub const OTHER_MARKET: u32 = (SHARD << 16) + 2;
pub const BASE: u32 = 1;
pub const QUOTE: u32 = 2;
/// Accounts of firm 1; the last two are of one self-trade group.
pub const A: u64 = 4_096;
pub const B: u64 = 4_097;
pub const C: u64 = 4_098;
pub const D: u64 = 4_099;
/// An account of firm 2.
pub const FOREIGN: u64 = 5_000;
pub const RICH: i128 = 1_000_000_000_000;
pub const START_NS: i64 = 1_700_000_000_000_000_000;
/// The session of every ORDER and CANCEL envelope.
pub const SESSION: u64 = 77;

pub fn id(number: u64) -> Id {
    (u128::from(number) << 32 | 5).to_be_bytes()
}

/// A limit order of an account, good till cancelled.
pub fn limit(account_id: u64, side: Side, price_ticks: i64, quantity_lots: i64) -> NewOrder {
    NewOrder {
        account_id,
        market_id: MARKET,
        side,
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::Gtc,
        price_ticks,
        quantity_lots,
        ..NewOrder::default()
    }
}

pub fn buy(account_id: u64, price_ticks: i64, quantity_lots: i64) -> NewOrder {
    limit(account_id, Side::Buy, price_ticks, quantity_lots)
}

pub fn sell(account_id: u64, price_ticks: i64, quantity_lots: i64) -> NewOrder {
    limit(account_id, Side::Sell, price_ticks, quantity_lots)
}

#[derive(Debug)]
pub struct Venue {
    pub engine: Engine,
    pub time_ns: i64,
    pub used_ids: u64,
    numbers: [u64; 2],
    source_seq: u64,
}

impl Venue {
    /// Two markets in CONTINUOUS with fees of 1 per mille and 2 per mille, four accounts with money, one session.
    pub fn new() -> Self {
        let mut venue = Self {
            engine: Engine::new(SHARD),
            time_ns: START_NS,
            used_ids: 0,
            numbers: [0; 2],
            source_seq: 0,
        };
        venue.create();
        venue
    }

    fn create(&mut self) {
        for (asset_id, symbol) in [(BASE, "BASE"), (QUOTE, "QUOTE")] {
            self.done(SystemCommand::CreateAsset(CreateAsset {
                asset_id,
                symbol,
                decimals: 0,
            }));
        }
        for (market_id, symbol) in [(MARKET, "FIRST"), (OTHER_MARKET, "SECOND")] {
            self.done(SystemCommand::CreateMarket(CreateMarket {
                market_id,
                symbol,
                base_asset_id: BASE,
                quote_asset_id: QUOTE,
                lot_size_atoms: 1,
                tick_size_atoms: 1,
                parameters: MarketParameters {
                    maker_fee_ppm: 1_000,
                    taker_fee_ppm: 2_000,
                    ..MarketParameters::default()
                },
            }));
            self.phase(market_id, MarketPhase::Continuous);
        }
        for (firm_id, name) in [(1, "one"), (2, "two")] {
            self.done(SystemCommand::CreateFirm(CreateFirm { firm_id, name }));
        }
        for (account_id, firm_id, group) in
            [(A, 1, 0), (B, 1, 0), (C, 1, 9), (D, 1, 9), (FOREIGN, 2, 0)]
        {
            self.done(SystemCommand::CreateAccount(CreateAccount {
                account_id,
                firm_id,
                self_trade_group_id: group,
                limits: AccountLimits::default(),
            }));
            for asset_id in [BASE, QUOTE] {
                self.credit(account_id, asset_id, RICH);
            }
        }
        self.establish();
    }

    /// Opens the session for all accounts of firm 1.
    pub fn establish(&mut self) {
        self.done(SystemCommand::SessionEstablished(SessionEstablished {
            session_id: SESSION,
            firm_id: 1,
            account_ids: vec![A, B, C, D],
            may_trade: true,
            link_id: 3,
            ..SessionEstablished::default()
        }));
    }

    pub fn connection(&self) -> u32 {
        let sessions = self.engine.to_snapshot().sessions.sessions;
        let session = sessions
            .iter()
            .find(|s| s.established.session_id == SESSION);
        session.map_or(1, |session| session.connection)
    }

    pub fn credit(&mut self, account_id: u64, asset_id: u32, amount_atoms: i128) {
        let source_seq = self.next_source_seq();
        self.done(SystemCommand::Credit(Credit {
            source_id: 1,
            source_seq,
            deposit_id: id(source_seq),
            account_id,
            asset_id,
            amount_atoms,
        }));
    }

    pub fn next_source_seq(&mut self) -> u64 {
        self.source_seq += 1;
        self.source_seq
    }

    pub fn phase(&mut self, market_id: u32, phase: MarketPhase) -> Vec<Event> {
        self.done(SystemCommand::SetPhase(SetPhase { market_id, phase }))
    }

    /// One batch of what `apply` does.
    pub fn batch(&mut self, apply: impl FnOnce(&mut Engine, &mut Recorder)) -> Vec<Event> {
        let mut recorder = Recorder::default();
        self.engine.begin(self.time_ns, &mut recorder);
        apply(&mut self.engine, &mut recorder);
        self.engine.end(&mut recorder);
        self.time_ns += 1_000;
        recorder.events
    }

    /// One command of the venue.
    pub fn system(&mut self, command: SystemCommand<'_>) -> Vec<Event> {
        let head = Head {
            command_class: CommandClass::System,
            received_ns: self.time_ns,
            correlation: 5,
            ..Head::default()
        };
        self.batch(|engine, sink| engine.system_envelope(&head, &[command], sink))
    }

    /// One that must be carried out.
    pub fn done(&mut self, command: SystemCommand<'_>) -> Vec<Event> {
        let events = self.system(command);
        assert_eq!(recorder::answers(&events), [RejectReason::Unspecified]);
        events
    }

    /// The answer to one command of the venue.
    pub fn answer(&mut self, command: SystemCommand<'_>) -> RejectReason {
        recorder::answers(&self.system(command))[0]
    }

    /// Commands of a class, in one batch.
    pub fn firm(&mut self, class: CommandClass, commands: &[Command<'_>]) -> Vec<Event> {
        let head = self.head(class, commands.len());
        self.batch(|engine, sink| engine.firm_envelope(&head, commands, sink))
    }

    /// The head of the next envelope of a class.
    pub fn head(&mut self, command_class: CommandClass, count: usize) -> Head {
        let mut head = Head {
            command_class,
            received_ns: self.time_ns,
            correlation: 6,
            ..Head::default()
        };
        let number = match command_class {
            CommandClass::Order => &mut self.numbers[0],
            CommandClass::Cancel => &mut self.numbers[1],
            _ => return head,
        };
        head.first_seq_no = *number + 1;
        *number += count as u64;
        head.session_id = SESSION;
        head.connection = self.connection();
        head
    }

    pub fn next_id(&mut self) -> Id {
        self.used_ids += 1;
        id(self.used_ids)
    }

    /// An order with the next id and the time of now.
    pub fn named(&mut self, order: NewOrder) -> NewOrder {
        NewOrder {
            cl_ord_id: self.next_id(),
            sent_time_ns: self.time_ns,
            ..order
        }
    }

    /// A new order with the next id; gives the order as sent and what happened.
    pub fn order(&mut self, order: NewOrder) -> (NewOrder, Vec<Event>) {
        let order = self.named(order);
        let events = self.firm(CommandClass::Unary, &[Command::NewOrder(order)]);
        (order, events)
    }

    /// A new order that must be accepted; gives its order id.
    pub fn accept(&mut self, order: NewOrder) -> u64 {
        let (order, events) = self.order(order);
        let report = recorder::reports(&events, order.account_id)[0];
        assert_eq!(report.exec_type, ExecType::New, "{report:?}");
        report.order_id
    }

    /// The reason why a new order is refused.
    pub fn refusal(&mut self, order: NewOrder) -> RejectReason {
        let (order, events) = self.order(order);
        recorder::reports(&events, order.account_id)[0].reject_reason
    }

    pub fn cancel(&mut self, account_id: u64, order_id: u64) -> Vec<Event> {
        let cancel = Cancel {
            request_id: self.next_id(),
            account_id,
            order_id,
            sent_time_ns: self.time_ns,
            ..Cancel::default()
        };
        self.firm(CommandClass::Unary, &[Command::Cancel(cancel)])
    }

    /// Price and total quantity of a resting order; 0 keeps one.
    pub fn amend(
        &mut self,
        account_id: u64,
        order_id: u64,
        price_ticks: i64,
        quantity_lots: i64,
    ) -> Vec<Event> {
        let amend = Amend {
            request_id: self.next_id(),
            account_id,
            order_id,
            price_ticks,
            quantity_lots,
            sent_time_ns: self.time_ns,
            ..Amend::default()
        };
        self.firm(CommandClass::Unary, &[Command::Amend(amend)])
    }

    /// Order ids of a side of MARKET, best first, with what is open.
    pub fn queue(&self, side: Side) -> Vec<(u64, i64)> {
        let books = self.engine.to_snapshot().books.books;
        let book = &books[0];
        let orders = if side == Side::Sell {
            &book.asks
        } else {
            &book.bids
        };
        let rows = orders.iter();
        rows.map(|row| (row.order_id, row.leaves_lots)).collect()
    }

    /// Available, held and in flight.
    pub fn balance(&self, account_id: u64, asset_id: u32) -> (i128, i128, i128) {
        let money = self.engine.to_snapshot().money;
        let found = money
            .balances
            .iter()
            .find(|row| (row.account_id, row.asset_id) == (account_id, asset_id));
        found.map_or((0, 0, 0), |row| {
            (row.available_atoms, row.held_atoms, row.in_flight_atoms)
        })
    }

    /// The same venue after a snapshot and a restore.
    pub fn restored(&self) -> Self {
        let engine = Engine::from_snapshot(&self.engine.to_snapshot()).expect("our own");
        Self { engine, ..*self }
    }
}
