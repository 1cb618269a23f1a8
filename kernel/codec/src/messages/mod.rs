//! Typed messages of the contract, as the engine takes and gives them.

mod commands;
mod enums;
mod events;
mod limits;
mod market_data;
mod reasons;
mod state;
mod system;
mod system_events;

pub use commands::*;
pub use enums::*;
pub use events::*;
pub use limits::*;
pub use market_data::*;
pub use reasons::*;
pub use state::*;
pub use system::*;
pub use system_events::*;

/// A client's or custody's id.
pub type Id = [u8; 16];

/// Declares an enum of the contract.
macro_rules! wire_enum {
    ($(#[$about:meta])* $name:ident { $(#[$zero_about:meta])* $zero:ident = 0, $($(#[$value_about:meta])* $value:ident = $number:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name {
            $(#[$zero_about])*
            #[default]
            $zero = 0,
            $($(#[$value_about])* $value = $number,)*
        }

        impl super::WireEnum for $name {
            #[inline]
            fn from_number(number: u64) -> Option<Self> {
                match number {
                    0 => Some(Self::$zero),
                    $($number => Some(Self::$value),)*
                    _ => None,
                }
            }

            #[inline]
            fn number(self) -> u32 {
                self as u32
            }
        }
    };
}
use wire_enum;

/// An enum of the contract.
pub trait WireEnum: Copy {
    /// The value with this number.
    fn from_number(number: u64) -> Option<Self>;
    /// Its number.
    fn number(self) -> u32;
}
