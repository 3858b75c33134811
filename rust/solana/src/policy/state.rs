//! What was signed so far: amounts by time, and intents.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Claim, Kind};

/// Most intents remembered; the oldest is forgotten then.
pub(super) const INTENTS_MAX: usize = 100_000;
/// Most messages remembered of one intent.
const DIGESTS_MAX: usize = 64;
const MINUTE_SLOTS: usize = 7;
const MINUTE_WIDTH_S: u64 = 10;
const DAY_SLOTS: usize = 25;
const DAY_WIDTH_S: u64 = 3_600;

/// Sums of the last `N` spans of time; never less than what the whole window holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Window<const N: usize> {
    width_s: u64,
    spans: [(u64, u64); N],
}

impl<const N: usize> Window<N> {
    fn new(width_s: u64) -> Self {
        Self { width_s, spans: [(0, 0); N] }
    }

    /// Returns the sum of the spans that reach into the window ending at `now_s`.
    fn sum(&self, now_s: u64) -> u64 {
        let now = now_s / self.width_s;
        let live = |span: &&(u64, u64)| span.0 + N as u64 > now;
        self.spans.iter().filter(live).fold(0, |sum, span| sum.saturating_add(span.1))
    }

    fn add(&mut self, now_s: u64, amount: u64) {
        let now = now_s / self.width_s;
        let at = usize::try_from(now % N as u64).unwrap_or_default();
        if let Some(span) = self.spans.get_mut(at) {
            // An older time never replaces a newer one: `State::apply` keeps time from going back.
            *span =
                if span.0 == now { (now, span.1.saturating_add(amount)) } else { (now, amount) };
        }
    }
}

/// What transactions of one kind could have lost, and how many there were.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Usage {
    minute: Window<MINUTE_SLOTS>,
    day: Window<DAY_SLOTS>,
    count: Window<MINUTE_SLOTS>,
}

impl Usage {
    fn new() -> Self {
        Self {
            minute: Window::new(MINUTE_WIDTH_S),
            day: Window::new(DAY_WIDTH_S),
            count: Window::new(MINUTE_WIDTH_S),
        }
    }
}

/// The messages signed for one intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// What they were for.
    pub kind: Kind,
    /// SHA-256 of each different message.
    pub digests: Vec<[u8; 32]>,
    /// When the last one was signed.
    pub last_s: u64,
}

/// What one signature adds to the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What it is for.
    pub kind: Kind,
    /// Whose it is.
    pub intent: u64,
    /// SHA-256 of the message.
    pub digest: [u8; 32],
    /// What it can lose at most, USDC raw.
    pub spend_raw: u64,
    /// Seconds of Unix time.
    pub now_s: u64,
}

/// Everything the rules remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    usage: [Usage; 3],
    intents: BTreeMap<u64, Intent>,
    /// Intents by the time of their last signature.
    ages: BTreeSet<(u64, u64)>,
    latest_s: u64,
    /// Whether the halt switch is on.
    pub halted: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            usage: [Usage::new(), Usage::new(), Usage::new()],
            intents: BTreeMap::new(),
            ages: BTreeSet::new(),
            latest_s: 0,
            halted: false,
        }
    }
}

/// Amounts of a kind in the windows that end now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// USDC raw in the last minute or a little more.
    pub minute_raw: u64,
    /// USDC raw in the last day or a little more.
    pub day_raw: u64,
    /// Transactions in the last minute or a little more.
    pub transactions: u64,
}

impl State {
    /// Returns a time that never goes back.
    pub fn time(&self, now_s: u64) -> u64 {
        now_s.max(self.latest_s)
    }

    /// Returns what a kind has used.
    pub fn used(&self, kind: Kind, now_s: u64) -> Used {
        let now_s = self.time(now_s);
        self.usage.get(kind.index()).map_or(
            Used { minute_raw: u64::MAX, day_raw: u64::MAX, transactions: u64::MAX },
            |usage| Used {
                minute_raw: usage.minute.sum(now_s),
                day_raw: usage.day.sum(now_s),
                transactions: usage.count.sum(now_s),
            },
        )
    }

    /// Returns what was signed for a claim's intent.
    pub fn intent(&self, claim: &Claim) -> Option<&Intent> {
        self.intents.get(&claim.intent)
    }

    /// Returns whether anything is known of an intent.
    pub fn remembers(&self, intent: u64) -> bool {
        self.intents.contains_key(&intent)
    }

    /// Adds a signature.
    pub fn apply(&mut self, change: &Change) {
        self.latest_s = self.time(change.now_s);
        self.count(change.kind, change.spend_raw, 1);
        self.remember(change.kind, change.intent, change.digest, self.latest_s);
    }

    /// Adds what may have been used, at the latest time.
    pub fn count(&mut self, kind: Kind, spend_raw: u64, transactions: u64) {
        let now_s = self.latest_s;
        if let Some(usage) = self.usage.get_mut(kind.index()) {
            usage.minute.add(now_s, spend_raw);
            usage.day.add(now_s, spend_raw);
            usage.count.add(now_s, transactions);
        }
    }

    /// Moves time forward.
    pub fn advance(&mut self, now_s: u64) {
        self.latest_s = self.time(now_s);
    }

    /// Adds a message to its intent.
    pub fn remember(&mut self, kind: Kind, intent: u64, digest: [u8; 32], now_s: u64) {
        let known = self.intents.entry(intent).or_insert(Intent {
            kind,
            digests: Vec::new(),
            last_s: now_s,
        });
        self.ages.remove(&(known.last_s, intent));
        self.ages.insert((now_s, intent));
        known.last_s = now_s;
        if known.digests.len() >= DIGESTS_MAX {
            // Housekeeping alone comes here; what is forgotten would count again.
            known.digests.remove(0);
        }
        known.digests.push(digest);
        if self.intents.len() > INTENTS_MAX {
            let oldest = self.ages.pop_first();
            oldest.and_then(|(_, id)| self.intents.remove(&id));
        }
    }
}
