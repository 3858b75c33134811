//! `utb-signals`.
