//! The seeds are what they should be: well-formed.

use cambist_codec::{Snapshot, check_envelope};
use cambist_feed::Image;
use cambist_fuzz::seeds::{envelopes, rows, snapshots};

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
