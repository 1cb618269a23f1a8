//! The loop over the fields of a message that every strict decoder shares.

/// Reads the fields of one message in whatever order they come.
///
/// `scan!(reader, { 1 once VARINT => value = reader.u64(1)?, 4 many LENGTH => …, 7 oneof LENGTH => … })` expands to the
/// loop; it returns with `?` at the first fault. `once` is a singular field, `many` a repeated one, `oneof` a member of
/// the message's only oneof. Its value is a set of the numbers met (bit n for `once` field n, bit 0 for the oneof).
#[macro_export]
macro_rules! scan {
    ($reader:ident, {}) => {
        if let Some((number, _)) = $reader.tag()? {
            return $crate::reader::unknown_field(number);
        }
    };
    ($reader:ident, { $($number:literal $times:ident $wire:ident => $read:expr),* $(,)? }) => {{
        #[allow(unused_mut, reason = "messages without singular fields")]
        let mut seen = 0_u64;
        while let Some((number, wire_type)) = $reader.tag()? {
            match number {
                $($number => {
                    $crate::reader::expect_wire_type($number, wire_type, $crate::reader::wire::$wire)?;
                    $crate::scan!(@$times seen, $number);
                    $read;
                })*
                _ => return $crate::reader::unknown_field(number),
            }
        }
        seen
    }};
    (@once $seen:ident, $number:literal) => { $crate::reader::mark(&mut $seen, $number, $number)? };
    (@oneof $seen:ident, $number:literal) => { $crate::reader::mark(&mut $seen, 0, $number)? };
    (@many $seen:ident, $number:literal) => {};
}
