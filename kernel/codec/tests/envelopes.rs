//! Envelopes by their bytes: arbitrary ones never panic, and every single-byte change is judged or harmless.

use cambist_codec::writer::{put_bytes, put_message, put_u64};
use cambist_codec::{MalformedReason, check_envelope};
use proptest::prelude::*;

fn new_order() -> Vec<u8> {
    let mut body = Vec::new();
    put_message(&mut body, 1, |command| {
        put_message(command, 1, |order| {
            put_bytes(order, 1, &[7; 16]);
            for (number, value) in [(2, 4_096), (3, 65_537), (4, 1), (5, 1), (6, 1), (7, 100)] {
                put_u64(order, number, value);
            }
            put_u64(order, 8, 10);
            put_u64(order, 10, 1_700_000_000_000_000_000);
        });
    });
    body
}

fn envelope(body: &[u8], count: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, value) in [(1, 1), (2, 5), (3, 1), (4, 1), (5, count)] {
        put_u64(&mut out, number, value);
    }
    put_bytes(&mut out, 8, body);
    out
}

#[test]
fn every_cut_of_an_envelope_is_malformed() {
    let whole = envelope(&new_order(), 1);
    assert_eq!(check_envelope(&whole), Ok(()));
    for length in 0..whole.len() {
        assert!(check_envelope(&whole[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn the_index_is_the_number_of_commands_read_before() {
    let mut body = new_order().repeat(3);
    body.push(0x0A);
    let malformed = check_envelope(&envelope(&body, 4)).expect_err("cut");
    let found = (malformed.reason, malformed.index, malformed.field);
    assert_eq!(found, (MalformedReason::Truncated, 3, 1));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = check_envelope(&bytes);
        let _ = check_envelope(&envelope(&bytes, 1));
    }

    #[test]
    fn changed_bytes_never_panic(
        at in any::<proptest::sample::Index>(), to in any::<u8>(), count in 1_usize..4,
    ) {
        let mut body = new_order().repeat(count);
        let at = at.index(body.len());
        body[at] = to;
        let _ = check_envelope(&envelope(&body, count as u64));
    }
}
