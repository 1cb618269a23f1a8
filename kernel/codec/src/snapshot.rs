//! Snapshots as canonical bytes, and the hash of each section.

use crate::decode::state::{
    books_section, keys_section, limits_section, money_section, sessions_section, triggers_section,
};
use crate::encode::state::{
    put_books_section, put_keys_section, put_limits_section, put_money_section,
    put_sessions_section, put_triggers_section,
};
use crate::messages::{
    BooksSection, KeysSection, LimitsSection, MoneySection, SessionsSection, TriggersSection,
};
use crate::reader::{Decoded, Fault, Reader};
use crate::scan;
use crate::writer::{put_bytes, put_i64, put_u32, put_u64};
use std::fmt;

/// `Snapshot.layout_version`.
const LAYOUT_VERSION: u32 = 1;

/// The newest rules version of which this build can be told to know.
pub const RULES_NEWEST: u32 = 2;

/// The newest rules version that an engine knows when nothing is said.
pub const RULES_DEFAULT: u32 = 1;

/// A hash: 32 bytes.
pub type Hash = [u8; 32];

/// Names of the sections, in the order of their fields.
pub const PARTS: [&str; 6] = ["money", "books", "triggers", "sessions", "keys", "limits"];

/// The state of a shard after a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot<'a> {
    /// Shard.
    pub shard: u32,
    /// Journal sequence of the last command.
    pub last_seq: u64,
    /// Engine time of the last batch.
    pub time_ns: i64,
    /// Rules version.
    pub rules_version: u32,
    /// Chained state hash after the last batch.
    pub state_hash: Hash,
    /// Next order id to give.
    pub next_order_id: u64,
    /// Assets, balances, deposits, withdrawals, sources.
    pub money: MoneySection<'a>,
    /// Markets with their books.
    pub books: BooksSection<'a>,
    /// Orders that wait for a price.
    pub triggers: TriggersSection,
    /// Sessions.
    pub sessions: SessionsSection,
    /// Ids of commands.
    pub keys: KeysSection,
    /// Firms, accounts, switches.
    pub limits: LimitsSection<'a>,
}

/// Why bytes are not a snapshot of this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotRefused {
    /// A fault of the scan.
    Malformed(Fault),
    /// A layout that this build does not know.
    Layout,
    /// A rules version that this build does not know.
    RulesVersion,
    /// The state hash is not 32 bytes.
    StateHash,
    /// The bytes are not the canonical ones of what they say.
    NotCanonical,
    /// Rows that contradict each other.
    Inconsistent,
}

impl fmt::Display for SnapshotRefused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed(_) => "MALFORMED",
            Self::Layout => "UNKNOWN_LAYOUT",
            Self::RulesVersion => "UNKNOWN_RULES_VERSION",
            Self::StateHash => "BAD_STATE_HASH",
            Self::NotCanonical => "NOT_CANONICAL",
            Self::Inconsistent => "INCONSISTENT",
        })
    }
}

impl std::error::Error for SnapshotRefused {}

impl From<Fault> for SnapshotRefused {
    fn from(fault: Fault) -> Self {
        Self::Malformed(fault)
    }
}

/// Sections as they lie in the bytes, in the order of [`PARTS`].
#[derive(Clone, Copy, Debug, Default)]
struct Sections<'a>([&'a [u8]; 6]);

impl<'a> Snapshot<'a> {
    /// Reads a snapshot.
    ///
    /// # Errors
    /// [`SnapshotRefused`], except for what only the engine can tell.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, SnapshotRefused> {
        let (layout, hash, mut snapshot, Sections(sections)) = scan(bytes)?;
        if layout != LAYOUT_VERSION {
            return Err(SnapshotRefused::Layout);
        }
        if !(1..=RULES_NEWEST).contains(&snapshot.rules_version) {
            return Err(SnapshotRefused::RulesVersion);
        }
        snapshot.state_hash = hash.try_into().map_err(|_| SnapshotRefused::StateHash)?;
        let [money, books, triggers, sessions, keys, limits] = sections;
        snapshot.money = money_section(Reader::new(money))?;
        snapshot.books = books_section(Reader::new(books))?;
        snapshot.triggers = triggers_section(Reader::new(triggers))?;
        snapshot.sessions = sessions_section(Reader::new(sessions))?;
        snapshot.keys = keys_section(Reader::new(keys))?;
        snapshot.limits = limits_section(Reader::new(limits))?;
        if snapshot.encode() != bytes {
            return Err(SnapshotRefused::NotCanonical);
        }
        Ok(snapshot)
    }

    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_u32(&mut out, 1, LAYOUT_VERSION);
        put_u32(&mut out, 2, self.shard);
        put_u64(&mut out, 3, self.last_seq);
        put_i64(&mut out, 4, self.time_ns);
        put_u32(&mut out, 5, self.rules_version);
        put_bytes(&mut out, 6, &self.state_hash);
        put_u64(&mut out, 7, self.next_order_id);
        for (number, section) in (8..).zip(self.sections()) {
            put_bytes(&mut out, number, &section);
        }
        out
    }

    /// The hash of each section, by its name.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, Hash); 6] {
        let mut parts = PARTS.map(|name| (name, [0; 32]));
        for (part, section) in parts.iter_mut().zip(self.sections()) {
            part.1 = *blake3::hash(&section).as_bytes();
        }
        parts
    }

    /// The bytes of each section, in the order of [`PARTS`].
    fn sections(&self) -> [Vec<u8>; 6] {
        let mut sections = [const { Vec::new() }; 6];
        let [money, books, triggers, sessions, keys, limits] = &mut sections;
        put_money_section(money, &self.money);
        put_books_section(books, &self.books);
        put_triggers_section(triggers, &self.triggers);
        put_sessions_section(sessions, &self.sessions);
        put_keys_section(keys, &self.keys);
        put_limits_section(limits, &self.limits);
        sections
    }
}

type Scanned<'a> = (u32, &'a [u8], Snapshot<'a>, Sections<'a>);

fn scan(bytes: &[u8]) -> Decoded<Scanned<'_>> {
    let mut reader = Reader::new(bytes);
    let (mut layout, mut hash) = (0, &[][..]);
    let (mut value, mut sections) = (Snapshot::default(), Sections::default());
    scan!(reader, {
        1 once VARINT => layout = reader.u32(1)?,
        2 once VARINT => value.shard = reader.u32(2)?,
        3 once VARINT => value.last_seq = reader.varint(3)?,
        4 once VARINT => value.time_ns = reader.i64(4)?,
        5 once VARINT => value.rules_version = reader.u32(5)?,
        6 once LENGTH => hash = reader.bytes(6)?,
        7 once VARINT => value.next_order_id = reader.varint(7)?,
        8 once LENGTH => sections.0[0] = reader.bytes(8)?,
        9 once LENGTH => sections.0[1] = reader.bytes(9)?,
        10 once LENGTH => sections.0[2] = reader.bytes(10)?,
        11 once LENGTH => sections.0[3] = reader.bytes(11)?,
        12 once LENGTH => sections.0[4] = reader.bytes(12)?,
        13 once LENGTH => sections.0[5] = reader.bytes(13)?,
    });
    Ok((layout, hash, value, sections))
}
