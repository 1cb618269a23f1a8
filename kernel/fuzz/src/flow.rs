//! Reads any bytes as a flow of commands, well-formed ones mostly: small and extreme numbers, few accounts and ids, so
//! that commands meet each other.

use cambist_codec::writer::{put_bytes, put_message, put_u32, put_u64};

pub const SHARD: u32 = 1;
pub const MARKET: u64 = (SHARD as u64) << 16;
pub const START_NS: u64 = 1_700_000_000_000_000_000;
/// The session of the flow.
pub const SESSION: u64 = 7;
/// Envelopes of one batch.
pub const TOGETHER: usize = 3;
/// Members of `SystemCommand` start here in [`PLANS`].
const SYSTEM: u32 = 100;

/// What a field is filled with.
#[derive(Clone, Copy, Debug)]
enum Field {
    Id,
    Account,
    Market,
    Asset,
    /// Mostly one of the first so many values above this one, else any number.
    Among(u8, u8),
    /// Mostly nothing, else a number or a time.
    Seldom,
    /// Mostly nothing, else an amount.
    SeldomAmount,
    /// Any number.
    Number,
    Amount,
    SentTime,
    Bool,
    Source,
    /// The next number of the source, mostly.
    SourceSeq,
    Text,
}

type Plan = (u32, &'static [(u32, Field)]);

use Field::{
    Account, Among, Amount, Asset, Bool, Id, Market, Number, Seldom, SeldomAmount, SentTime,
    Source, SourceSeq, Text,
};

const SIDE: Field = Among(1, 2);
const PRICE: Field = Among(90, 21);
const QUANTITY: Field = Among(1, 30);
const NEW_ORDER: &[(u32, Field)] = &[
    (1, Id),
    (2, Account),
    (3, Market),
    (4, SIDE),
    (5, Among(1, 1)),
    (6, Among(1, 3)),
    (7, PRICE),
    (8, QUANTITY),
    (9, SeldomAmount),
    (10, SentTime),
    (12, Seldom),
    (13, Seldom),
    (14, Among(0, 6)),
];
const GOOD_TILL_DATE: &[(u32, Field)] = &[
    (1, Id),
    (2, Account),
    (3, Market),
    (4, SIDE),
    (5, Among(1, 1)),
    (6, Among(4, 1)),
    (7, PRICE),
    (8, QUANTITY),
    (10, SentTime),
    (12, SentTime),
];
const BY_MARKET: &[(u32, Field)] = &[
    (1, Id),
    (2, Account),
    (3, Market),
    (4, SIDE),
    (5, Among(2, 1)),
    (6, Among(2, 2)),
    (8, QUANTITY),
    (9, SeldomAmount),
    (10, SentTime),
    (14, Among(0, 6)),
];
const WITHDRAWAL: &[(u32, Field)] = &[(1, Source), (2, SourceSeq), (3, Id)];
const MOVE: &[(u32, Field)] = &[
    (1, Source),
    (2, SourceSeq),
    (3, Among(1, 2)),
    (4, Account),
    (5, Asset),
    (6, Amount),
];

#[rustfmt::skip]
const PLANS: [Plan; 40] = [
    (1, NEW_ORDER), (1, NEW_ORDER), (1, NEW_ORDER), (1, NEW_ORDER), (1, NEW_ORDER),
    (1, NEW_ORDER), (1, NEW_ORDER), (1, NEW_ORDER), (1, NEW_ORDER), (1, NEW_ORDER),
    (1, GOOD_TILL_DATE), (1, GOOD_TILL_DATE), (1, BY_MARKET), (1, BY_MARKET),
    (2, &[(1, Id), (2, Account), (3, Id), (5, SentTime), (7, Seldom)]),
    (2, &[(1, Id), (2, Account), (4, Number), (5, SentTime)]),
    (2, &[(1, Id), (2, Account), (3, Id), (5, SentTime), (7, Number)]),
    (3, &[(1, Id), (2, Account), (3, Id), (5, PRICE), (6, QUANTITY), (7, SentTime)]),
    (3, &[(1, Id), (2, Account), (4, Number), (5, PRICE), (7, SentTime)]),
    (3, &[(1, Id), (2, Account), (4, Number), (6, QUANTITY), (7, SentTime)]),
    (5, &[(1, Id), (2, Account), (3, Market), (4, Among(0, 3)), (5, Bool), (7, SentTime), (9, Seldom)]),
    (11, &[(1, Account), (2, Id), (3, SentTime)]),
    (12, &[(1, Id), (2, Account), (3, Account), (4, Asset), (5, Amount), (6, SentTime)]),
    (13, &[(1, Id), (2, Account), (3, Asset), (5, Amount), (6, SeldomAmount), (7, Text), (9, SentTime)]),
    (SYSTEM + 4, &[(1, Market), (2, Among(4, 1))]),
    (SYSTEM + 4, &[(1, Market), (2, Among(7, 3))]),
    (SYSTEM + 4, &[(1, Market), (2, Among(4, 1))]),
    (SYSTEM + 5, &[(1, Market)]),
    (SYSTEM + 6, &[(1, Market), (2, Among(4, 1))]),
    (SYSTEM + 10, &[(1, Account), (3, Seldom)]),
    (SYSTEM + 12, &[(1, Among(1, 1)), (2, Account), (3, Seldom)]),
    (SYSTEM + 12, &[(1, Among(4, 1)), (2, Market), (3, Seldom)]),
    (SYSTEM + 24, &[(1, Source), (2, SourceSeq), (3, Id), (4, Account), (5, Asset), (6, Amount)]),
    (SYSTEM + 25, WITHDRAWAL), (SYSTEM + 27, WITHDRAWAL), (SYSTEM + 28, WITHDRAWAL),
    (SYSTEM + 29, WITHDRAWAL), (SYSTEM + 30, WITHDRAWAL),
    (SYSTEM + 32, MOVE), (SYSTEM + 33, MOVE),
];

/// A flow: the bytes, read one by one; zeros follow them.
#[derive(Clone, Debug)]
pub struct Flow<'a> {
    bytes: std::slice::Iter<'a, u8>,
    source_seq: u64,
}

