//! The kernel: a state machine with bytes around it. Bytes in, bytes out, one chained hash.

use crate::batch::{BATCH_COMMANDS_MAX, BATCH_ENVELOPES_MAX, BatchHead, BatchRefused, open_batch};
use crate::encoder::Encoder;
use crate::envelope::{Envelope, MalformedEnvelope};
use crate::messages::{Command, CommandClass, SystemCommand};
use crate::snapshot::{Hash, RULES_DEFAULT, Snapshot, SnapshotRefused};
use std::fmt;
use std::ops::Range;

/// Why a batch was not applied; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyError {
    /// The batch does not follow the last one.
    Refused(BatchRefused),
    /// An envelope breaks a decoding rule.
    Malformed(MalformedEnvelope),
}

impl fmt::Display for ApplyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => reason.fmt(formatter),
            Self::Malformed(malformed) => malformed.fmt(formatter),
        }
    }
}

impl std::error::Error for ApplyError {}

impl From<BatchRefused> for ApplyError {
    fn from(reason: BatchRefused) -> Self {
        Self::Refused(reason)
    }
}

impl From<MalformedEnvelope> for ApplyError {
    fn from(malformed: MalformedEnvelope) -> Self {
        Self::Malformed(malformed)
    }
}

/// Rules without bytes: what the kernel drives. It must be deterministic, and must never look at anything but its state
/// and the batch.
pub trait StateMachine: Sized {
    /// An empty shard, which may switch to rules versions up to `rules_newest`.
    fn new(shard: u32, rules_newest: u32) -> Self;

    /// The state of a snapshot, which may switch to rules versions up to `rules_newest`.
    ///
    /// # Errors
    /// [`SnapshotRefused::Inconsistent`].
    fn restore(snapshot: &Snapshot<'_>, rules_newest: u32) -> Result<Self, SnapshotRefused>;

    /// Applies a batch that was judged wholly, and tells what happened.
    fn apply(&mut self, batch: &Batch<'_>, events: &mut Encoder);

    /// Last order-class and cancel-class number of a session, (0, 0) when there is none.
    fn session_numbers(&self, session_id: u64) -> (u64, u64);

    /// The state; `state_hash` is left 0.
    fn snapshot(&self) -> Snapshot<'_>;

    /// The shard.
    fn shard(&self) -> u32;

    /// Journal sequence of the last command.
    fn last_seq(&self) -> u64;

    /// Engine time of the last batch.
    fn time_ns(&self) -> i64;

    /// When the next timer is due, 0 without one.
    fn next_timer_ns(&self) -> i64;

    /// How many markets are being cleared.
    fn open_cursors(&self) -> usize;
}

/// A batch of which every byte was judged.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    /// Its own fields.
    pub head: BatchHead,
    envelopes: Vec<(Envelope<'a>, Range<usize>)>,
    commands: Vec<Command<'a>>,
    system_commands: Vec<SystemCommand<'a>>,
}

/// The commands of one envelope, by class.
#[derive(Clone, Copy, Debug)]
pub enum Commands<'b, 'a> {
    /// Classes ORDER, CANCEL, UNARY: so many commands of this envelope, then those of all envelopes behind it.
    Firm(&'b [Command<'a>], usize),
    /// Class SYSTEM.
    System(&'b [SystemCommand<'a>]),
}

impl<'a> Batch<'a> {
    /// The envelopes in order, each with its commands.
    pub fn envelopes(&self) -> impl Iterator<Item = (&Envelope<'a>, Commands<'_, 'a>)> {
        self.envelopes.iter().map(|(envelope, range)| {
            let commands = match envelope.command_class {
                CommandClass::System => Commands::System(&self.system_commands[range.clone()]),
                _ => Commands::Firm(&self.commands[range.start..], range.len()),
            };
            (envelope, commands)
        })
    }

    /// Journal sequence of the last command.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.head.first_seq + (self.commands.len() + self.system_commands.len()) as u64 - 1
    }

    fn read(&mut self, envelopes: &[&'a [u8]]) -> Result<(), ApplyError> {
        let mut count = 0;
        for bytes in envelopes {
            let envelope = Envelope::open(bytes)?;
            let range = if envelope.command_class == CommandClass::System {
                let first = self.system_commands.len();
                envelope.system_commands(|command| self.system_commands.push(command))?;
                first..self.system_commands.len()
            } else {
                let first = self.commands.len();
                envelope.commands(&mut self.commands)?;
                first..self.commands.len()
            };
            self.envelopes.push((envelope, range));
            // Bounded, since there are at most 4,096 envelopes of at most 1,000 commands.
            count += envelope.count;
            if count > BATCH_COMMANDS_MAX {
                return Err(BatchRefused::TooLarge.into());
            }
        }
        Ok(())
    }

    /// The same buffers, empty, for a batch with another lifetime.
    fn recycled<'b>(self) -> Batch<'b> {
        Batch {
            head: BatchHead::default(),
            envelopes: recycled(self.envelopes),
            commands: recycled(self.commands),
            system_commands: recycled(self.system_commands),
        }
    }
}

