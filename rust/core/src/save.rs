//! The state as bytes: a header that says what it belongs to, then postcard.

use crate::CoreError;
use crate::instrument::hash;
use crate::pipeline::Pipeline;
use crate::state::State;

/// First bytes of a state.
const MAGIC: [u8; 4] = *b"UTBS";
/// Grows with every change of what the state holds.
const VERSION: u32 = 2;
/// Bytes of the header: magic, version, fingerprint, checksum.
const HEADER: usize = 24;

impl Pipeline {
    /// Returns the whole state. Bindings, logs and events that were not read are not part of it.
    ///
    /// # Errors
    ///
    /// Returns what the encoder says; memory is its only reason.
    pub fn save(&self) -> Result<Vec<u8>, CoreError> {
        let mut bytes = vec![0; HEADER];
        bytes = postcard::to_extend(&self.state, bytes)
            .map_err(|error| CoreError::document("state", error))?;
        let checksum = bytes.get(HEADER..).map_or(0, hash);
        let header = [
            MAGIC.as_slice(),
            &VERSION.to_le_bytes(),
            &self.fingerprint().to_le_bytes(),
            &checksum.to_le_bytes(),
        ]
        .concat();
        if let Some(place) = bytes.get_mut(..HEADER) {
            place.copy_from_slice(&header);
        }
        Ok(bytes)
    }

    /// Takes the place of the state; on an error nothing changes. The parameters stay those of
    /// this pipeline.
    ///
    /// # Errors
    ///
    /// Returns what does not match: version, instruments, timeframes, windows, or a broken state.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), CoreError> {
        let word = |at: usize| {
            let word = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>());
            word.map(|word| u64::from_le_bytes(*word)).unwrap_or_default()
        };
        let mismatch = |field, value: String, expected: String| {
            Err(CoreError::State { field, value, expected })
        };
        if bytes.len() < HEADER || !bytes.starts_with(&MAGIC) {
            let value = format!("{} other bytes", bytes.len());
            return mismatch("magic", value, "UTBS".to_owned());
        }
        let version = word(0) >> 32;
        if version != u64::from(VERSION) {
            return mismatch("version", version.to_string(), VERSION.to_string());
        }
        let (fingerprint, own) = (word(8), self.fingerprint());
        if fingerprint != own {
            let expected = format!("{own:016x}, of these instruments, timeframes and windows");
            return mismatch("fingerprint", format!("{fingerprint:016x}"), expected);
        }
        let body = bytes.get(HEADER..).unwrap_or_default();
        if word(16) != hash(body) {
            return mismatch(
                "checksum",
                format!("{:016x}", word(16)),
                format!("{:016x}", hash(body)),
            );
        }
        let state: State =
            postcard::from_bytes(body).map_err(|error| CoreError::document("state", error))?;
        self.state = state;
        self.events.clear();
        self.apply_params();
        Ok(())
    }

    /// Returns a number that differs between states that cannot take each other's place.
    fn fingerprint(&self) -> u64 {
        let params = &self.params;
        let words = [
            self.registry.fingerprint(),
            self.input as u64,
            params.timeframe as u64,
            u64::from(params.stat_window_bars),
            u64::from(params.reversion_horizon_bars),
            u64::from(params.ensemble.diversity_window),
        ];
        hash(bytemuck::cast_slice(&words))
    }
}
