//! Envelopes: judged wholly before anything is applied.

use crate::decode::commands::command;
use crate::decode::system::system_command;
use crate::messages::{Command, CommandClass, SystemCommand};
use crate::reader::{Decoded, Fault, MalformedReason, Reader, fault};
use crate::scan;
use crate::values::enumeration;
use std::fmt;

/// `ENVELOPE_COMMANDS_MAX`.
pub const ENVELOPE_COMMANDS_MAX: u32 = 1_000;
/// `ENVELOPE_BYTES_MAX`.
pub const ENVELOPE_BYTES_MAX: usize = 1 << 20;
/// Members of `Command` of class CANCEL: Cancel, `MassCancel`, `CancelQuotes`, `CancelAllAfter`, Resolve.
const CANCEL_MEMBERS: u32 = 1 << 2 | 1 << 5 | 1 << 8 | 1 << 10 | 1 << 11;

/// An envelope breaks a decoding rule: why, the number of commands read before, the innermost field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedEnvelope {
    /// Why.
    pub reason: MalformedReason,
    /// Index of the command, 0 when the envelope itself is at fault.
    pub index: u32,
    /// Field number, 0 when none can be told.
    pub field: u32,
}

impl fmt::Display for MalformedEnvelope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} in command {} at field {}",
            self.reason, self.index, self.field
        )
    }
}

impl std::error::Error for MalformedEnvelope {}

fn at(index: u32) -> impl Fn(Fault) -> MalformedEnvelope {
    move |Fault { reason, field }| MalformedEnvelope {
        reason,
        index,
        field,
    }
}

fn refuse<T>(reason: MalformedReason, index: u32) -> Result<T, MalformedEnvelope> {
    Err(MalformedEnvelope {
        reason,
        index,
        field: 0,
    })
}

