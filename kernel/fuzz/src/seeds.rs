//! Well-formed bytes to start from.

use crate::mutate::Random;
use cambist_codec::Snapshot;
use cambist_codec::encoder::{Cause, Encoder, Level2};
use cambist_codec::messages::{
    AccountState, BookState, BooksSection, CreateAccount, CreateMarket, ExecType, ExecutionReport,
    L3Action, L3Event, LimitsSection, MarketDefined, OrderState, Side, SystemEvent,
};
use cambist_codec::writer::{put_bytes, put_message, put_u64};

const MARKET: u32 = (1 << 16) + 1;
const ACCOUNT: u64 = 4_096;

/// Envelopes of every class.
#[must_use]
pub fn envelopes() -> Vec<Vec<u8>> {
    let order = command(
        1,
        &[
            (2, ACCOUNT),
            (3, u64::from(MARKET)),
            (4, 1),
            (5, 1),
            (6, 1),
            (7, 300),
        ],
    );
    let cancel = command(2, &[(2, ACCOUNT), (4, 77), (5, 1 << 60), (7, 9)]);
    let amend = command(3, &[(2, ACCOUNT), (4, 77), (5, 200), (6, 10)]);
    let halt = system(5, &[(1, u64::from(MARKET))]);
    let session = system(20, &[(1, 5), (2, 1), (5, 1), (8, 3), (9, 4)]);
    vec![
        envelope(1, 8, 1, &order),
        envelope(1, 8, 3, &[order.clone(), amend, order].concat()),
        envelope(2, 8, 1, &cancel),
        envelope(4, 9, 2, &[halt.clone(), halt].concat()),
        envelope(4, 9, 1, &session),
    ]
}

fn command(member: u32, fields: &[(u32, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, 1, |command| {
        put_message(command, member, |message| {
            put_bytes(message, 1, &[9; 16]);
            for (number, value) in fields {
                put_u64(message, *number, *value);
            }
        });
    });
    out
}

fn system(member: u32, fields: &[(u32, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, 1, |command| {
        put_message(command, member, |message| {
            for (number, value) in fields {
                put_u64(message, *number, *value);
            }
        });
    });
    out
}

fn envelope(class: u64, body_field: u32, count: u64, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_u64(&mut out, 1, class);
    if class < 3 {
        put_u64(&mut out, 2, 5);
        put_u64(&mut out, 3, 1);
        put_u64(&mut out, 4, 1);
    }
    put_u64(&mut out, 5, count);
    put_bytes(&mut out, body_field, body);
    out
}

/// Rows that an empty image takes.
#[must_use]
pub fn rows() -> Vec<Vec<u8>> {
    let mut row = Vec::new();
    let mut encoder = Encoder::default();
    encoder.start(7);
    encoder.cause(Cause {
        seq: 1,
        received_ns: 3,
    });
    let market = CreateMarket {
        market_id: MARKET,
        symbol: "BTC-USDT",
        ..CreateMarket::default()
    };
    let defined = MarketDefined {
        market,
        tick_value_atoms: 1,
    };
    encoder.system(&SystemEvent::MarketDefined(defined));
    for number in 1..=5 {
        let report = ExecutionReport {
            order_id: number,
            market_id: MARKET,
            exec_type: ExecType::New,
            public_order_id: number,
            leaves_lots: 5,
            ..ExecutionReport::default()
        };
        encoder.report(ACCOUNT, number, &report);
        let added = L3Event {
            market_seq: number,
            action: L3Action::Add,
            public_order_id: number,
            side: Side::Buy,
            price_ticks: 100,
            quantity_lots: 5,
            ..L3Event::default()
        };
        encoder.l3(MARKET, &added);
    }
    encoder.finish(|_| (0, 0), &mut row);
    let mut empty = Vec::new();
    encoder.start(8);
    encoder.l2(MARKET, &Level2::default());
    encoder.finish(|_| (0, 0), &mut empty);
    vec![row, empty]
}

/// Snapshots that both readers take.
#[must_use]
pub fn snapshots() -> Vec<Vec<u8>> {
    let market = CreateMarket {
        market_id: MARKET,
        symbol: "BTC-USDT",
        ..CreateMarket::default()
    };
    let order = |number| OrderState {
        order_id: number,
        account_id: ACCOUNT,
        price_ticks: 10,
        quantity_lots: 5,
        leaves_lots: 5,
        public_order_id: number,
        ..OrderState::default()
    };
    let book = BookState {
        market,
        bids: vec![order(1), order(2)],
        ..BookState::default()
    };
    let account = CreateAccount {
        account_id: ACCOUNT,
        ..CreateAccount::default()
    };
    let account = AccountState {
        account,
        account_seq: 2,
        ..AccountState::default()
    };
    let snapshot = Snapshot {
        shard: 1,
        last_seq: 2,
        rules_version: 1,
        state_hash: [7; 32],
        next_order_id: 3,
        books: BooksSection { books: vec![book] },
        limits: LimitsSection {
            accounts: vec![account],
            ..LimitsSection::default()
        },
        ..Snapshot::default()
    };
    vec![snapshot.encode()]
}

/// Bytes of flows: of several lengths, without pattern.
#[must_use]
pub fn flows() -> Vec<Vec<u8>> {
    let mut random = Random::new(11);
    let lengths = [64, 512, 2_048, 4_096, 4_096];
    let mut byte = || random.number().to_le_bytes()[0];
    let flows = lengths.map(|length| (0..length).map(|_| byte()).collect());
    flows.to_vec()
}
