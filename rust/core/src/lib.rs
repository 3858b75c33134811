//! `utb-core`.