impl<'a> Flow<'a> {
    /// A flow from bytes; `source_seq` is the last number of the source that was used before.
    #[must_use]
    pub fn new(bytes: &'a [u8], source_seq: u64) -> Self {
        Self {
            bytes: bytes.iter(),
            source_seq,
        }
    }

    /// Goes on behind another part of the flow of which nothing was applied.
    #[must_use]
    pub fn without(self, behind: &Self) -> Self {
        Self {
            bytes: behind.bytes.clone(),
            ..self
        }
    }

    /// The next envelopes, none at the end, for an engine time. `numbers` are the last ones of the session.
    pub fn envelopes(&mut self, now: u64, numbers: (u64, u64)) -> Vec<Vec<u8>> {
        let mut numbers = [numbers.0, numbers.1];
        let mut made = Vec::new();
        while made.len() < TOGETHER && self.bytes.len() > 0 {
            let choice = self.byte();
            if choice == 255 {
                // As they are.
                let length = usize::from(self.byte());
                made.push(self.bytes.by_ref().take(length).copied().collect());
                continue;
            }
            let (member, fields) = PLANS[usize::from(choice) % PLANS.len()];
            made.push(self.envelope(member, fields, now, &mut numbers));
        }
        made
    }

    fn envelope(
        &mut self,
        member: u32,
        fields: &[(u32, Field)],
        now: u64,
        numbers: &mut [u64; 2],
    ) -> Vec<u8> {
        let is_cancel = matches!(member, 2 | 5 | 11);
        let in_session = member < SYSTEM && self.byte() < 200;
        let mut out = Vec::new();
        let class = match (member < SYSTEM, in_session) {
            (false, _) => 4,
            (true, false) => 3,
            (true, true) => 1 + u64::from(is_cancel),
        };
        put_u64(&mut out, 1, class);
        if in_session {
            let number = &mut numbers[usize::from(is_cancel)];
            *number += 1;
            put_u64(&mut out, 2, SESSION);
            put_u64(&mut out, 3, 1);
            put_u64(&mut out, 4, *number);
        }
        put_u64(&mut out, 5, 1);
        put_u64(&mut out, 6, now);
        let body = if class == 4 { 9 } else { 8 };
        put_message(&mut out, body, |body| {
            put_message(body, 1, |command| {
                put_message(command, member % SYSTEM, |message| {
                    for (number, field) in fields {
                        self.put(message, *number, *field, now);
                    }
                });
            });
        });
        out
    }

    fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    /// Small mostly, else at a bound.
    fn number(&mut self) -> u64 {
        const EDGES: [u64; 9] = [
            1 << 53,
            (1 << 53) + 1,
            1 << 32,
            1 << 31,
            i64::MAX as u64,
            1 << 63,
            u64::MAX,
            1 << 20,
            10_000,
        ];
        let byte = self.byte();
        let edge = usize::from(byte).checked_sub(247);
        edge.map_or(u64::from(byte), |edge| EDGES[edge])
    }

