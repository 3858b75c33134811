//! What goes into the triggers at a close, and what they tell.

use serde::{Deserialize, Serialize};
use utb_types::{STRATEGY_COUNT, TfFeatures, TriggerKind, Value, Vote};

use super::MoveCause;

/// A trigger that fired. Full exits are in flight until the position is armed, released or disarmed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fired {
    /// Position.
    pub position_id: u64,
    /// Dense instrument index.
    pub instrument: u32,
    /// What fired.
    pub kind: TriggerKind,
    /// Time of the price, nanoseconds.
    pub ts_ns: i64,
    /// The price that fired it.
    pub price: f64,
    /// The level that was reached; absent for an early exit.
    pub level: Value,
    /// Share of the position to sell, 0..1.
    pub fraction: f64,
}

/// A stop or target that moved. Trailing between closes is told at the close.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// Position.
    pub position_id: u64,
    /// Dense instrument index.
    pub instrument: u32,
    /// Time of the move, nanoseconds.
    pub ts_ns: i64,
    /// Stop price now.
    pub stop: f64,
    /// Target price now.
    pub target: Value,
    /// The last rule that moved one of them.
    pub cause: MoveCause,
}

/// Why a position could not be armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArmError {
    /// Another position of the instrument is armed (one position per instrument).
    Taken {
        /// The position that is armed.
        position_id: u64,
    },
    /// A price of the position is not a finite number, so its stop could never fire.
    NotFinite,
}

impl std::fmt::Display for ArmError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Taken { position_id } => {
                write!(formatter, "position {position_id} is armed on this instrument")
            }
            Self::NotFinite => formatter.write_str("a price of the position is not finite"),
        }
    }
}

impl std::error::Error for ArmError {}

/// A close of the strategy timeframe, as the triggers see it.
#[derive(Clone, Copy, Debug)]
pub struct Close<'a> {
    /// Dense instrument index.
    pub instrument: u32,
    /// Time of the event that closed the bar, nanoseconds.
    pub ts_ns: i64,
    /// Features of the closed bar.
    pub tf: &'a TfFeatures,
    /// Votes on it: the lead's `exit_long` leaves early.
    pub votes: &'a [Vote; STRATEGY_COUNT],
}
