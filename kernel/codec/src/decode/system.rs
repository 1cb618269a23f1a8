//! Strict decoding of the commands of the venue: `cambist.internal.journal.v1.SystemCommand`.

use crate::messages::{
    AccountLimits, Adjust, BustTrade, Clock, CommandPoisoned, CorrectTrade, CreateAccount,
    CreateAsset, CreateFirm, CreateMarket, Credit, EpochStarted, FinalizeCredit,
    FinalizeWithdrawal, GatewayLost, Halt, KillSwitch, MarketParameters, ReleaseWithdrawal,
    ReopenWithdrawal, Resume, ReverseCredit, SessionEnded, SessionEstablished, SessionLost,
    SetAccountLimits, SetFeeTier, SetPhase, SetReferencePrice, SetTradingLimits, SettleWithdrawal,
    ShardTransferIn, ShardTransferOut, SkipPoisonCommand, StartWithdrawal, SwitchRules,
    SystemCommand, UpdateMarket,
};
use crate::reader::{Decoded, MalformedReason, Reader, fault};
use crate::scan;
use crate::values::{amount, ascending, enumeration, packed, required_id, required_text};

/// Accounts or markets of a session.
const LIST_ITEMS_MAX: usize = 1_000;

/// Reads one command and the number of its member.
///
/// # Errors
/// The first fault of its bytes; `EMPTY_COMMAND`.
pub fn system_command(mut reader: Reader<'_>) -> Decoded<(u32, SystemCommand<'_>)> {
    let mut found = None;
    scan!(reader, {
        1 oneof LENGTH => found = Some((1, SystemCommand::CreateAsset(create_asset(reader.message(1)?)?))),
        2 oneof LENGTH => found = Some((2, SystemCommand::CreateMarket(create_market(reader.message(2)?)?))),
        3 oneof LENGTH => found = Some((3, SystemCommand::UpdateMarket(update_market(reader.message(3)?)?))),
        4 oneof LENGTH => found = Some((4, SystemCommand::SetPhase(set_phase(reader.message(4)?)?))),
        5 oneof LENGTH => found = Some((5, SystemCommand::Halt(halt(reader.message(5)?)?))),
        6 oneof LENGTH => found = Some((6, SystemCommand::Resume(resume(reader.message(6)?)?))),
        7 oneof LENGTH => found = Some((7, SystemCommand::SetReferencePrice(set_reference_price(reader.message(7)?)?))),
        8 oneof LENGTH => found = Some((8, SystemCommand::CreateFirm(create_firm(reader.message(8)?)?))),
        9 oneof LENGTH => found = Some((9, SystemCommand::CreateAccount(create_account(reader.message(9)?)?))),
        10 oneof LENGTH => found = Some((10, SystemCommand::SetAccountLimits(set_account_limits(reader.message(10)?)?))),
        11 oneof LENGTH => found = Some((11, SystemCommand::SetFeeTier(set_fee_tier(reader.message(11)?)?))),
        12 oneof LENGTH => found = Some((12, SystemCommand::KillSwitch(kill_switch(reader.message(12)?)?))),
        13 oneof LENGTH => found = Some((13, SystemCommand::BustTrade(bust_trade(reader.message(13)?)?))),
        14 oneof LENGTH => found = Some((14, SystemCommand::CorrectTrade(correct_trade(reader.message(14)?)?))),
        15 oneof LENGTH => found = Some((15, SystemCommand::Clock(clock(reader.message(15)?)?))),
        16 oneof LENGTH => found = Some((16, SystemCommand::CommandPoisoned(command_poisoned(reader.message(16)?)?))),
        17 oneof LENGTH => found = Some((17, SystemCommand::SkipPoisonCommand(skip_poison_command(reader.message(17)?)?))),
        18 oneof LENGTH => found = Some((18, SystemCommand::EpochStarted(epoch_started(reader.message(18)?)?))),
        19 oneof LENGTH => found = Some((19, SystemCommand::SwitchRules(switch_rules(reader.message(19)?)?))),
        20 oneof LENGTH => found = Some((20, SystemCommand::SessionEstablished(session_established(reader.message(20)?)?))),
        21 oneof LENGTH => found = Some((21, SystemCommand::SessionLost(session_lost(reader.message(21)?)?))),
        22 oneof LENGTH => found = Some((22, SystemCommand::SessionEnded(session_ended(reader.message(22)?)?))),
        23 oneof LENGTH => found = Some((23, SystemCommand::GatewayLost(gateway_lost(reader.message(23)?)?))),
        24 oneof LENGTH => found = Some((24, SystemCommand::Credit(credit(reader.message(24)?)?))),
        25 oneof LENGTH => found = Some((25, SystemCommand::ReverseCredit(reverse_credit(reader.message(25)?)?))),
        26 oneof LENGTH => found = Some((26, SystemCommand::FinalizeCredit(finalize_credit(reader.message(26)?)?))),
        27 oneof LENGTH => found = Some((27, SystemCommand::StartWithdrawal(start_withdrawal(reader.message(27)?)?))),
        28 oneof LENGTH => found = Some((28, SystemCommand::SettleWithdrawal(settle_withdrawal(reader.message(28)?)?))),
        29 oneof LENGTH => found = Some((29, SystemCommand::ReleaseWithdrawal(release_withdrawal(reader.message(29)?)?))),
        30 oneof LENGTH => found = Some((30, SystemCommand::ReopenWithdrawal(reopen_withdrawal(reader.message(30)?)?))),
        31 oneof LENGTH => found = Some((31, SystemCommand::FinalizeWithdrawal(finalize_withdrawal(reader.message(31)?)?))),
        32 oneof LENGTH => found = Some((32, SystemCommand::ShardTransferOut(shard_transfer_out(reader.message(32)?)?))),
        33 oneof LENGTH => found = Some((33, SystemCommand::ShardTransferIn(shard_transfer_in(reader.message(33)?)?))),
        34 oneof LENGTH => found = Some((34, SystemCommand::Adjust(adjust(reader.message(34)?)?))),
        35 oneof LENGTH => found = Some((35, SystemCommand::SetTradingLimits(set_trading_limits(reader.message(35)?)?))),
    });
    found.map_or_else(|| fault(MalformedReason::EmptyCommand, 0), Ok)
}

