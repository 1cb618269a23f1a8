//! Properties over random flow: what events say is what the state is, money is constant, a snapshot can be taken
//! anywhere, the same commands give the same events.

mod common;

use cambist_engine::types::*;
use cambist_engine::{Engine, Head};
use common::flow::{Planned, Planner, Step, step};
use common::ledger::Ledger;
use common::{Event, Venue};
use proptest::prelude::*;

/// A venue under random flow.
struct Run {
    venue: Venue,
    planner: Planner,
    ledger: Ledger,
    batch: Vec<Planned>,
    /// All batches, for another run.
    tape: Vec<(i64, Vec<Planned>)>,
    events: Vec<Event>,
}

fn apply(venue: &mut Venue, batch: &[Planned]) -> Vec<Event> {
    let received_ns = venue.time_ns;
    venue.batch(|engine, sink| {
        for planned in batch {
            let class = match planned {
                Planned::Firm(_) => CommandClass::Unary,
                Planned::System(_) => CommandClass::System,
            };
            let head = Head {
                command_class: class,
                received_ns,
                ..Head::default()
            };
            match planned {
                Planned::Firm(command) => {
                    engine.firm_envelope(&head, std::slice::from_ref(command), sink);
                }
                Planned::System(command) => {
                    engine.system_envelope(&head, std::slice::from_ref(command), sink);
                }
            }
        }
    })
}

impl Run {
    fn new() -> Self {
        let venue = Venue::new();
        Self {
            ledger: Ledger::of(&venue.engine.to_snapshot()),
            venue,
            planner: Planner::default(),
            batch: Vec::new(),
            tape: Vec::new(),
            events: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Wait(steps) => self.venue.time_ns += steps * 1_000,
            Step::EndBatch => self.end_batch(),
            _ => {
                let planned = self.planner.plan(step, &mut self.venue);
                self.batch.extend(planned);
            }
        }
    }

    fn end_batch(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let time_ns = self.venue.time_ns;
        let events = apply(&mut self.venue, &batch);
        for event in &events {
            if let Event::Private(account_id, _, PrivateEvent::ExecutionReport(report)) = event
                && report.exec_type == ExecType::New
                && !report.repeat
            {
                self.planner.heard(*account_id, report);
            }
        }
        self.ledger.take(&events);
        self.ledger.check(&self.venue.engine.to_snapshot());
        self.tape.push((time_ns, batch));
        self.events.extend(events);
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..250)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn events_and_state_say_the_same(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
        run.end_batch();
    }

    #[test]
    fn a_snapshot_anywhere_and_the_tail_are_the_whole(steps in steps(), at in any::<prop::sample::Index>()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
        run.end_batch();
        let mut again = Venue::new();
        let mut events = Vec::new();
        let cut = at.index(run.tape.len());
        for (number, (time_ns, batch)) in run.tape.iter().enumerate() {
            if number == cut {
                again = again.restored();
            }
            again.time_ns = *time_ns;
            events.extend(apply(&mut again, batch));
        }
        prop_assert_eq!(&events, &run.events);
        prop_assert_eq!(again.engine.to_snapshot(), run.venue.engine.to_snapshot());
    }

    #[test]
    fn an_empty_book_holds_nothing(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
        run.end_batch();
        for account in [common::A, common::B, common::C, common::D, common::FOREIGN] {
            run.batch.push(Planned::System(SystemCommand::KillSwitch(KillSwitch {
                scope: KillScope::Account,
                target_id: account,
                active: true,
            })));
        }
        run.end_batch();
        let snapshot = run.venue.engine.to_snapshot();
        for row in &snapshot.money.balances {
            prop_assert_eq!(row.held_atoms, 0);
        }
        prop_assert_eq!(run.venue.engine.resting_orders(), 0);
        prop_assert_eq!(run.venue.engine.next_timer_ns(), 0);
    }
}

#[test]
fn an_empty_engine_can_be_restored() {
    let engine = Engine::new(7);
    let restored = Engine::from_snapshot(&engine.to_snapshot()).expect("empty");
    assert_eq!(restored.to_snapshot(), engine.to_snapshot());
}
