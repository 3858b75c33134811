//! Subscriptions of the current connection. Not part of the saved state: ids end with it.

use std::collections::BTreeMap;

use utb_types::PoolRole;

/// Subscription ids to (instrument, role).
#[derive(Clone, Debug, Default)]
pub(crate) struct Bindings(BTreeMap<u64, (u32, PoolRole)>);

impl Bindings {
    /// Adds one; an earlier one of the same instrument and role ends.
    pub(crate) fn bind(&mut self, subscription: u64, instrument: u32, role: PoolRole) {
        self.0.retain(|_, bound| *bound != (instrument, role));
        self.0.insert(subscription, (instrument, role));
    }

    /// Returns what a subscription delivers.
    #[inline]
    pub(crate) fn find(&self, subscription: u64) -> Option<(u32, PoolRole)> {
        self.0.get(&subscription).copied()
    }
}
