//! The signer: key, policy and record in one. Nothing is signed that the policy refuses or that
//! the record does not hold.

use std::path::PathBuf;

use crate::Key;
use crate::policy::{Claim, Code, Policy, PolicyConfig, Refusal, State, Verdict, check};
use crate::record::{Flusher, Record};
use crate::sign::{Library, SIGNATURE_BYTES, Seed, SignError, WalletKey};
use crate::{SolanaError, guarded};

/// Name of the file whose presence is the halt switch.
const HALT_FILE: &str = "halted";

/// Where a signer keeps its record.
#[derive(Debug, Clone)]
pub struct Place {
    /// Directory, of the user, that others cannot write into.
    pub directory: PathBuf,
    /// The user.
    pub uid: u32,
}

/// Signs what the policy lets pass.
#[expect(missing_debug_implementations, reason = "it holds the key")]
pub struct Signer {
    key: WalletKey,
    policy: Policy,
    state: State,
    record: Option<(Record, PathBuf)>,
}

impl Signer {
    /// Makes a signer. Without a place its record is in memory: for paper trading and tests.
    ///
    /// # Errors
    ///
    /// Returns the field of the configuration, or [`SignError`] for the key or the record.
    pub fn new(
        seed: &Seed,
        library: Library,
        config: &PolicyConfig,
        place: Option<(&Place, u64)>,
    ) -> Result<Self, SignerError> {
        let key = WalletKey::new(seed, library)?;
        let wallet = Key(*key.public_key());
        let policy = Policy::new(wallet, config)?;
        let Some((place, now_s)) = place else {
            return Ok(Self { key, policy, state: State::default(), record: None });
        };
        guarded::check_directory(&place.directory, place.uid)?;
        let owner = (place.uid, wallet.to_base58());
        let (record, state) =
            Record::open(&place.directory, (owner.0, owner.1.as_str()), &policy.limits, now_s)?;
        let switch = place.directory.join(HALT_FILE);
        Ok(Self { key, policy, state, record: Some((record, switch)) })
    }

    /// Returns the wallet's address.
    pub fn wallet(&self) -> Key {
        self.policy.wallet
    }

    /// Signs a message, or says why not. `now_s`: seconds of Unix time.
    ///
    /// # Errors
    ///
    /// Returns the refusal.
    pub fn sign(
        &mut self,
        message: &[u8],
        claim: &Claim,
        now_s: u64,
    ) -> Result<[u8; SIGNATURE_BYTES], Refusal> {
        if let Some((_, switch)) = &self.record {
            // A switch that cannot be looked at is on.
            self.state.halted = switch.try_exists().unwrap_or(true);
        }
        if let Verdict::Sign(change) = check(&self.policy, message, claim, &self.state, now_s)? {
            if let Some((record, _)) = &mut self.record {
                record.add(&change).map_err(|error| state_refusal(&error))?;
            }
            self.state.apply(&change);
        }
        self.key.sign(message).map_err(|error| state_refusal(&error))
    }

    /// Switches the halt on; only a local operator switches it off, by removing the file.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if the switch cannot be made; it is on in memory all the same.
    pub fn halt(&mut self, uid: u32) -> Result<(), SignError> {
        self.state.halted = true;
        match &self.record {
            Some((_, switch)) if !switch.exists() => guarded::create(switch, uid, b"").map(drop),
            _ => Ok(()),
        }
    }

    /// Returns whether the halt switch is on.
    pub fn halted(&self) -> bool {
        match &self.record {
            Some((_, switch)) => switch.try_exists().unwrap_or(true),
            None => self.state.halted,
        }
    }

    /// Reserves ahead; see [`Record::reserve_ahead`].
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if it cannot be written.
    pub fn reserve_ahead(&mut self) -> Result<(), SignError> {
        self.record.as_mut().map_or(Ok(()), |(record, _)| record.reserve_ahead())
    }

    /// Takes what was reserved ahead into use: it is on the disk now.
    pub fn reserved(&mut self) {
        if let Some((record, _)) = &mut self.record {
            record.reserved();
        }
    }

    /// Takes note that the disk failed; see [`Record::doubt`].
    pub fn doubt(&mut self) {
        if let Some((record, _)) = &mut self.record {
            record.doubt();
        }
    }

    /// Returns what brings the record to the disk beside signing; None: it is in memory.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if the file cannot be opened twice.
    pub fn flusher(&self) -> Result<Option<Flusher>, SignError> {
        self.record.as_ref().map(|(record, _)| record.flusher()).transpose()
    }

    /// Ends the record, so that nothing reserved counts at the next start.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if the disk refuses.
    pub fn close(&mut self) -> Result<(), SignError> {
        self.record.take().map_or(Ok(()), |(record, _)| record.close())
    }
}

fn state_refusal(error: &SignError) -> Refusal {
    Refusal::new(Code::State, error.to_string())
}

/// Why there is no signer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] SolanaError),
    /// The key or the record.
    #[error(transparent)]
    Sign(#[from] SignError),
}
