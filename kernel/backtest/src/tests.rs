//! Rows in, rows out.

use crate::{Backtest, ORDER_BYTES, REPORT_BYTES, TRADE_BYTES};
use cambist_engine::types::{
    CreateAccount, CreateAsset, CreateFirm, CreateMarket, Credit, MarketParameters, MarketPhase,
    RejectReason, SetPhase, Side, SystemCommand,
};

const MARKET: u32 = (1 << 16) + 1;
const MAKER: u64 = 4_096;
const TAKER: u64 = 4_097;
const LIMIT: u8 = 1;
const CANCEL: u8 = 3;

fn row(time_ns: i64, account_id: u64, order: u64, kind: u8, side: u8) -> [u8; ORDER_BYTES] {
    let mut row = [0; ORDER_BYTES];
    row[..8].copy_from_slice(&time_ns.to_le_bytes());
    row[8..16].copy_from_slice(&account_id.to_le_bytes());
    row[16..24].copy_from_slice(&order.to_le_bytes());
    row[24..32].copy_from_slice(&100_i64.to_le_bytes());
    row[32..40].copy_from_slice(&5_i64.to_le_bytes());
    row[48..52].copy_from_slice(&MARKET.to_le_bytes());
    row[52..56].copy_from_slice(&[kind, side, u8::from(kind == LIMIT), 0]);
    row
}

fn backtest() -> Backtest {
    let mut backtest = Backtest::new(1);
    let asset = |asset_id, symbol| {
        SystemCommand::CreateAsset(CreateAsset {
            asset_id,
            symbol,
            decimals: 0,
        })
    };
    let mut commands = vec![
        asset(1, "BASE"),
        asset(2, "QUOTE"),
        SystemCommand::CreateFirm(CreateFirm {
            firm_id: 1,
            name: "firm",
        }),
        SystemCommand::CreateMarket(CreateMarket {
            market_id: MARKET,
            symbol: "BASE-QUOTE",
            base_asset_id: 1,
            quote_asset_id: 2,
            lot_size_atoms: 1,
            tick_size_atoms: 1,
            parameters: MarketParameters::default(),
        }),
        SystemCommand::SetPhase(SetPhase {
            market_id: MARKET,
            phase: MarketPhase::Continuous,
        }),
    ];
    for account_id in [MAKER, TAKER] {
        commands.push(SystemCommand::CreateAccount(CreateAccount {
            account_id,
            firm_id: 1,
            ..CreateAccount::default()
        }));
        for asset_id in [1, 2] {
            let source_seq = backtest.next_credit();
            commands.push(SystemCommand::Credit(Credit {
                source_id: 1,
                source_seq,
                deposit_id: u128::from(source_seq).to_be_bytes(),
                account_id,
                asset_id,
                amount_atoms: 10_000,
            }));
        }
    }
    for command in commands {
        assert_eq!(backtest.system(command), Ok(()));
    }
    backtest
}

#[test]
fn two_orders_trade_and_are_told_in_rows() {
    let mut backtest = backtest();
    let rows = [
        row(10, MAKER, 1, LIMIT, 2),
        row(20, TAKER, 2, LIMIT, 1),
        row(30, MAKER, 1, CANCEL, 0),
    ];
    assert_eq!(backtest.play(rows.as_flattened(), 0), Ok(3));
    assert_eq!(backtest.engine().balance(TAKER, 1), Some((10_005, 0, 0)));
    assert_eq!(backtest.engine().balance(TAKER, 2), Some((9_500, 0, 0)));
    assert_eq!(backtest.engine().levels(MARKET, Side::Sell, 10), []);
    let columns = backtest.columns();
    assert_eq!(columns.trades.len(), TRADE_BYTES);
    // Two accepted, two fills, one cancel that comes too late.
    assert_eq!(columns.reports.len(), 5 * REPORT_BYTES);
}

#[test]
fn a_bad_row_is_named_and_nothing_is_played() {
    let mut backtest = backtest();
    let cases = [
        (row(5, MAKER, 2, 9, 1), "kind"),
        (row(5, MAKER, 2, LIMIT, 9), "side"),
        (row(5, 1, 2, LIMIT, 1), "account_id"),
        (row(3, MAKER, 2, LIMIT, 1), "time_ns"),
    ];
    for (bad, field) in cases {
        let rows = [row(4, MAKER, 1, LIMIT, 1), bad];
        let refused = backtest.play(rows.as_flattened(), 0).unwrap_err();
        assert_eq!((refused.index, refused.field), (1, field));
    }
    let odd = backtest.play(&[0; ORDER_BYTES + 1], 0).unwrap_err();
    assert_eq!(odd.field, "size");
    assert_eq!(backtest.engine().resting_orders(), 0);
}

#[test]
fn a_refused_command_of_the_venue_is_told() {
    let mut backtest = backtest();
    let again = SystemCommand::CreateFirm(CreateFirm {
        firm_id: 1,
        name: "firm",
    });
    assert_eq!(backtest.system(again), Err(RejectReason::DuplicateId));
}