pub fn create_asset(mut reader: Reader<'_>) -> Decoded<CreateAsset<'_>> {
    let mut value = CreateAsset::default();
    let mut symbol = "";
    scan!(reader, {
        1 once VARINT => value.asset_id = reader.u32(1)?,
        2 once LENGTH => symbol = reader.string(2, 32)?,
        3 once VARINT => value.decimals = reader.u32(3)?,
    });
    value.symbol = required_text(symbol, 2)?;
    Ok(value)
}

pub fn create_market(mut reader: Reader<'_>) -> Decoded<CreateMarket<'_>> {
    let mut value = CreateMarket::default();
    let mut symbol = "";
    scan!(reader, {
        1 once VARINT => value.market_id = reader.u32(1)?,
        2 once LENGTH => symbol = reader.string(2, 32)?,
        3 once VARINT => value.base_asset_id = reader.u32(3)?,
        4 once VARINT => value.quote_asset_id = reader.u32(4)?,
        5 once LENGTH => value.lot_size_atoms = amount(&mut reader, 5)?,
        6 once LENGTH => value.tick_size_atoms = amount(&mut reader, 6)?,
        7 once LENGTH => value.parameters = market_parameters(reader.message(7)?)?,
    });
    value.symbol = required_text(symbol, 2)?;
    Ok(value)
}

pub fn market_parameters(mut reader: Reader<'_>) -> Decoded<MarketParameters> {
    let mut value = MarketParameters::default();
    scan!(reader, {
        1 once VARINT => value.price_step_ticks = reader.i64(1)?,
        2 once VARINT => value.quantity_step_lots = reader.i64(2)?,
        3 once VARINT => value.minimum_quantity_lots = reader.i64(3)?,
        4 once VARINT => value.maximum_quantity_lots = reader.i64(4)?,
        5 once LENGTH => value.minimum_notional_atoms = amount(&mut reader, 5)?,
        6 once LENGTH => value.maximum_notional_atoms = amount(&mut reader, 6)?,
        7 once VARINT => value.maker_fee_ppm = reader.i32(7)?,
        8 once VARINT => value.taker_fee_ppm = reader.i32(8)?,
        9 once VARINT => value.resting_orders_max = reader.u32(9)?,
        10 once VARINT => value.market_protection_ppm = reader.u32(10)?,
        11 once VARINT => value.static_band_ppm = reader.u32(11)?,
    });
    Ok(value)
}

pub fn update_market(mut reader: Reader<'_>) -> Decoded<UpdateMarket> {
    let mut value = UpdateMarket::default();
    scan!(reader, {
        1 once VARINT => value.market_id = reader.u32(1)?,
        2 once LENGTH => value.parameters = market_parameters(reader.message(2)?)?,
    });
    Ok(value)
}

pub fn set_phase(mut reader: Reader<'_>) -> Decoded<SetPhase> {
    let mut value = SetPhase::default();
    scan!(reader, {
        1 once VARINT => value.market_id = reader.u32(1)?,
        2 once VARINT => value.phase = enumeration(&mut reader, 2)?,
    });
    Ok(value)
}

pub fn halt(mut reader: Reader<'_>) -> Decoded<Halt> {
    let mut value = Halt::default();
    scan!(reader, {
        1 once VARINT => value.market_id = reader.u32(1)?,
    });
    Ok(value)
}

pub fn resume(mut reader: Reader<'_>) -> Decoded<Resume> {
    let mut value = Resume::default();
    scan!(reader, {
        1 once VARINT => value.market_id = reader.u32(1)?,
        2 once VARINT => value.phase = enumeration(&mut reader, 2)?,
    });
    Ok(value)
}

pub fn set_reference_price(mut reader: Reader<'_>) -> Decoded<SetReferencePrice> {
    let mut value = SetReferencePrice::default();
    scan!(reader, {
        1 once VARINT => value.market_id = reader.u32(1)?,
        2 once VARINT => value.price_ticks = reader.i64(2)?,
    });
    Ok(value)
}

pub fn create_firm(mut reader: Reader<'_>) -> Decoded<CreateFirm<'_>> {
    let mut value = CreateFirm::default();
    let mut name = "";
    scan!(reader, {
        1 once VARINT => value.firm_id = reader.u32(1)?,
        2 once LENGTH => name = reader.string(2, 32)?,
    });
    value.name = required_text(name, 2)?;
    Ok(value)
}

pub fn create_account(mut reader: Reader<'_>) -> Decoded<CreateAccount> {
    let mut value = CreateAccount::default();
    scan!(reader, {
        1 once VARINT => value.account_id = reader.varint(1)?,
        2 once VARINT => value.firm_id = reader.u32(2)?,
        3 once VARINT => value.self_trade_group_id = reader.varint(3)?,
        4 once LENGTH => value.limits = account_limits(reader.message(4)?)?,
    });
    Ok(value)
}

pub fn account_limits(mut reader: Reader<'_>) -> Decoded<AccountLimits> {
    let mut value = AccountLimits::default();
    scan!(reader, {
        1 once VARINT => value.open_orders_max = reader.u32(1)?,
        2 once VARINT => value.id_capacity = reader.u32(2)?,
    });
    Ok(value)
}

pub fn set_account_limits(mut reader: Reader<'_>) -> Decoded<SetAccountLimits> {
    let mut value = SetAccountLimits::default();
    scan!(reader, {
        1 once VARINT => value.account_id = reader.varint(1)?,
        2 once LENGTH => value.limits = account_limits(reader.message(2)?)?,
        3 once VARINT => value.frozen = reader.bool(3)?,
    });
    Ok(value)
}

pub fn set_trading_limits(mut reader: Reader<'_>) -> Decoded<SetTradingLimits> {
    let mut value = SetTradingLimits::default();
    scan!(reader, {
        1 once VARINT => value.account_id = reader.varint(1)?,
        2 once VARINT => value.market_id = reader.u32(2)?,
        3 once VARINT => value.order_lots_max = reader.i64(3)?,
        4 once LENGTH => value.order_notional_atoms_max = amount(&mut reader, 4)?,
        5 once VARINT => value.open_orders_max = reader.u32(5)?,
        6 once VARINT => value.open_lots_max = reader.i64(6)?,
        7 once LENGTH => value.open_notional_atoms_max = amount(&mut reader, 7)?,
        8 once LENGTH => value.position_atoms_max = amount(&mut reader, 8)?,
    });
    Ok(value)
}

pub fn set_fee_tier(mut reader: Reader<'_>) -> Decoded<SetFeeTier> {
    let mut value = SetFeeTier::default();
    scan!(reader, {
        1 once VARINT => value.account_id = reader.varint(1)?,
        2 once VARINT => value.market_id = reader.u32(2)?,
        3 once VARINT => value.maker_fee_ppm = reader.i32(3)?,
        4 once VARINT => value.taker_fee_ppm = reader.i32(4)?,
        5 once VARINT => value.remove = reader.bool(5)?,
    });
    Ok(value)
}

pub fn kill_switch(mut reader: Reader<'_>) -> Decoded<KillSwitch> {
    let mut value = KillSwitch::default();
    scan!(reader, {
        1 once VARINT => value.scope = enumeration(&mut reader, 1)?,
        2 once VARINT => value.target_id = reader.varint(2)?,
        3 once VARINT => value.active = reader.bool(3)?,
    });
    Ok(value)
}

pub fn bust_trade(mut reader: Reader<'_>) -> Decoded<BustTrade> {
    let mut value = BustTrade::default();
    scan!(reader, {
        1 once VARINT => value.market_id = reader.u32(1)?,
        2 once VARINT => value.trade_id = reader.varint(2)?,
    });
    Ok(value)
}

pub fn correct_trade(mut reader: Reader<'_>) -> Decoded<CorrectTrade> {
    let mut value = CorrectTrade::default();
    scan!(reader, {
        1 once VARINT => value.market_id = reader.u32(1)?,
        2 once VARINT => value.trade_id = reader.varint(2)?,
        3 once VARINT => value.price_ticks = reader.i64(3)?,
        4 once VARINT => value.quantity_lots = reader.i64(4)?,
    });
    Ok(value)
}

fn clock(mut reader: Reader<'_>) -> Decoded<Clock> {
    scan!(reader, {});
    Ok(Clock)
}

pub fn command_poisoned(mut reader: Reader<'_>) -> Decoded<CommandPoisoned<'_>> {
    let mut value = CommandPoisoned::default();
    scan!(reader, {
        1 once LENGTH => value.envelope = reader.bytes(1)?,
        2 once VARINT => value.index = reader.u32(2)?,
        3 once VARINT => value.market_id = reader.u32(3)?,
    });
    Ok(value)
}

pub fn skip_poison_command(mut reader: Reader<'_>) -> Decoded<SkipPoisonCommand> {
    let mut value = SkipPoisonCommand::default();
    scan!(reader, {
        1 once VARINT => value.seq = reader.varint(1)?,
    });
    Ok(value)
}

pub fn epoch_started(mut reader: Reader<'_>) -> Decoded<EpochStarted> {
    let mut value = EpochStarted::default();
    scan!(reader, {
        1 once VARINT => value.epoch = reader.varint(1)?,
    });
    Ok(value)
}

pub fn switch_rules(mut reader: Reader<'_>) -> Decoded<SwitchRules> {
    let mut value = SwitchRules::default();
    scan!(reader, {
        1 once VARINT => value.version = reader.u32(1)?,
    });
    Ok(value)
}

pub fn session_established(mut reader: Reader<'_>) -> Decoded<SessionEstablished> {
    let mut value = SessionEstablished::default();
    scan!(reader, {
        1 once VARINT => value.session_id = reader.varint(1)?,
        2 once VARINT => value.firm_id = reader.u32(2)?,
        3 many LENGTH => packed(&mut reader, 3, &mut value.account_ids)?,
        4 many LENGTH => packed(&mut reader, 4, &mut value.market_ids)?,
        5 once VARINT => value.may_trade = reader.bool(5)?,
        6 once VARINT => value.cancel_on_disconnect = enumeration(&mut reader, 6)?,
        7 once VARINT => value.window_ms = reader.u32(7)?,
        8 once VARINT => value.link_id = reader.varint(8)?,
        9 once VARINT => value.correlation = reader.varint(9)?,
    });
    ascending(&value.account_ids, 1, LIST_ITEMS_MAX, 3)?;
    ascending(&value.market_ids, 0, LIST_ITEMS_MAX, 4)?;
    Ok(value)
}

pub fn session_lost(mut reader: Reader<'_>) -> Decoded<SessionLost> {
    let mut value = SessionLost::default();
    scan!(reader, {
        1 once VARINT => value.session_id = reader.varint(1)?,
        2 once VARINT => value.connection = reader.u32(2)?,
        3 once VARINT => value.by_client = reader.bool(3)?,
    });
    Ok(value)
}

pub fn session_ended(mut reader: Reader<'_>) -> Decoded<SessionEnded> {
    let mut value = SessionEnded::default();
    scan!(reader, {
        1 once VARINT => value.session_id = reader.varint(1)?,
        2 once VARINT => value.connection = reader.u32(2)?,
    });
    Ok(value)
}

pub fn gateway_lost(mut reader: Reader<'_>) -> Decoded<GatewayLost> {
    let mut value = GatewayLost::default();
    scan!(reader, {
        1 once VARINT => value.link_id = reader.varint(1)?,
    });
    Ok(value)
}

pub fn credit(mut reader: Reader<'_>) -> Decoded<Credit> {
    let mut value = Credit::default();
    let mut deposit_id = None;
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.source_seq = reader.varint(2)?,
        3 once LENGTH => deposit_id = reader.sixteen(3)?,
        4 once VARINT => value.account_id = reader.varint(4)?,
        5 once VARINT => value.asset_id = reader.u32(5)?,
        6 once LENGTH => value.amount_atoms = amount(&mut reader, 6)?,
    });
    value.deposit_id = required_id(deposit_id, 3)?;
    Ok(value)
}

pub fn reverse_credit(mut reader: Reader<'_>) -> Decoded<ReverseCredit> {
    let mut value = ReverseCredit::default();
    let mut deposit_id = None;
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.source_seq = reader.varint(2)?,
        3 once LENGTH => deposit_id = reader.sixteen(3)?,
    });
    value.deposit_id = required_id(deposit_id, 3)?;
    Ok(value)
}

