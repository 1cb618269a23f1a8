//! The image: a snapshot, then one released row after the other.

use crate::accounts::Accounts;
use crate::book::Book;
use crate::error::FeedBroken;
use crate::events::{
    PrivateEvent, balance_update, container, defined_market, l2_delta, l3_event, private_event,
};
use crate::snapshot;
use cambist_codec::row::{Frame, FrameKind, Row};
use std::collections::BTreeMap;

/// Books, balances and open orders of one shard after the row with `last_seq`.
#[derive(Debug, Default)]
pub struct Image {
    shard: u32,
    last_seq: u64,
    books: BTreeMap<u32, Book>,
    accounts: Accounts,
}

impl Image {
    /// An empty image of a shard, before its first row.
    #[must_use]
    pub fn new(shard: u32) -> Self {
        Self {
            shard,
            ..Self::default()
        }
    }

    /// The last seq of the last row.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Forgets everything and starts from a snapshot. When it fails the image is as before.
    ///
    /// # Errors
    /// `WrongShard`, `Malformed`, `UnknownOrder`.
    pub fn load_snapshot(&mut self, bytes: &[u8]) -> Result<(), FeedBroken> {
        let parts = snapshot::snapshot(bytes)?;
        if parts.shard != self.shard {
            return Err(FeedBroken::WrongShard);
        }
        let mut fresh = Self {
            last_seq: parts.last_seq,
            ..Self::new(self.shard)
        };
        snapshot::balances(parts.money, |(account, asset, balance)| {
            fresh.accounts.set_balance(account, asset, balance);
        })?;
        snapshot::accounts(parts.limits, |account, seq| {
            fresh.accounts.set_account_seq(account, seq);
        })?;
        snapshot::books(parts.books, |head, orders| {
            let book = fresh.books.entry(head.market_id).or_default();
            book.market_seq = head.market_seq;
            book.phase = head.phase;
            for order in orders {
                book.add(
                    order.public_order_id,
                    order.side,
                    order.price_ticks,
                    order.shown(),
                )?;
                fresh.accounts.add_resting(head.market_id, order);
            }
            Ok(())
        })?;
        snapshot::waiting(parts.triggers, |market_id, order| {
            fresh.accounts.add_waiting(market_id, order);
        })?;
        *self = fresh;
        Ok(())
    }

    /// Applies the next row.
    ///
    /// # Errors
    /// Every [`FeedBroken`]; after `WrongSeq` and a `Malformed` directory the image is as before.
    pub fn apply(&mut self, first_seq: u64, last_seq: u64, row: &[u8]) -> Result<(), FeedBroken> {
        if Some(first_seq) != self.last_seq.checked_add(1) || last_seq < first_seq {
            return Err(FeedBroken::WrongSeq);
        }
        let row = Row::open(row)?;
        // Markets are defined by SYSTEM frames, which come last in the directory.
        for frame in row
            .frames()
            .filter(|frame| frame.record.kind == FrameKind::System)
        {
            self.apply_system(frame)?;
        }
        for frame in row.frames() {
            self.apply_frame(frame)?;
        }
        self.last_seq = last_seq;
        Ok(())
    }

    fn apply_frame(&mut self, frame: Frame<'_>) -> Result<(), FeedBroken> {
        let (key, payload) = (frame.record.key, frame.payload);
        match frame.record.kind {
            FrameKind::Private => {
                let accounts = &mut self.accounts;
                container(payload, |reader| {
                    let mut event = PrivateEvent::default();
                    private_event(reader, &mut event)?;
                    accounts.apply(&event)
                })?;
            }
            FrameKind::Balance => {
                let accounts = &mut self.accounts;
                container::<FeedBroken>(payload, |update| {
                    let (account, asset, balance) = balance_update(update)?;
                    accounts.set_balance(account, asset, balance);
                    Ok(())
                })?;
            }
            FrameKind::L3 => {
                let book = self.book_mut(key)?;
                container(payload, |event| book.apply(&l3_event(event)?))?;
            }
            FrameKind::L2 => {
                let book = self.book_mut(key)?;
                container(payload, |delta| {
                    let delta = l2_delta(delta)?;
                    if delta.last_market_seq != book.market_seq {
                        return Err(FeedBroken::MarketGap);
                    }
                    if delta.crc32 != book.crc() {
                        return Err(FeedBroken::CrcDiffers);
                    }
                    Ok(())
                })?;
            }
            FrameKind::Session
            | FrameKind::Trades
            | FrameKind::Bbo
            | FrameKind::Status
            | FrameKind::System => {}
        }
        Ok(())
    }

