//! Why a frame or an item is refused.

use thiserror::Error;

/// Reason a frame, or one item of it, is refused. Refusals are counted by [`DecodeError::reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The frame is longer than [`crate::FRAME_BYTES_MAX`].
    #[error("frame is {bytes} bytes, must be at most {}", crate::FRAME_BYTES_MAX)]
    TooLarge {
        /// Length of the frame.
        bytes: usize,
    },
    /// The frame nests deeper than [`crate::DEPTH_MAX`].
    #[error("frame nests deeper than {} levels", crate::DEPTH_MAX)]
    TooDeep,
    /// The frame is not UTF-8.
    #[error("frame is not UTF-8")]
    NotUtf8,
    /// The frame is not JSON: broken, truncated, or followed by other bytes.
    #[error("frame is not JSON")]
    NotJson,
    /// A required field is missing or has another type than the source documents.
    #[error("a field is missing or has the wrong type")]
    Shape,
    /// A number is not finite, or outside the range its meaning allows.
    #[error("a number is outside its range")]
    Range,
    /// A bar's open time is not on the grid of its timeframe.
    #[error("bar time is not aligned to its timeframe")]
    Unaligned,
    /// A transaction that failed on chain moved nothing.
    #[error("transaction failed on chain")]
    FailedTransaction,
    /// A message, timeframe or trade side this system does not keep.
    #[error("kind is not supported")]
    Unsupported,
    /// Account data in another encoding than `base64` (`base58`, `base64+zstd`, `jsonParsed`).
    #[error("account encoding is not base64")]
    UnsupportedEncoding,
    /// Account data that is not what its encoding says.
    #[error("account data is not valid base64")]
    BadEncoding,
    /// The account is there but was never initialised.
    #[error("account is not initialised")]
    Uninitialised,
    /// The source answered with an error of its own.
    #[error("source refused the request")]
    RejectedBySource,
}

impl DecodeError {
    /// Returns the stable short name under which refusals are counted.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::TooDeep => "too_deep",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::Shape => "shape",
            Self::Range => "range",
            Self::Unaligned => "unaligned",
            Self::FailedTransaction => "failed_transaction",
            Self::Unsupported => "unsupported",
            Self::UnsupportedEncoding => "unsupported_encoding",
            Self::BadEncoding => "bad_encoding",
            Self::Uninitialised => "uninitialised",
            Self::RejectedBySource => "rejected_by_source",
        }
    }
}
