//! Measures the kernel over five shapes of books.

fn main() {}
