//! Sessions: who may use them, how far their numbers are, which mass cancels wait.

use crate::limits::{EARLY_CANCELS_MAX, SESSION_IDLE_NS};
use crate::table::Table;
use crate::types::{CommandClass, EarlyCancel, NewOrder, SessionEstablished, Side};
use std::collections::BTreeMap;

/// One session.
#[derive(Debug, Default)]
pub struct Session {
    /// As established last; correlation is 0.
    established: SessionEstablished,
    /// First and last of its accounts, when they follow one another without a gap.
    range: Option<(u64, u64)>,
    /// Connection number.
    pub connection: u32,
    /// A connection holds it.
    pub connected: bool,
    /// Last order-class number taken.
    pub last_order_seq_no: u64,
    /// Last cancel-class number taken.
    pub last_cancel_seq_no: u64,
    /// Engine time of its last use.
    pub last_used_ns: i64,
    /// Mass cancels that wait for orders sent before them, in order of arrival.
    pub early_cancels: Vec<EarlyCancel>,
}

impl Session {
    /// Last number of a class.
    #[inline]
    #[must_use]
    pub fn last_seq_no(&self, class: CommandClass) -> u64 {
        match class {
            CommandClass::Cancel => self.last_cancel_seq_no,
            _ => self.last_order_seq_no,
        }
    }

    /// Takes the numbers of an envelope up to `seq_no`.
    pub fn take_seq_no(&mut self, class: CommandClass, seq_no: u64) {
        if class == CommandClass::Cancel {
            self.last_cancel_seq_no = self.last_cancel_seq_no.max(seq_no);
            return;
        }
        let last = self.last_order_seq_no.max(seq_no);
        self.last_order_seq_no = last;
        self.early_cancels
            .retain(|early| early.up_to_order_seq_no > last);
    }

    /// A session that was never connected.
    #[must_use]
    pub fn new(asked: &SessionEstablished) -> Self {
        let mut session = Self::default();
        session.establish(asked);
        session
    }

    /// As established last; correlation is 0.
    #[must_use]
    pub fn established(&self) -> &SessionEstablished {
        &self.established
    }

    /// Establishes it, again or for the first time.
    pub fn establish(&mut self, asked: &SessionEstablished) {
        self.established = SessionEstablished {
            correlation: 0,
            ..asked.clone()
        };
        let ids = &asked.account_ids;
        self.range = ids.first().copied().zip(ids.last().copied());
        self.range = self
            .range
            .filter(|(first, last)| last - first == ids.len() as u64 - 1);
    }

    /// Whether the session may use an account.
    #[inline]
    #[must_use]
    pub fn permits_account(&self, account_id: u64) -> bool {
        match self.range {
            Some((first, last)) => (first..=last).contains(&account_id),
            None => self
                .established
                .account_ids
                .binary_search(&account_id)
                .is_ok(),
        }
    }

    /// Whether the session may trade a market.
    #[inline]
    #[must_use]
    pub fn permits_market(&self, market_id: u32) -> bool {
        let markets = &self.established.market_ids;
        markets.is_empty() || markets.binary_search(&market_id).is_ok()
    }

    /// Whether a mass cancel that was sent later overtook an order.
    #[inline]
    #[must_use]
    pub fn overtaken(&self, order: &NewOrder, seq_no: u64) -> bool {
        self.early_cancels.iter().any(|early| {
            early.account_id == order.account_id
                && (early.market_id == 0 || early.market_id == order.market_id)
                && (early.side == Side::Unspecified || early.side == order.side)
                && (early.tag == 0 || early.tag == order.tag)
                && seq_no <= early.up_to_order_seq_no
        })
    }

    /// Whether no more mass cancels may wait.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.early_cancels.len() >= EARLY_CANCELS_MAX
    }
}

/// All sessions of the shard. A place stays the same while a session exists.
#[derive(Debug, Default)]
pub struct Sessions {
    list: Vec<Session>,
    free: Vec<u32>,
    by_id: Table,
    sorted: BTreeMap<u64, u32>,
}

impl Sessions {
    /// The place of a session.
    #[inline]
    #[must_use]
    pub fn find(&self, session_id: u64) -> Option<u32> {
        self.by_id.get(session_id)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Adds a session that is not there.
    ///
    /// # Panics
    /// Far beyond `SESSIONS_MAX`.
    pub fn add(&mut self, session: Session) -> u32 {
        let session_id = session.established.session_id;
        let place = if let Some(place) = self.free.pop() {
            self.list[place as usize] = session;
            place
        } else {
            self.list.push(session);
            u32::try_from(self.list.len() - 1).expect("bounded by SESSIONS_MAX")
        };
        self.by_id.insert(session_id, place);
        self.sorted.insert(session_id, place);
        place
    }

    /// Forgets a session.
    ///
    /// # Panics
    /// When it is not there.
    pub fn remove(&mut self, session_id: u64) -> Session {
        self.sorted.remove(&session_id);
        let place = self.by_id.remove(session_id).expect("it is there");
        self.free.push(place);
        std::mem::take(&mut self.list[place as usize])
    }

    /// No session has a connection any more.
    pub fn disconnect_all(&mut self) {
        for session in &mut self.list {
            session.connected = false;
        }
    }

    /// Places in the order of session ids.
    pub fn places(&self) -> impl Iterator<Item = u32> + '_ {
        self.sorted.values().copied()
    }

