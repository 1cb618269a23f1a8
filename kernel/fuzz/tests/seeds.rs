//! The seeds are what they should be: well-formed.

use cambist_codec::{Snapshot, check_envelope};
use cambist_feed::Image;
use cambist_fuzz::engine;
use cambist_fuzz::flow::{Flow, START_NS};
use cambist_fuzz::seeds::{envelopes, flows, rows, snapshots};

#[test]
fn seeds_are_well_formed() {
    let judged: Vec<_> = envelopes()
        .iter()
        .map(|bytes| check_envelope(bytes).is_ok())
        .collect();
    // The session's lists are empty, which is one fault to start from.
    assert_eq!(judged, [true, true, true, true, false]);
    Image::new(1).apply(1, 1, &rows()[0]).expect("taken");
    for bytes in snapshots() {
        Snapshot::decode(&bytes).expect("canonical");
        Image::new(1).load_snapshot(&bytes).expect("taken");
    }
}

#[test]
fn flows_are_mostly_well_formed_and_hold() {
    for bytes in flows() {
        let mut flow = Flow::new(&bytes, 9);
        let mut made = Vec::new();
        loop {
            let together = flow.envelopes(START_NS, (0, 0));
            if together.is_empty() {
                break;
            }
            made.extend(together);
        }
        let sound = made.iter().filter(|bytes| check_envelope(bytes).is_ok());
        assert!(sound.count() * 10 > made.len() * 8);
        engine(&bytes);
    }
}
