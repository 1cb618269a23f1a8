//! What must hold for any bytes whatever. Each function panics when it does not.

#![forbid(unsafe_code)]

mod engine;
pub mod flow;
pub mod mutate;
pub mod seeds;

pub use engine::engine;

use cambist_codec::Snapshot;
use cambist_codec::row::Row;
use cambist_feed::Image;

/// An envelope is judged, the same way every time, and a fault names a command that can be there.
///
/// # Panics
/// When that is not so.
pub fn envelope(bytes: &[u8]) {
    let judged = cambist_codec::check_envelope(bytes);
    assert_eq!(judged, cambist_codec::check_envelope(bytes));
    if let Err(malformed) = judged {
        assert!(malformed.index <= 1_000, "{malformed}");
        assert!(malformed.field < 1 << 29, "{malformed}");
    }
}

/// A row is applied or refused; a row whose directory is not whole changes nothing.
///
/// # Panics
/// When that is not so.
pub fn feed_row(bytes: &[u8]) {
    let mut image = Image::new(1);
    let applied = image.apply(1, 1, bytes);
    assert_eq!(image.last_seq(), u64::from(applied.is_ok()));
    assert!(applied.is_err() || Row::open(bytes).is_ok());
    for market in image.markets() {
        let (bbo, levels) = (image.bbo(market), image.l2(market, 0));
        assert!(!bbo.is_empty() && !levels.is_empty());
    }
}

/// A snapshot is refused, or its bytes are exactly what it encodes to; the feed takes what the codec takes, unless its
/// books contradict themselves.
///
/// # Panics
/// When that is not so.
pub fn snapshot(bytes: &[u8]) {
    let mut image = Image::new(1);
    let loaded = image.load_snapshot(bytes);
    assert!(loaded.is_ok() || image.markets().is_empty());
    if let Ok(decoded) = Snapshot::decode(bytes) {
        assert_eq!(decoded.encode(), bytes);
    }
}