/// An envelope whose own fields are sound; its body is not judged yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Envelope<'a> {
    /// Class of all its commands.
    pub command_class: CommandClass,
    /// Session, 0 without one.
    pub session_id: u64,
    /// Connection of the session, 0 without one.
    pub connection: u32,
    /// Number of the first command, 0 without a session.
    pub first_seq_no: u64,
    /// Number of commands.
    pub count: u32,
    /// When it was received.
    pub received_ns: i64,
    /// Echoed in answers.
    pub correlation: u64,
    commands: &'a [u8],
    system_commands: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads an envelope and judges its own fields.
    ///
    /// # Errors
    /// Faults of the scan, `BAD_ENVELOPE`, `TOO_LARGE` by bytes.
    pub fn open(bytes: &'a [u8]) -> Result<Self, MalformedEnvelope> {
        let envelope = Self::scan(bytes).map_err(at(0))?;
        if !envelope.fields_agree() {
            return refuse(MalformedReason::BadEnvelope, 0);
        }
        if envelope.body().len() > ENVELOPE_BYTES_MAX {
            return refuse(MalformedReason::TooLarge, 0);
        }
        Ok(envelope)
    }

    fn scan(bytes: &'a [u8]) -> Decoded<Self> {
        let mut reader = Reader::new(bytes);
        let mut value = Self::default();
        scan!(reader, {
            1 once VARINT => value.command_class = enumeration(&mut reader, 1)?,
            2 once VARINT => value.session_id = reader.varint(2)?,
            3 once VARINT => value.connection = reader.u32(3)?,
            4 once VARINT => value.first_seq_no = reader.varint(4)?,
            5 once VARINT => value.count = reader.u32(5)?,
            6 once VARINT => value.received_ns = reader.i64(6)?,
            7 once VARINT => value.correlation = reader.varint(7)?,
            8 once LENGTH => value.commands = reader.bytes(8)?,
            9 once LENGTH => value.system_commands = reader.bytes(9)?,
        });
        Ok(value)
    }

    fn fields_agree(&self) -> bool {
        let is_system = self.command_class == CommandClass::System;
        let other_body = if is_system {
            self.commands
        } else {
            self.system_commands
        };
        if self.received_ns < 0
            || !other_body.is_empty()
            || !(1..=ENVELOPE_COMMANDS_MAX).contains(&self.count)
        {
            return false;
        }
        let numbers = [
            self.session_id,
            u64::from(self.connection),
            self.first_seq_no,
        ];
        match self.command_class {
            CommandClass::Unspecified => false,
            CommandClass::Order | CommandClass::Cancel => {
                let end = self.first_seq_no.checked_add(u64::from(self.count));
                numbers.iter().all(|number| *number > 0) && end.is_some_and(|end| end < 1 << 63)
            }
            CommandClass::Unary => numbers == [0; 3] && self.count == 1,
            CommandClass::System => numbers == [0; 3],
        }
    }

    /// The bytes of the commands.
    fn body(&self) -> &'a [u8] {
        if self.command_class == CommandClass::System {
            self.system_commands
        } else {
            self.commands
        }
    }

    fn takes(&self, member: u32) -> bool {
        let is_cancel = CANCEL_MEMBERS & 1 << member != 0;
        match self.command_class {
            CommandClass::Order => !is_cancel,
            CommandClass::Cancel => is_cancel,
            _ => true,
        }
    }

    /// Judges every command of firms of the body and appends it to `commands`.
    ///
    /// # Errors
    /// Faults of the body's scan, `TOO_LARGE`, `COUNT_MISMATCH`.
    pub fn commands(&self, commands: &mut Vec<Command<'a>>) -> Result<(), MalformedEnvelope> {
        self.read(|reader| {
            let at = commands.len();
            commands.push(Command::default());
            self.read_command(reader, &mut commands[at])
        })
    }

    fn read_command(&self, reader: Reader<'a>, slot: &mut Command<'a>) -> Decoded<()> {
        let member = command(reader, slot)?;
        if !self.takes(member) {
            return fault(MalformedReason::WrongClass, member);
        }
        Ok(())
    }

    /// Calls `each` with every command of the venue of the body, judged.
    ///
    /// # Errors
    /// As [`Envelope::commands`].
    pub fn system_commands(
        &self,
        mut each: impl FnMut(SystemCommand<'a>),
    ) -> Result<(), MalformedEnvelope> {
        self.read(|reader| {
            let (_, command) = system_command(reader)?;
            each(command);
            Ok(())
        })
    }

    fn read(
        &self,
        mut one: impl FnMut(Reader<'a>) -> Decoded<()>,
    ) -> Result<(), MalformedEnvelope> {
        let mut reader = Reader::new(self.body());
        let mut index = 0;
        while let Some((number, wire_type)) = reader.tag().map_err(at(index))? {
            Self::read_one(&mut reader, number, wire_type, index, &mut one).map_err(at(index))?;
            index += 1;
        }
        if index != self.count {
            return refuse(MalformedReason::CountMismatch, 0);
        }
        Ok(())
    }

    #[inline]
    fn read_one(
        reader: &mut Reader<'a>,
        number: u32,
        wire_type: u32,
        index: u32,
        one: &mut impl FnMut(Reader<'a>) -> Decoded<()>,
    ) -> Decoded<()> {
        if number != 1 {
            return crate::reader::unknown_field(number);
        }
        crate::reader::expect_wire_type(1, wire_type, crate::reader::wire::LENGTH)?;
        if index == ENVELOPE_COMMANDS_MAX {
            return fault(MalformedReason::TooLarge, 0);
        }
        one(reader.message(1)?)
    }
}

/// Judges an envelope wholly.
///
/// # Errors
/// [`MalformedEnvelope`].
pub fn check_envelope(bytes: &[u8]) -> Result<(), MalformedEnvelope> {
    let envelope = Envelope::open(bytes)?;
    if envelope.command_class == CommandClass::System {
        envelope.system_commands(|_| {})
    } else {
        let mut command = Command::default();
        envelope.read(|reader| envelope.read_command(reader, &mut command))
    }
}
