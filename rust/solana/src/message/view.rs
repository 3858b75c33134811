//! A message read in place: nothing is copied, everything is checked before the view exists.

use super::{ACCOUNTS_MAX, Header, SIGNATURE_BYTES, TRANSACTION_BYTES_MAX, VERSION_0, Version};
use crate::key::{KEY_BYTES, Key};
use crate::{SolanaError, short_vec};

/// A message whose bounds, counts and indices are valid.
///
/// Every account index of every instruction names an account; every program is a static key and
/// not the fee payer; the fee payer signs and is writable; no bytes follow the message. Two static
/// keys may still be equal ([`MessageView::duplicate`]): the runtime refuses that, not the format.
#[derive(Clone, Copy, Debug)]
pub struct MessageView<'a> {
    bytes: &'a [u8],
    version: Version,
    header: Header,
    keys: &'a [[u8; KEY_BYTES]],
    blockhash: &'a [u8; KEY_BYTES],
    instructions: Region<'a>,
    lookups: Region<'a>,
    loaded_writable: usize,
    loaded_readonly: usize,
}

/// One instruction of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstructionView<'a> {
    /// Static index of the program.
    pub program: u8,
    /// Account indices, in the program's order.
    pub accounts: &'a [u8],
    /// The instruction's data.
    pub data: &'a [u8],
    /// Where the data starts in the message.
    pub data_offset: usize,
}

/// One lookup table of a message and which of its entries are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupView<'a> {
    /// Address of the table.
    pub table: &'a [u8; KEY_BYTES],
    /// Entries loaded as writable accounts.
    pub writable: &'a [u8],
    /// Entries loaded as read-only accounts.
    pub readonly: &'a [u8],
}

/// Where an account of a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A key in the message.
    Static(Key),
    /// An entry of a lookup table.
    Table {
        /// Address of the table.
        table: Key,
        /// Entry in it.
        entry: u8,
    },
}

#[derive(Clone, Copy, Debug)]
struct Region<'a> {
    bytes: &'a [u8],
    offset: usize,
    count: usize,
}

impl<'a> MessageView<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError`] with the field for bytes that are no valid message, and
    /// [`SolanaError::UnsupportedVersion`] for every version but 0.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SolanaError> {
        let limit = TRANSACTION_BYTES_MAX - SIGNATURE_BYTES - 1;
        if bytes.len() > limit {
            return Err(SolanaError::range("message length", bytes.len(), format!("<= {limit}")));
        }
        let mut reader = Reader { bytes, at: 0 };
        let version = version(bytes)?;
        if version == Version::V0 {
            reader.take(1, "version")?;
        }
        let [signers, readonly_signers, readonly_others] = *reader.array::<3>("header")?;
        let header = Header { signers, readonly_signers, readonly_others };
        let count = reader.count("static keys")?;
        let (keys, _) = reader.take(count * KEY_BYTES, "static keys")?.as_chunks();
        let blockhash = reader.array("blockhash")?;
        let instructions = reader.region("instructions", |it| it.instruction().map(drop))?;
        let lookups = match version {
            Version::Legacy => Region { bytes: &[], offset: reader.at, count: 0 },
            Version::V0 => reader.region("lookups", |it| it.lookup().map(drop))?,
        };
        if reader.at < bytes.len() {
            return Err(SolanaError::Trailing { field: "message", count: bytes.len() - reader.at });
        }
        let mut view = Self {
            bytes,
            version,
            header,
            keys,
            blockhash,
            instructions,
            lookups,
            loaded_writable: 0,
            loaded_readonly: 0,
        };
        view.loaded_writable = view.lookups().map(|it| it.writable.len()).sum();
        view.loaded_readonly = view.lookups().map(|it| it.readonly.len()).sum();
        view.check()?;
        Ok(view)
    }

    /// Returns the message's bytes: what is signed.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the format.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the header.
    pub fn header(&self) -> Header {
        self.header
    }

    /// Returns the keys in the message, the fee payer first.
    pub fn static_keys(&self) -> &'a [[u8; KEY_BYTES]] {
        self.keys
    }

    /// Returns a key in the message; None for an index beyond them (a loaded account or nothing).
    pub fn key(&self, index: u8) -> Option<Key> {
        self.keys.get(usize::from(index)).copied().map(Key)
    }

    /// Returns the account that pays the fee.
    pub fn fee_payer(&self) -> Option<Key> {
        self.key(0)
    }

    /// Returns the blockhash, or the nonce of a durable transaction.
    pub fn blockhash(&self) -> Key {
        Key(*self.blockhash)
    }

    /// Returns how many accounts the message has, loaded ones included.
    pub fn account_count(&self) -> usize {
        self.keys.len() + self.loaded_writable + self.loaded_readonly
    }

    /// Returns the number of instructions.
    pub fn instruction_count(&self) -> usize {
        self.instructions.count
    }

    /// Returns the instructions in order.
    pub fn instructions(&self) -> impl Iterator<Item = InstructionView<'a>> + use<'a> {
        self.instructions.each(Reader::instruction)
    }

    /// Returns the lookups in order.
    pub fn lookups(&self) -> impl Iterator<Item = LookupView<'a>> + use<'a> {
        self.lookups.each(Reader::lookup)
    }

    /// Returns whether an account signs; loaded accounts never do.
    pub fn is_signer(&self, index: u8) -> bool {
        index < self.header.signers
    }

    /// Returns whether an account is writable.
    pub fn is_writable(&self, index: u8) -> bool {
        let at = usize::from(index);
        let signers = usize::from(self.header.signers);
        if at < signers {
            at < signers - usize::from(self.header.readonly_signers)
        } else if at < self.keys.len() {
            at < self.keys.len() - usize::from(self.header.readonly_others)
        } else {
            at < self.keys.len() + self.loaded_writable
        }
    }

    /// Returns where an account comes from; None for an index that names nothing.
    pub fn source(&self, index: u8) -> Option<Source> {
        if let Some(key) = self.key(index) {
            return Some(Source::Static(key));
        }
        let loaded = usize::from(index) - self.keys.len();
        let (at, writable) = match loaded.checked_sub(self.loaded_writable) {
            Some(at) => (at, false),
            None => (loaded, true),
        };
        let entries = self.lookups().flat_map(|lookup| {
            let entries = if writable { lookup.writable } else { lookup.readonly };
            entries
                .iter()
                .map(move |entry| Source::Table { table: Key(*lookup.table), entry: *entry })
        });
        entries.skip(at).fold(None, |first, it| first.or(Some(it)))
    }

    /// Returns a static key that appears twice.
    pub fn duplicate(&self) -> Option<Key> {
        let earlier = |(at, key): (usize, &[u8; KEY_BYTES])| {
            self.keys.iter().take(at).any(|it| it == key).then_some(Key(*key))
        };
        self.keys.iter().enumerate().find_map(earlier)
    }

    /// Checks counts and indices against each other.
    fn check(&self) -> Result<(), SolanaError> {
        let Header { signers, readonly_signers, readonly_others } = self.header;
        if readonly_signers >= signers {
            let expected = format!("< {signers}, the signers: the fee payer signs and is writable");
            return Err(SolanaError::range("read-only signers", readonly_signers, expected));
        }
        let static_count = self.keys.len();
        if usize::from(signers) + usize::from(readonly_others) > static_count {
            let value = format!("{signers} signers and {readonly_others} read-only others");
            return Err(SolanaError::range("header", value, format!("<= {static_count} keys")));
        }
        let accounts = self.account_count();
        if accounts > ACCOUNTS_MAX {
            return Err(SolanaError::range("accounts", accounts, "<= 256"));
        }
        for lookup in self.lookups() {
            if lookup.writable.is_empty() && lookup.readonly.is_empty() {
                let table = Key(*lookup.table);
                return Err(SolanaError::range(
                    "lookup",
                    table,
                    "a table of which something loads",
                ));
            }
        }
        for instruction in self.instructions() {
            let program = instruction.program;
            if program == 0 || usize::from(program) >= static_count {
                let expected = format!("in 1..{static_count}: a static key, not the fee payer");
                return Err(SolanaError::range("program index", program, expected));
            }
            if let Some(index) =
                instruction.accounts.iter().find(|index| usize::from(**index) >= accounts)
            {
                return Err(SolanaError::range("account index", index, format!("< {accounts}")));
            }
        }
        Ok(())
    }
}

