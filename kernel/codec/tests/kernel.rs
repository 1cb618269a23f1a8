//! The kernel's bytes: rows, refusals, hashes, snapshots, driven by a machine without rules.

mod echo;

use cambist_codec::row::{FrameKind, Row};
use cambist_codec::{ApplyError, BatchRefused, Kernel, SnapshotRefused};
use echo::{ACCOUNT, Echo, MARKET, batch};

#[test]
fn a_row_has_one_frame_per_kind_and_key() {
    let mut kernel = Kernel::<Echo>::new(1);
    let row = kernel
        .apply(&batch(1, 5, 2, 100))
        .expect("well formed")
        .to_vec();
    let row = Row::open(&row).expect("well formed");
    let records: Vec<_> = row.frames().map(|frame| frame.record).collect();
    assert_eq!(records.len(), 2 + 50 + 1 + 1);
    let session = &records[0];
    assert_eq!(
        (session.kind, session.key, session.first, session.last),
        (FrameKind::Session, 1, 10, 3)
    );
    let private = &records[2];
    assert_eq!(
        (private.kind, private.key, private.events),
        (FrameKind::Private, ACCOUNT, 4)
    );
    assert_eq!((private.first, private.last), (1, 4));
    let l3 = &records[52];
    assert_eq!(
        (l3.kind, l3.key, l3.first, l3.last),
        (FrameKind::L3, u64::from(MARKET), 1, 200)
    );
    let l2 = &records[53];
    assert_eq!(
        (l2.kind, l2.events, l2.first, l2.last),
        (FrameKind::L2, 1, 1, 200)
    );
}

#[test]
fn the_state_hash_is_a_chain_over_commands_and_events() {
    let mut kernel = Kernel::<Echo>::new(1);
    let mut expected = [0; 32];
    for number in 0..3_i64 {
        let bytes = batch(1 + 10 * number.cast_unsigned(), number, 1, 10);
        let row = kernel.apply(&bytes).expect("well formed").to_vec();
        let parts = [
            expected,
            *blake3::hash(&bytes).as_bytes(),
            *blake3::hash(&row).as_bytes(),
        ]
        .concat();
        expected = *blake3::hash(&parts).as_bytes();
        assert_eq!(kernel.state_hash(), expected);
    }
}

#[test]
fn a_refused_batch_changes_nothing() {
    use cambist_codec::MalformedReason::Truncated;
    let mut kernel = Kernel::<Echo>::new(1);
    kernel.apply(&batch(1, 100, 1, 10)).expect("well formed");
    let before = kernel.snapshot();
    let other_shard = [8, 2, 16, 11];
    let no_envelope = [8, 1, 16, 11, 24, 100];
    let many: Vec<u8> = [&no_envelope[..], &[34, 0].repeat(4_097)].concat();
    for (bytes, wanted) in [
        (vec![8], BatchRefused::MalformedBatch),
        (vec![40, 1], BatchRefused::MalformedBatch),
        (other_shard.to_vec(), BatchRefused::WrongShard),
        (batch(12, 100, 1, 10), BatchRefused::WrongSeq),
        (batch(10, 100, 1, 10), BatchRefused::WrongSeq),
        (batch(11, 99, 1, 10), BatchRefused::TimeBackwards),
        (no_envelope.to_vec(), BatchRefused::NoEnvelope),
        (many, BatchRefused::TooLarge),
        (batch(11, 100, 11, 1_000), BatchRefused::TooLarge),
    ] {
        assert_eq!(kernel.apply(&bytes), Err(ApplyError::Refused(wanted)));
    }
    let mut cut = batch(11, 100, 1, 10);
    cut.extend_from_slice(&[34, 2, 66, 1]);
    match kernel.apply(&cut) {
        Err(ApplyError::Malformed(malformed)) => assert_eq!(malformed.reason, Truncated),
        other => panic!("{other:?}"),
    }
    assert_eq!(kernel.snapshot(), before);
    kernel
        .apply(&batch(11, 100, 10, 1_000))
        .expect("as large as a batch may be");
}

#[test]
fn a_snapshot_that_is_not_canonical_is_refused() {
    let mut kernel = Kernel::<Echo>::new(1);
    kernel.apply(&batch(1, 100, 1, 10)).expect("well formed");
    let snapshot = kernel.snapshot();
    let restored = Kernel::<Echo>::restore(&snapshot).expect("our own");
    assert_eq!(restored.snapshot(), snapshot);
    assert_eq!(restored.state_hash(), kernel.state_hash());
    let with_default = [&snapshot[..], &[56, 0]].concat();
    assert_eq!(
        Kernel::<Echo>::restore(&with_default).err(),
        Some(SnapshotRefused::NotCanonical)
    );
    let mut layout = snapshot.clone();
    layout[1] = 2;
    assert_eq!(
        Kernel::<Echo>::restore(&layout).err(),
        Some(SnapshotRefused::Layout)
    );
    let cut = Kernel::<Echo>::restore(&snapshot[..snapshot.len() - 1]).err();
    assert!(matches!(cut, Some(SnapshotRefused::Malformed(_))));
}