/// The buffer of a vector for items of another lifetime: collecting in place keeps the allocation.
fn recycled<A, B>(mut items: Vec<A>) -> Vec<B> {
    items.clear();
    items.into_iter().filter_map(|_| None).collect()
}

/// A state machine with bytes around it.
#[derive(Debug)]
pub struct Kernel<M> {
    machine: M,
    state_hash: Hash,
    encoder: Encoder,
    batch: Batch<'static>,
    envelopes: Vec<&'static [u8]>,
    row: Vec<u8>,
}

impl<M: StateMachine> Kernel<M> {
    /// An empty shard.
    #[must_use]
    pub fn new(shard: u32) -> Self {
        Self::knowing(shard, RULES_DEFAULT)
    }

    /// An empty shard that may switch to rules versions up to `rules_newest`.
    #[must_use]
    pub fn knowing(shard: u32, rules_newest: u32) -> Self {
        Self::around(M::new(shard, rules_newest), [0; 32])
    }

    /// A kernel around a machine, with the state hash that goes with its state.
    #[must_use]
    pub fn around(machine: M, state_hash: Hash) -> Self {
        Self {
            machine,
            state_hash,
            encoder: Encoder::default(),
            batch: Batch::default(),
            envelopes: Vec::new(),
            row: Vec::new(),
        }
    }

    /// A kernel in the state of a snapshot.
    ///
    /// # Errors
    /// [`SnapshotRefused`].
    pub fn restore(bytes: &[u8]) -> Result<Self, SnapshotRefused> {
        Self::restore_knowing(bytes, RULES_DEFAULT)
    }

    /// The same, of rules versions up to `rules_newest`.
    ///
    /// # Errors
    /// [`SnapshotRefused`].
    pub fn restore_knowing(bytes: &[u8], rules_newest: u32) -> Result<Self, SnapshotRefused> {
        let snapshot = Snapshot::decode(bytes)?;
        if snapshot.rules_version > rules_newest {
            return Err(SnapshotRefused::RulesVersion);
        }
        let machine = M::restore(&snapshot, rules_newest)?;
        Ok(Self::around(machine, snapshot.state_hash))
    }

    /// Applies a batch and gives its event row, which stays until the next call.
    ///
    /// # Errors
    /// [`ApplyError`], with nothing changed.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<&[u8], ApplyError> {
        let mut batch = std::mem::take(&mut self.batch).recycled();
        let opened = self.open(bytes, &mut batch);
        if opened.is_ok() {
            self.encoder.start(batch.head.time_ns);
            self.machine.apply(&batch, &mut self.encoder);
        }
        self.batch = batch.recycled();
        opened?;
        let machine = &self.machine;
        self.encoder.finish(
            |session_id| machine.session_numbers(session_id),
            &mut self.row,
        );
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.state_hash);
        hasher.update(blake3::hash(bytes).as_bytes());
        hasher.update(blake3::hash(&self.row).as_bytes());
        self.state_hash = *hasher.finalize().as_bytes();
        Ok(&self.row)
    }

    /// Judges a batch in the order of `docs/semantics.md` section 3.
    fn open<'a>(&mut self, bytes: &'a [u8], batch: &mut Batch<'a>) -> Result<(), ApplyError> {
        let mut envelopes = recycled(std::mem::take(&mut self.envelopes));
        let judged = self.judge(bytes, batch, &mut envelopes);
        self.envelopes = recycled(envelopes);
        judged
    }

    fn judge<'a>(
        &self,
        bytes: &'a [u8],
        batch: &mut Batch<'a>,
        envelopes: &mut Vec<&'a [u8]>,
    ) -> Result<(), ApplyError> {
        let head = open_batch(bytes, envelopes).map_err(|_| BatchRefused::MalformedBatch)?;
        if head.shard != self.machine.shard() {
            return Err(BatchRefused::WrongShard.into());
        }
        if Some(head.first_seq) != self.machine.last_seq().checked_add(1) {
            return Err(BatchRefused::WrongSeq.into());
        }
        if head.time_ns < self.machine.time_ns() {
            return Err(BatchRefused::TimeBackwards.into());
        }
        if envelopes.is_empty() {
            return Err(BatchRefused::NoEnvelope.into());
        }
        if envelopes.len() > BATCH_ENVELOPES_MAX {
            return Err(BatchRefused::TooLarge.into());
        }
        batch.head = head;
        batch.read(envelopes)
    }

    /// The state as canonical bytes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        Snapshot {
            state_hash: self.state_hash,
            ..self.machine.snapshot()
        }
        .encode()
    }

    /// BLAKE3 of each section of the snapshot, by its name.
    #[must_use]
    pub fn state_parts(&self) -> [(&'static str, Hash); 6] {
        self.machine.snapshot().parts()
    }

    /// Chained hash after the last batch.
    #[must_use]
    pub fn state_hash(&self) -> Hash {
        self.state_hash
    }

    /// The rules inside.
    #[must_use]
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The rules inside, for backtests: the state hash does not cover what is done to them.
    pub fn machine_mut(&mut self) -> &mut M {
        &mut self.machine
    }
}
