//! Prices in, votes out: bars, indicators, levels, patterns, strategies, the ensemble and resting
//! triggers.
//!
//! Everything is a pure state machine: no clock, no I/O, no randomness. State is allocated once
//! and can be saved and restored with serde; an update never allocates.

pub mod bars;
pub mod diversity;
pub mod ensemble;
pub mod flash_crash;
pub mod indicators;
pub mod levels;
pub mod patterns;
pub mod ring;
pub mod stat;
pub mod strategies;
pub mod sum;
mod swing;
pub mod triggers;
pub mod window;