pub fn finalize_credit(mut reader: Reader<'_>) -> Decoded<FinalizeCredit> {
    let mut value = FinalizeCredit::default();
    let mut deposit_id = None;
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.source_seq = reader.varint(2)?,
        3 once LENGTH => deposit_id = reader.sixteen(3)?,
    });
    value.deposit_id = required_id(deposit_id, 3)?;
    Ok(value)
}

pub fn start_withdrawal(mut reader: Reader<'_>) -> Decoded<StartWithdrawal> {
    let mut value = StartWithdrawal::default();
    let mut withdrawal_id = None;
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.source_seq = reader.varint(2)?,
        3 once LENGTH => withdrawal_id = reader.sixteen(3)?,
    });
    value.withdrawal_id = required_id(withdrawal_id, 3)?;
    Ok(value)
}

pub fn settle_withdrawal(mut reader: Reader<'_>) -> Decoded<SettleWithdrawal> {
    let mut value = SettleWithdrawal::default();
    let mut withdrawal_id = None;
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.source_seq = reader.varint(2)?,
        3 once LENGTH => withdrawal_id = reader.sixteen(3)?,
    });
    value.withdrawal_id = required_id(withdrawal_id, 3)?;
    Ok(value)
}

pub fn release_withdrawal(mut reader: Reader<'_>) -> Decoded<ReleaseWithdrawal> {
    let mut value = ReleaseWithdrawal::default();
    let mut withdrawal_id = None;
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.source_seq = reader.varint(2)?,
        3 once LENGTH => withdrawal_id = reader.sixteen(3)?,
    });
    value.withdrawal_id = required_id(withdrawal_id, 3)?;
    Ok(value)
}