fn version(bytes: &[u8]) -> Result<Version, SolanaError> {
    match bytes.first() {
        None => Err(SolanaError::Truncated { field: "message", available: 0, needed: 1 }),
        Some(&VERSION_0) => Ok(Version::V0),
        Some(first) if *first < VERSION_0 => Ok(Version::Legacy),
        Some(first) => Err(SolanaError::UnsupportedVersion { version: first - VERSION_0 }),
    }
}

#[derive(Clone, Debug)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, needed: usize, field: &'static str) -> Result<&'a [u8], SolanaError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..needed).ok_or(SolanaError::Truncated {
            field,
            available: rest.len(),
            needed,
        })?;
        self.at += needed;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<&'a [u8; N], SolanaError> {
        let rest = self.take(N, field)?;
        rest.first_chunk().ok_or(SolanaError::Truncated { field, available: 0, needed: N })
    }

    fn count(&mut self, field: &'static str) -> Result<usize, SolanaError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (count, taken) = short_vec::read(rest).map_err(|error| match error {
            SolanaError::Truncated { available, needed, .. } => {
                SolanaError::Truncated { field, available, needed }
            }
            other => other,
        })?;
        self.at += taken;
        Ok(usize::from(count))
    }

    fn counted(&mut self, field: &'static str) -> Result<&'a [u8], SolanaError> {
        let count = self.count(field)?;
        self.take(count, field)
    }

    fn instruction(&mut self) -> Result<InstructionView<'a>, SolanaError> {
        let [program] = *self.array("program index")?;
        let accounts = self.counted("account indices")?;
        let data = self.counted("instruction data")?;
        Ok(InstructionView { program, accounts, data, data_offset: self.at - data.len() })
    }

    fn lookup(&mut self) -> Result<LookupView<'a>, SolanaError> {
        let table = self.array("lookup table")?;
        let writable = self.counted("writable lookups")?;
        let readonly = self.counted("read-only lookups")?;
        Ok(LookupView { table, writable, readonly })
    }

    /// Reads a counted list once and keeps where it lies.
    fn region(
        &mut self,
        field: &'static str,
        item: impl Fn(&mut Self) -> Result<(), SolanaError>,
    ) -> Result<Region<'a>, SolanaError> {
        let count = self.count(field)?;
        let offset = self.at;
        for _ in 0..count {
            item(self)?;
        }
        let bytes = self.bytes.get(..self.at).unwrap_or_default();
        Ok(Region { bytes, offset, count })
    }
}

impl<'a> Region<'a> {
    /// Iterates over items that were read once without an error.
    fn each<T>(
        self,
        item: impl Fn(&mut Reader<'a>) -> Result<T, SolanaError>,
    ) -> impl Iterator<Item = T> {
        let mut reader = Reader { bytes: self.bytes, at: self.offset };
        (0..self.count).map_while(move |_| item(&mut reader).ok())
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
