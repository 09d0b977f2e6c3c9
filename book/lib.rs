//! The code of the book and of the front page, tested: `cargo test --doc -p wowflow-book` runs their Rust blocks.

/// Chapters with Rust in them, one item each.
#[cfg(doctest)]
mod chapters {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("src/start.md")]
    mod start {}
    #[doc = include_str!("src/concepts.md")]
    mod concepts {}
    #[doc = include_str!("src/distances.md")]
    mod distances {}
    #[doc = include_str!("src/applications.md")]
    mod applications {}
    #[doc = include_str!("src/results.md")]
    mod results {}
    #[doc = include_str!("src/engine.md")]
    mod engine {}
    #[doc = include_str!("src/mathematics.md")]
    mod mathematics {}
    #[doc = include_str!("src/running.md")]
    mod running {}
    #[doc = include_str!("src/extending.md")]
    mod extending {}
    #[doc = include_str!("src/exists.md")]
    mod exists {}
}