pub fn reopen_withdrawal(mut reader: Reader<'_>) -> Decoded<ReopenWithdrawal> {
    let mut value = ReopenWithdrawal::default();
    let mut withdrawal_id = None;
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.source_seq = reader.varint(2)?,
        3 once LENGTH => withdrawal_id = reader.sixteen(3)?,
    });
    value.withdrawal_id = required_id(withdrawal_id, 3)?;
    Ok(value)
}

pub fn finalize_withdrawal(mut reader: Reader<'_>) -> Decoded<FinalizeWithdrawal> {
    let mut value = FinalizeWithdrawal::default();
    let mut withdrawal_id = None;
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.source_seq = reader.varint(2)?,
        3 once LENGTH => withdrawal_id = reader.sixteen(3)?,
    });
    value.withdrawal_id = required_id(withdrawal_id, 3)?;
    Ok(value)
}

pub fn shard_transfer_out(mut reader: Reader<'_>) -> Decoded<ShardTransferOut> {
    let mut value = ShardTransferOut::default();
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.source_seq = reader.varint(2)?,
        3 once VARINT => value.peer_shard = reader.u32(3)?,
        4 once VARINT => value.account_id = reader.varint(4)?,
        5 once VARINT => value.asset_id = reader.u32(5)?,
        6 once LENGTH => value.amount_atoms = amount(&mut reader, 6)?,
    });
    Ok(value)
}