    fn put(&mut self, out: &mut Vec<u8>, number: u32, field: Field, now: u64) {
        let value = match field {
            Field::Id => return put_bytes(out, number, &[self.byte(); 16]),
            Field::Text => return put_bytes(out, number, &[b'a' + self.byte() % 26; 3]),
            Field::Seldom | Field::SeldomAmount if self.byte() < 240 => return,
            Field::Amount | Field::SeldomAmount => return self.put_amount(out, number),
            Field::Seldom | Field::Number => self.number(),
            Field::Account => self.mostly(4_096, 3),
            Field::Market => self.mostly(MARKET + 1, 2),
            Field::Asset => self.mostly(1, 3),
            Field::Among(low, count) => self.mostly(u64::from(low), count),
            Field::Bool => u64::from(self.byte() & 1),
            Field::Source => u64::from(self.byte() < 250),
            Field::SourceSeq => {
                self.source_seq += u64::from(self.byte() < 250);
                self.source_seq
            }
            Field::SentTime => match self.byte() {
                // Once in a while of long ago, or absent.
                late @ 250.. => now >> (late % 3),
                late => now + u64::from(late) * 100,
            },
        };
        put_u64(out, number, value);
    }

    /// One of `count` values from `low` on, now and then anything.
    fn mostly(&mut self, low: u64, count: u8) -> u64 {
        match self.byte() {
            250.. => self.number(),
            byte => low + u64::from(byte % count),
        }
    }

    fn put_amount(&mut self, out: &mut Vec<u8>, number: u32) {
        let atoms = match self.byte() {
            byte @ 0..200 => i128::from(byte) * 100,
            byte @ 200..254 => 1 << (byte - 130),
            _ => -1,
        };
        put_bytes(out, number, &atoms.to_le_bytes());
    }
}

/// The system commands that open the venue of the flow: one envelope.
#[must_use]
pub fn opening() -> (Vec<u8>, u64) {
    let mut commands = Vec::new();
    let mut count = 0;
    let mut put = |member: u32, fill: &dyn Fn(&mut Vec<u8>)| {
        count += 1;
        put_message(&mut commands, 1, |command| {
            put_message(command, member, |message| fill(message));
        });
    };
    for asset in 1..=3 {
        put(1, &|out| {
            put_u64(out, 1, asset);
            put_bytes(out, 2, format!("ASSET{asset}").as_bytes());
        });
    }
    for market in 1..=2 {
        put(2, &|out| {
            put_u64(out, 1, MARKET + market);
            put_bytes(out, 2, format!("MARKET{market}").as_bytes());
            put_u64(out, 3, market);
            put_u64(out, 4, 3);
            put_bytes(out, 5, &2_i128.to_le_bytes());
            put_bytes(out, 6, &1_i128.to_le_bytes());
            put_message(out, 7, |parameters| {
                put_u64(parameters, 7, 500);
                put_u64(parameters, 8, 1_500);
            });
        });
        put(4, &|out| {
            put_u64(out, 1, MARKET + market);
            put_u64(out, 2, 4);
        });
    }
    put(8, &|out| {
        put_u64(out, 1, 1);
        put_bytes(out, 2, b"firm");
    });
    for account in 4_096..4_099 {
        put(9, &|out| {
            put_u64(out, 1, account);
            put_u64(out, 2, 1);
            put_u64(out, 3, account % 2);
            // Few ids, so that they are forgotten.
            put_message(out, 4, |limits| put_u64(limits, 2, 16));
        });
    }
    put(20, &|out| {
        put_u64(out, 1, SESSION);
        put_u64(out, 2, 1);
        put_bytes(out, 3, &[0x80, 0x20, 0x81, 0x20, 0x82, 0x20]);
        put_u64(out, 5, 1);
    });
    let mut source_seq = 0;
    for account in 4_096_u64..4_099 {
        for asset in 1..=3_u64 {
            source_seq += 1;
            let seq = source_seq;
            put(24, &|out| {
                put_u64(out, 1, 1);
                put_u64(out, 2, seq);
                put_bytes(out, 3, &[100 + u8::try_from(seq).unwrap_or(0); 16]);
                put_u64(out, 4, account);
                put_u64(out, 5, asset);
                put_bytes(out, 6, &10_000_000_i128.to_le_bytes());
            });
        }
    }
    let mut envelope = Vec::new();
    put_u64(&mut envelope, 1, 4);
    put_u64(&mut envelope, 5, count);
    put_bytes(&mut envelope, 9, &commands);
    (envelope, source_seq)
}

/// Envelopes as one batch.
#[must_use]
pub fn batch(first_seq: u64, time_ns: u64, envelopes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    put_u32(&mut out, 1, SHARD);
    put_u64(&mut out, 2, first_seq);
    put_u64(&mut out, 3, time_ns);
    for envelope in envelopes {
        put_message(&mut out, 4, |inner| inner.extend_from_slice(envelope));
    }
    out
}
