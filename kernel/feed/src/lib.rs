//! Image of the feed: what released event rows say of books, balances and open orders.
//!
//! The gateway and the SDK use it through `cambist_kernel.feed`; `cambist/feed` is its plain Python twin and gives the
//! same bytes. It decodes strictly and checks every sequence and every CRC; it never guesses.

#![forbid(unsafe_code)]

mod accounts;
mod book;
mod error;
mod events;
mod ids;
mod image;
mod level;
mod orders;
mod snapshot;

pub use error::FeedBroken;
pub use image::Image;