    fn apply_system(&mut self, frame: Frame<'_>) -> Result<(), FeedBroken> {
        let (shard, books) = (self.shard, &mut self.books);
        container(frame.payload, |event| {
            if let Some(market_id) = defined_market(event)? {
                if market_id >> 16 != shard {
                    return Err(FeedBroken::WrongShard);
                }
                books.entry(market_id).or_insert_with(Book::created);
            }
            Ok(())
        })?;
        Ok(())
    }

    fn book_mut(&mut self, key: u64) -> Result<&mut Book, FeedBroken> {
        let market_id = u32::try_from(key).map_err(|_| FeedBroken::UnknownOrder)?;
        self.books
            .get_mut(&market_id)
            .ok_or(FeedBroken::UnknownOrder)
    }

    fn told(&self, market_id: u32, tell: impl FnOnce(&Book) -> Vec<u8>) -> Vec<u8> {
        self.books.get(&market_id).map(tell).unwrap_or_default()
    }

    /// The markets, ascending.
    #[must_use]
    pub fn markets(&self) -> Vec<u32> {
        self.books.keys().copied().collect()
    }

    /// `BestBidOffers` with one quote; empty when there is no such market.
    #[must_use]
    pub fn bbo(&self, market_id: u32) -> Vec<u8> {
        self.told(market_id, Book::bbo)
    }

    /// `MarketStatuses` with one status; empty when there is no such market.
    #[must_use]
    pub fn status(&self, market_id: u32) -> Vec<u8> {
        self.told(market_id, Book::status)
    }

    /// `L2Deltas` with one delta of `depth` levels per side (0 = all); empty when there is no such market.
    #[must_use]
    pub fn l2(&self, market_id: u32, depth: usize) -> Vec<u8> {
        self.told(market_id, |book| book.l2(depth))
    }

    /// `L3Events` with an ADD per order; empty when there is no such market.
    #[must_use]
    pub fn l3(&self, market_id: u32) -> Vec<u8> {
        self.told(market_id, Book::l3)
    }

    /// Last `market_seq` of a market, 0 when there is no such market.
    #[must_use]
    pub fn market_seq(&self, market_id: u32) -> u64 {
        self.books.get(&market_id).map_or(0, |book| book.market_seq)
    }

    /// CRC of the best levels, 0 when there is no such market.
    #[must_use]
    pub fn crc(&self, market_id: u32) -> u32 {
        self.books.get(&market_id).map_or(0, Book::crc)
    }

    /// `BalanceUpdates` of an account; `seq` in them is [`Image::last_seq`].
    #[must_use]
    pub fn balances(&self, account_id: u64) -> Vec<u8> {
        self.accounts.balances(account_id, self.last_seq)
    }

    /// `PrivateEvents`: a NEW report per open order above `after_order_id`, ascending; at most `limit`.
    #[must_use]
    pub fn open_orders(&self, account_id: u64, after_order_id: u64, limit: usize) -> Vec<u8> {
        self.accounts
            .open_orders(account_id, after_order_id, limit, self.last_seq)
    }

    /// `PrivateEvents` with the report of one open order, else empty.
    #[must_use]
    pub fn order(&self, account_id: u64, order_id: u64) -> Vec<u8> {
        self.accounts.order(account_id, order_id, self.last_seq)
    }
}
