//! What is said of a message that is to be signed; the message alone is believed.

use serde::{Deserialize, Serialize};

use super::code::{Code, Refusal};

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Buys with USDC; signed once.
    Entry,
    /// Sells for USDC; some attempts within one epoch.
    Exit,
    /// Neither: token accounts, wrapping, rent back.
    Housekeeping,
}

impl Kind {
    /// Returns its place among the three.
    pub fn index(self) -> usize {
        match self {
            Self::Entry => 0,
            Self::Exit => 1,
            Self::Housekeeping => 2,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    kind: Kind,
    intent_id: String,
    /// Not used: the signer counts itself.
    #[serde(rename = "attempt")]
    _attempt: u64,
}

/// A claim: kind and intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// What the transaction is said to be for.
    pub kind: Kind,
    /// The intent id; as text its 16 hex digits, in small letters.
    pub intent: u64,
}

impl Claim {
    /// Makes a claim.
    pub fn new(kind: Kind, intent: u64) -> Self {
        Self { kind, intent }
    }

    /// Reads the JSON of `utb.ports.chain.SignClaim`. The attempt's number is not used: the signer
    /// counts itself.
    ///
    /// # Errors
    ///
    /// Returns [`Code::BadClaim`] for another form.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Refusal> {
        let wire: Wire = serde_json::from_slice(bytes)
            .map_err(|error| Refusal::new(Code::BadClaim, format!("claim: {error}")))?;
        let Wire { kind, intent_id, .. } = wire;
        let plain = intent_id.len() == 16
            && intent_id.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it));
        let intent = plain.then(|| u64::from_str_radix(&intent_id, 16).ok()).flatten();
        let refusal = || Refusal::new(Code::BadClaim, "intent_id: expected 16 hex digits");
        Ok(Self { kind, intent: intent.ok_or_else(refusal)? })
    }

    /// Returns the intent id as the chain sees it.
    pub fn text(&self) -> String {
        format!("{:016x}", self.intent)
    }
}
