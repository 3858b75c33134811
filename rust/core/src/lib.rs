//! Composition of feeds and signals: frames and recorded events in, decisions and fired triggers
//! out.
//!
//! [`Pipeline`] is deterministic: it reads no clock, opens nothing, draws nothing at random. The
//! same calls with the same arguments give the same events, bit for bit, whether they come as
//! frames through [`Pipeline::ingest`] or as records through [`Replay`].

mod arming;
mod bindings;
mod builder;
mod columns;
mod correlation;
mod durations;
mod error;
mod evaluate;
mod event;
mod feed;
mod ingest;
mod instrument;
mod log;
mod market;
mod pipeline;
mod pool;
mod pool_feed;
mod portfolio;
mod price_value;
mod records;
mod replay;
mod save;
mod stages;
mod state;
mod view;
mod wire;

pub use builder::{
    Built, ChainOrder, Guard, LegRequest, OrderLeg, OrderRequest, Tip, TransactionBuilder,
    instruction_named, read_instructions, read_tables, write_instruction,
};
pub use columns::{indicators, indicators_peek, patterns, resample};
pub use correlation::{HourCloses, correlation};
pub use durations::{BOUND_COUNT, BOUNDS_NS, StageSummary};
pub use error::CoreError;
pub use event::{Decision, DecisionFeatures, EngineEvent};
pub use instrument::{AddressTable, Instrument, Registry};
pub use log::{BarRecord, EquityRecord, LogKind, VoteRecord};
pub use pipeline::Pipeline;
pub use pool_feed::{Fed, PoolFeed};
pub use price_value::price_value;
pub use records::{BarColumns, EVENTS_PER_BAR, RecordedBar, events_of, explode, merge};
pub use replay::Replay;
pub use stages::{NO_INSTRUMENT, STAGE_COUNT, STAGES, StageLog, StageRecord, duration};
pub use state::Mark;
pub use wire::encode;