    /// The session that may be dropped for a new one: of the unconnected ones that which was used the longest ago, when
    /// it was idle long enough.
    #[must_use]
    pub fn idle(&self, now: i64) -> Option<u64> {
        let unconnected = self.places().map(|place| &self[place]);
        let (last_used_ns, session_id) = unconnected
            .filter(|session| !session.connected)
            .map(|session| (session.last_used_ns, session.established.session_id))
            .min()?;
        (last_used_ns < now.saturating_sub(SESSION_IDLE_NS)).then_some(session_id)
    }
}

impl std::ops::Index<u32> for Sessions {
    type Output = Session;

    #[inline]
    fn index(&self, place: u32) -> &Session {
        &self.list[place as usize]
    }
}

impl std::ops::IndexMut<u32> for Sessions {
    #[inline]
    fn index_mut(&mut self, place: u32) -> &mut Session {
        &mut self.list[place as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(session_id: u64, connected: bool, last_used_ns: i64) -> Session {
        let mut session = Session::new(&SessionEstablished {
            session_id,
            ..SessionEstablished::default()
        });
        session.connected = connected;
        session.last_used_ns = last_used_ns;
        session
    }

    #[test]
    fn accounts_with_and_without_gaps_are_permitted() {
        for ids in [
            vec![],
            vec![7],
            vec![7, 8, 9],
            vec![7, 9, 10],
            vec![1, 5_000],
        ] {
            let mut session = session(1, true, 0);
            session.establish(&SessionEstablished {
                account_ids: ids.clone(),
                ..SessionEstablished::default()
            });
            for id in [0, 1, 6, 7, 8, 9, 10, 11, 5_000, u64::MAX] {
                assert_eq!(
                    session.permits_account(id),
                    ids.contains(&id),
                    "{id} {ids:?}"
                );
            }
        }
    }

    #[test]
    fn the_longest_idle_unconnected_session_may_go() {
        let mut sessions = Sessions::default();
        sessions.add(session(7, false, 50));
        sessions.add(session(5, false, 50));
        sessions.add(session(3, true, 10));
        assert_eq!(sessions.idle(50 + SESSION_IDLE_NS), None);
        assert_eq!(sessions.idle(51 + SESSION_IDLE_NS), Some(5));
        sessions.remove(5);
        assert_eq!(sessions.find(5), None);
        assert_eq!(sessions.idle(51 + SESSION_IDLE_NS), Some(7));
        let place = sessions.add(session(6, true, 0));
        assert_eq!(sessions.find(6), Some(place));
        assert_eq!(sessions.len(), 3);
        let ids = sessions
            .places()
            .map(|place| sessions[place].established.session_id);
        assert_eq!(ids.collect::<Vec<_>>(), [3, 6, 7]);
    }

    #[test]
    fn an_early_cancel_takes_what_matches_all_its_filters() {
        let early = EarlyCancel {
            account_id: 4_096,
            market_id: 9,
            side: Side::Buy,
            tag: 2,
            up_to_order_seq_no: 10,
        };
        let mut session = session(1, true, 0);
        session.early_cancels.push(early);
        let order = NewOrder {
            account_id: 4_096,
            market_id: 9,
            side: Side::Buy,
            tag: 2,
            ..NewOrder::default()
        };
        assert!(session.overtaken(&order, 10));
        assert!(!session.overtaken(&order, 11));
        let others: [fn(&mut NewOrder); 4] = [
            |order| order.account_id = 4_097,
            |order| order.market_id = 8,
            |order| order.side = Side::Sell,
            |order| order.tag = 1,
        ];
        for change in others {
            let mut other = order;
            change(&mut other);
            assert!(!session.overtaken(&other, 1));
        }
        session.take_seq_no(CommandClass::Cancel, 99);
        assert!(session.overtaken(&order, 10));
        session.take_seq_no(CommandClass::Order, 10);
        assert!(!session.overtaken(&order, 10));
    }

    #[test]
    fn numbers_of_the_two_classes_never_fall() {
        let mut session = session(1, true, 0);
        session.take_seq_no(CommandClass::Order, 5);
        session.take_seq_no(CommandClass::Order, 3);
        session.take_seq_no(CommandClass::Cancel, 2);
        assert_eq!(session.last_seq_no(CommandClass::Order), 5);
        assert_eq!(session.last_seq_no(CommandClass::Cancel), 2);
    }
}
