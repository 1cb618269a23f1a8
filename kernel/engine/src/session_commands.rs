//! Sessions come, are lost, and go. `docs/semantics.md` section 8.

use crate::disconnect::Cause;
use crate::engine::Engine;
use crate::limits::{SESSION_WINDOW_MS_MAX, SESSIONS_MAX};
use crate::refusal::refuse_if;
use crate::sessions::Session;
use crate::sink::Sink;
use crate::system::{Ask, Outcome};
use crate::types::{
    GatewayLost, RejectReason, SessionDropped, SessionEnded, SessionEstablished, SessionEvent,
    SessionLost, SessionOpened, SessionOver,
};

impl Engine {
    /// Judges the accounts of a session: all of its firm.
    pub(crate) fn judge_accounts(&self, established: &SessionEstablished) -> Outcome {
        for account_id in &established.account_ids {
            let place = self.account_of(*account_id)?;
            let firm_id = self.accounts.firm_of(place);
            refuse_if(firm_id != established.firm_id, RejectReason::ForeignAccount)?;
        }
        Ok(())
    }

    pub(crate) fn session_established<S: Sink>(
        &mut self,
        asked: &SessionEstablished,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        refuse_if(
            asked.session_id == 0 || asked.window_ms > SESSION_WINDOW_MS_MAX,
            RejectReason::InvalidParameter,
        )?;
        refuse_if(
            !self.firms.contains_key(&asked.firm_id),
            RejectReason::UnknownFirm,
        )?;
        self.judge_accounts(asked)?;
        let place = self.session_for(asked)?;
        #[cfg(not(feature = "plant-return-keeps-window"))]
        self.windows.forget(asked.session_id);
        let session = &mut self.sessions[place];
        session.establish(asked);
        session.connection += 1;
        session.connected = true;
        session.last_used_ns = self.time_ns;
        ask.done(sink);
        let opened = SessionOpened {
            correlation: asked.correlation,
            last_order_seq_no: session.last_order_seq_no,
            last_cancel_seq_no: session.last_cancel_seq_no,
        };
        let event = SessionEvent::Opened(opened);
        sink.session(asked.session_id, session.connection, &event);
        Ok(())
    }

    /// The place of a session, made when it is new.
    fn session_for(&mut self, asked: &SessionEstablished) -> Result<u32, RejectReason> {
        if let Some(place) = self.sessions.find(asked.session_id) {
            let firm_id = self.sessions[place].established().firm_id;
            refuse_if(firm_id != asked.firm_id, RejectReason::DuplicateId)?;
            return Ok(place);
        }
        refuse_if(self.windows.len() >= SESSIONS_MAX, RejectReason::Capacity)?;
        if self.sessions.len() >= SESSIONS_MAX {
            let idle = self.sessions.idle(self.time_ns);
            self.sessions.remove(idle.ok_or(RejectReason::Capacity)?);
        }
        Ok(self.sessions.add(Session::new(asked)))
    }

    pub(crate) fn session_lost<S: Sink>(
        &mut self,
        lost: SessionLost,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let place = self.sessions.find(lost.session_id);
        let place = place.ok_or(RejectReason::UnknownSession)?;
        let session = &self.sessions[place];
        refuse_if(
            !session.connected || session.connection != lost.connection,
            RejectReason::OldConnection,
        )?;
        ask.done(sink);
        let cause = if lost.by_client {
            Cause::Logout
        } else {
            Cause::Lost
        };
        self.drop_session(place, cause, sink);
        Ok(())
    }

    fn drop_session<S: Sink>(&mut self, place: u32, cause: Cause, sink: &mut S) {
        let window_ends_ns = self.begin_window(place, cause);
        let session = &mut self.sessions[place];
        session.connected = false;
        let event = SessionEvent::Dropped(SessionDropped { window_ends_ns });
        sink.session(session.established().session_id, session.connection, &event);
    }

    pub(crate) fn session_ended<S: Sink>(
        &mut self,
        ended: SessionEnded,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let place = self.sessions.find(ended.session_id);
        let place = place.ok_or(RejectReason::UnknownSession)?;
        let by_client = ended.connection != 0;
        refuse_if(
            by_client && self.sessions[place].connection != ended.connection,
            RejectReason::OldConnection,
        )?;
        let cause = if by_client {
            Cause::Logout
        } else {
            Cause::Revoked
        };
        self.begin_window(place, cause);
        let session = self.sessions.remove(ended.session_id);
        ask.done(sink);
        let event = SessionEvent::Over(SessionOver { by_client });
        sink.session(ended.session_id, session.connection, &event);
        Ok(())
    }

    pub(crate) fn gateway_lost<S: Sink>(&mut self, lost: GatewayLost, ask: Ask, sink: &mut S) {
        ask.done(sink);
        let on_link: Vec<u32> = self
            .sessions
            .places()
            .filter(|place| {
                let session = &self.sessions[*place];
                session.connected && session.established().link_id == lost.link_id
            })
            .collect();
        for place in on_link {
            self.drop_session(place, Cause::Venue, sink);
        }
    }
}
