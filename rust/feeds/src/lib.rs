//! `utb-feeds`.
