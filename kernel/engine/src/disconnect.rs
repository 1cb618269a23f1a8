//! Cancel on disconnect: sessions whose open orders go unless they come back. `docs/semantics/disconnect.md`.
//!
//! Nothing is kept per order: a window that is over looks through the open orders of its accounts.

use crate::engine::Engine;
use crate::limits::{DISCONNECT_GRACE_NS, FULL_RULES, WORK_ORDERS_MAX};
use crate::sink::Sink;
use crate::types::{CancelOnDisconnect, CancelReason, DisconnectWindow};
use cambist_codec::encoder::Cause as EventCause;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Why a session has no connection any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its connection was lost.
    Lost,
    /// The venue lost it: a link or the primary.
    Venue,
    /// Its client took leave.
    Logout,
    /// The venue ended it.
    Revoked,
}

impl Cause {
    /// Whether a mode names it.
    fn counts_for(self, mode: CancelOnDisconnect) -> bool {
        match mode {
            CancelOnDisconnect::Both => true,
            CancelOnDisconnect::OnDisconnect => self != Self::Logout,
            CancelOnDisconnect::OnLogout => self == Self::Logout,
            CancelOnDisconnect::Unspecified | CancelOnDisconnect::Never => false,
        }
    }
}

#[derive(Debug)]
struct Window {
    ends_ns: i64,
    /// Still to be looked at, ascending.
    account_ids: VecDeque<u64>,
}

/// The windows that run.
#[derive(Debug, Default)]
pub struct DisconnectWindows {
    by_session: BTreeMap<u64, Window>,
    /// End and session.
    by_end: BTreeSet<(i64, u64)>,
}

impl DisconnectWindows {
    /// How many run.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_session.len()
    }

    /// Whether none runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_session.is_empty()
    }

    /// When the next one ends; 0 = none runs.
    #[must_use]
    pub fn next_ns(&self) -> i64 {
        self.by_end.first().map_or(0, |first| first.0)
    }

    /// Begins the window of a session, in the place of one that runs.
    pub fn begin(&mut self, session_id: u64, ends_ns: i64, account_ids: Vec<u64>) {
        self.forget(session_id);
        let account_ids = account_ids.into();
        let window = Window {
            ends_ns,
            account_ids,
        };
        self.by_session.insert(session_id, window);
        self.by_end.insert((ends_ns, session_id));
    }

    /// A session is back, or nothing of it is left to be looked at.
    pub fn forget(&mut self, session_id: u64) {
        if let Some(window) = self.by_session.remove(&session_id) {
            self.by_end.remove(&(window.ends_ns, session_id));
        }
    }

    /// No window ends before a time.
    fn put_off(&mut self, until_ns: i64) {
        for window in self.by_session.values_mut() {
            window.ends_ns = window.ends_ns.max(until_ns);
        }
        let windows = self.by_session.iter();
        self.by_end = windows.map(|(id, window)| (window.ends_ns, *id)).collect();
    }

    /// The session whose window is over first, and its next account.
    fn due(&self, now_ns: i64) -> Option<(u64, u64)> {
        let (ends_ns, session_id) = *self.by_end.first()?;
        let account_id = *self.by_session[&session_id].account_ids.front()?;
        (ends_ns <= now_ns).then_some((session_id, account_id))
    }

    /// The next account of a session was looked at.
    fn pass(&mut self, session_id: u64) {
        if let Some(window) = self.by_session.get_mut(&session_id) {
            window.account_ids.pop_front();
            if window.account_ids.is_empty() {
                self.forget(session_id);
            }
        }
    }

    /// Rows of a snapshot, ascending by session.
    pub(crate) fn states(&self) -> impl Iterator<Item = DisconnectWindow> + '_ {
        let windows = self.by_session.iter();
        windows.map(|(session_id, window)| DisconnectWindow {
            session_id: *session_id,
            ends_ns: window.ends_ns,
            account_ids: window.account_ids.iter().copied().collect(),
        })
    }
}

impl Engine {
    /// Begins the window of a session if it asked for that; when it ends, 0 without one.
    pub(crate) fn begin_window(&mut self, place: u32, cause: Cause) -> i64 {
        let established = self.sessions[place].established();
        let is_full = self.rules.version >= FULL_RULES;
        if !is_full || !cause.counts_for(established.cancel_on_disconnect) {
            return 0;
        }
        let window_ns = i64::from(established.window_ms) * 1_000_000;
        let waits_ns = match cause {
            Cause::Lost => window_ns,
            Cause::Venue => window_ns.max(DISCONNECT_GRACE_NS),
            Cause::Logout | Cause::Revoked => 0,
        };
        let ends_ns = self.time_ns + waits_ns;
        let (session_id, accounts) = (established.session_id, established.account_ids.clone());
        self.windows.begin(session_id, ends_ns, accounts);
        ends_ns
    }

    /// There was no primary to come back to: windows that run, and those that begin, have grace.
    pub(crate) fn windows_of_epoch(&mut self) {
        if !self.windows.is_empty() {
            self.windows.put_off(self.time_ns + DISCONNECT_GRACE_NS);
        }
        let places: Vec<u32> = self.sessions.places().collect();
        for place in places {
            if self.sessions[place].connected {
                self.begin_window(place, Cause::Venue);
            }
        }
    }

    /// Cancels the orders of windows that are over, within the work of a batch.
    pub(crate) fn run_windows<S: Sink>(&mut self, sink: &mut S) {
        let next_ns = self.windows.next_ns();
        if next_ns == 0 || next_ns > self.time_ns {
            return;
        }
        sink.cause(EventCause {
            seq: self.next_seq - 1,
            received_ns: self.time_ns,
        });
        let (mut work, mut is_first) = (WORK_ORDERS_MAX, true);
        while let Some((session_id, account_id)) = self.windows.due(self.time_ns) {
            let account = self.accounts.find(account_id).expect("accounts stay");
            let cost = 1 + u32::from(self.accounts[account].open_orders);
            if !is_first && cost > work {
                return;
            }
            is_first = false;
            work = work.saturating_sub(cost);
            self.cancel_of_session(account, session_id, sink);
            self.windows.pass(session_id);
        }
    }

    fn cancel_of_session<S: Sink>(&mut self, account: u32, session_id: u64, sink: &mut S) {
        let mut handles = std::mem::take(&mut self.scratch);
        let is_its =
            |engine: &Self, handle: u32| engine.orders[handle as usize].session_id == session_id;
        self.collect(account, is_its, &mut handles);
        for handle in &handles {
            self.cancel_resting(*handle, CancelReason::Disconnect, None, sink);
        }
        self.scratch = handles;
    }
}