pub fn shard_transfer_in(mut reader: Reader<'_>) -> Decoded<ShardTransferIn> {
    let mut value = ShardTransferIn::default();
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.source_seq = reader.varint(2)?,
        3 once VARINT => value.peer_shard = reader.u32(3)?,
        4 once VARINT => value.account_id = reader.varint(4)?,
        5 once VARINT => value.asset_id = reader.u32(5)?,
        6 once LENGTH => value.amount_atoms = amount(&mut reader, 6)?,
    });
    Ok(value)
}

pub fn adjust(mut reader: Reader<'_>) -> Decoded<Adjust<'_>> {
    let mut value = Adjust::default();
    let mut adjustment_id = None;
    let mut first_approver = "";
    let mut second_approver = "";
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.source_seq = reader.varint(2)?,
        3 once LENGTH => adjustment_id = reader.sixteen(3)?,
        4 once VARINT => value.from_account_id = reader.varint(4)?,
        5 once VARINT => value.to_account_id = reader.varint(5)?,
        6 once VARINT => value.asset_id = reader.u32(6)?,
        7 once LENGTH => value.amount_atoms = amount(&mut reader, 7)?,
        8 once LENGTH => first_approver = reader.string(8, 64)?,
        9 once LENGTH => second_approver = reader.string(9, 64)?,
    });
    value.adjustment_id = required_id(adjustment_id, 3)?;
    value.first_approver = required_text(first_approver, 8)?;
    value.second_approver = required_text(second_approver, 9)?;
    Ok(value)
}
