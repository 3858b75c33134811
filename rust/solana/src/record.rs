//! The signer's durable record: what was signed, and amounts reserved ahead of use.
//!
//! One JSON object a line. `signed` lines are written before the signature leaves and reach the
//! disk soon after; a `reserve` line is on the disk before any of what it reserves is used. So a
//! kill loses nothing: as long as the machine has not started anew since (`opened` names its boot),
//! the record is exact. A power loss can only count too much: what was reserved and is not known to
//! be used counts as used. `closed` says that nothing is open.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::guarded::{self, refuse};
use crate::policy::{Change, Kind, Limits, State};
use crate::sign::SignError;

const FORMAT: &str = "utb-signer-record";
const VERSION: u32 = 1;
const DAY_S: u64 = 26 * 3_600;
/// A reservation is this share of the day's cap, at most half of the minute's.
const RESERVE_SHARE: u64 = 32;
const RESERVE_TRANSACTIONS: u64 = 16;
/// Linux: another text after every start of the machine.
const BOOT_FILE: &str = "/proc/sys/kernel/random/boot_id";
const BALLAST_FILE: &str = "room";
/// Room for some hundred exits.
const BALLAST_BYTES: usize = 131_072;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Line {
    /// The first line.
    Header { format: String, version: u32, wallet: String },
    /// May be used from now on.
    Reserve { kind: Kind, spend_raw: u64, transactions: u64 },
    /// Was signed.
    Signed { kind: Kind, intent: String, digest: String, spend_raw: u64, at_s: u64 },
    /// Counts as used though nobody knows what for.
    Counted { kind: Kind, spend_raw: u64, transactions: u64, at_s: u64 },
    /// Nothing is reserved any more.
    Closed {},
    /// A signer goes on, since this start of the machine.
    Opened { boot: String },
}

/// What is reserved and not used, of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Left {
    spend_raw: u64,
    transactions: u64,
}

/// An open record file; one process at a time.
#[derive(Debug)]
pub struct Record {
    file: File,
    path: PathBuf,
    left: [Left; 3],
    /// Reserved and perhaps not on the disk yet: not to be used.
    ahead: [Left; 3],
    reserve_raw: u64,
    /// Bytes that are whole lines.
    length: u64,
    /// A torn line could not be cut off: nothing more is written.
    broken: bool,
}

const KINDS: [Kind; 3] = [Kind::Entry, Kind::Exit, Kind::Housekeeping];

impl Record {
    /// Opens or makes the record in a directory, and reads the state of it.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if the place is not safe, another process holds it, it is of
    /// another wallet, or a line other than the last is damaged.
    pub fn open(
        directory: &Path,
        (uid, wallet): (u32, &str),
        limits: &Limits,
        now_s: u64,
    ) -> Result<(Self, State), SignError> {
        let path = directory.join("signed.jsonl");
        let header =
            line(&Line::Header { format: FORMAT.into(), version: VERSION, wallet: wallet.into() });
        if fs::symlink_metadata(&path).is_err() {
            guarded::create(&path, uid, &header)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).mode(0o600);
        let file = guarded::open(&path, uid, &options)?;
        file.try_lock().map_err(|_| refuse(&path, "another signer holds it"))?;
        let lines = read(&path, &file, wallet)?;
        let boot = fs::read_to_string(BOOT_FILE).unwrap_or_default().trim().to_owned();
        let (state, counted) = replay(&lines, &boot, now_s);
        let file = rewrite(&path, uid, (&header, &lines, &counted, boot), &state)?;
        let reserve_raw =
            (limits.day_usdc_raw_max / RESERVE_SHARE).min(limits.minute_usdc_raw_max / 2).max(1);
        let length = file.metadata().map_err(|error| refuse(&path, error.to_string()))?.len();
        ballast(&path, uid)?;
        let left = [Left::default(); 3];
        let ahead = left;
        Ok((Self { file, path, left, ahead, reserve_raw, length, broken: false }, state))
    }

    /// Writes a signature down; what it needs beyond the reservation is reserved first.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if it cannot be written: then nothing may be signed.
    pub fn add(&mut self, change: &Change) -> Result<(), SignError> {
        let at = change.kind.index();
        let mut left = self.left.get(at).copied().unwrap_or_default();
        if left.spend_raw < change.spend_raw || left.transactions == 0 {
            let spend_raw = change.spend_raw.saturating_add(self.reserve_raw);
            let reserve =
                Line::Reserve { kind: change.kind, spend_raw, transactions: RESERVE_TRANSACTIONS };
            self.write(&reserve, change.kind)?;
            self.sync()?;
            left.spend_raw = left.spend_raw.saturating_add(spend_raw);
            left.transactions += RESERVE_TRANSACTIONS;
        }
        self.write(&signed(change), change.kind)?;
        left.spend_raw = left.spend_raw.saturating_sub(change.spend_raw);
        left.transactions = left.transactions.saturating_sub(1);
        if let Some(kept) = self.left.get_mut(at) {
            *kept = left;
        }
        Ok(())
    }

    /// Reserves for the kinds that were used and run low, so that the next signature need not wait
    /// for the disk. It may be used after [`Self::reserved`], when a [`Flusher`] has synced.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if it cannot be written.
    pub fn reserve_ahead(&mut self) -> Result<(), SignError> {
        let low = Left { spend_raw: self.reserve_raw / 2, transactions: RESERVE_TRANSACTIONS / 2 };
        for kind in KINDS {
            let left = self.left.get(kind.index()).copied().unwrap_or_default();
            let used = left != Left::default();
            let waits = self.ahead.get(kind.index()) != Some(&Left::default());
            let enough = left.spend_raw > low.spend_raw && left.transactions > low.transactions;
            if enough || waits || !used {
                continue;
            }
            let (spend_raw, transactions) = (self.reserve_raw, RESERVE_TRANSACTIONS);
            self.write(&Line::Reserve { kind, spend_raw, transactions }, kind)?;
            if let Some(ahead) = self.ahead.get_mut(kind.index()) {
                *ahead = Left { spend_raw, transactions };
            }
        }
        Ok(())
    }

    /// Takes what was reserved ahead into use: it is on the disk now.
    pub fn reserved(&mut self) {
        for (left, ahead) in self.left.iter_mut().zip(&mut self.ahead) {
            left.spend_raw = left.spend_raw.saturating_add(ahead.spend_raw);
            left.transactions = left.transactions.saturating_add(ahead.transactions);
            *ahead = Left::default();
        }
    }

    /// Returns a handle that brings what was written to the disk, for another thread.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if the file cannot be opened twice.
    pub fn flusher(&self) -> Result<Flusher, SignError> {
        let file = self.file.try_clone().map_err(|error| refuse(&self.path, error.to_string()))?;
        Ok(Flusher { file, path: self.path.clone() })
    }

    /// Brings what was written to the disk.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if the disk refuses.
    pub fn sync(&self) -> Result<(), SignError> {
        self.file.sync_data().map_err(|error| refuse(&self.path, error.to_string()))
    }

    /// Ends the record: nothing reserved counts any more.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if the disk refuses.
    pub fn close(mut self) -> Result<(), SignError> {
        self.write(&Line::Closed {}, Kind::Exit)?;
        self.sync()
    }

    fn write(&mut self, it: &Line, kind: Kind) -> Result<(), SignError> {
        let bytes = line(it);
        let error = match self.append(&bytes) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        // Exits go on when the disk is full, as long as the ballast's room lasts.
        let ballast = self.path.with_file_name(BALLAST_FILE);
        if kind == Kind::Exit && !self.broken && fs::remove_file(ballast).is_ok() {
            return self.append(&bytes);
        }
        Err(error)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), SignError> {
        if self.broken {
            return Err(refuse(&self.path, "holds a torn line"));
        }
        let written = self.file.write_all(bytes);
        match written {
            Ok(()) => self.length += bytes.len() as u64,
            Err(_) => self.broken = self.file.set_len(self.length).is_err(),
        }
        written.map_err(|error| refuse(&self.path, error.to_string()))
    }
}

/// Keeps room on the disk for the records of exits.
fn ballast(path: &Path, uid: u32) -> Result<(), SignError> {
    let ballast = path.with_file_name(BALLAST_FILE);
    if fs::symlink_metadata(&ballast).is_ok() {
        return Ok(());
    }
    guarded::create(&ballast, uid, &vec![b' '; BALLAST_BYTES]).map(drop)
}

/// Brings a record to the disk; the signer may go on meanwhile.
#[derive(Debug)]
pub struct Flusher {
    file: File,
    path: PathBuf,
}

impl Flusher {
    /// Waits until all that was written is on the disk.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if the disk refuses.
    pub fn sync(&self) -> Result<(), SignError> {
        self.file.sync_data().map_err(|error| refuse(&self.path, error.to_string()))
    }
}

fn line(it: &Line) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(it).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn hex(bytes: &[u8; 32]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn signed(change: &Change) -> Line {
    Line::Signed {
        kind: change.kind,
        intent: format!("{:016x}", change.intent),
        digest: hex(&change.digest),
        spend_raw: change.spend_raw,
        at_s: change.now_s,
    }
}

/// Returns a `signed` line as the change it was.
fn change_of(it: &Line) -> Option<Change> {
    let Line::Signed { kind, intent, digest, spend_raw, at_s } = it else { return None };
    Some(Change {
        kind: *kind,
        intent: u64::from_str_radix(intent, 16).ok()?,
        digest: unhex(digest)?,
        spend_raw: *spend_raw,
        now_s: *at_s,
    })
}

/// Reads all lines; a last one without its end was never acted on and is dropped.
fn read(path: &Path, mut file: &File, wallet: &str) -> Result<Vec<Line>, SignError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| refuse(path, error.to_string()))?;
    let whole = bytes.iter().rposition(|it| *it == b'\n').unwrap_or(0);
    let mut lines = Vec::new();
    for (at, text) in bytes.get(..whole).unwrap_or_default().split(|it| *it == b'\n').enumerate() {
        let it = serde_json::from_slice(text)
            .map_err(|error| refuse(path, format!("line {} is damaged: {error}", at + 1)))?;
        lines.push(it);
    }
    checked(path, lines, wallet)
}

fn checked(path: &Path, lines: Vec<Line>, wallet: &str) -> Result<Vec<Line>, SignError> {
    match lines.first() {
        Some(Line::Header { format, version, wallet: of })
            if format == FORMAT && *version == VERSION && of == wallet =>
        {
            Ok(lines)
        }
        Some(Line::Header { format, version, wallet: of }) => Err(refuse(
            path,
            format!("{format} {version} of wallet {of}, expected {FORMAT} {VERSION} of {wallet}"),
        )),
        _ => Err(refuse(path, format!("is no {FORMAT}"))),
    }
}

/// Folds the lines; returns the state and what counts as used without a signature known: nothing,
/// while the machine is the one that wrote them. A start of it that has no name is never the same.
fn replay(lines: &[Line], boot: &str, now_s: u64) -> (State, Vec<Line>) {
    let mut state = State::default();
    let mut left = [Left::default(); 3];
    let mut exact = false;
    for it in lines {
        match it {
            Line::Reserve { kind, spend_raw, transactions } => {
                if let Some(left) = left.get_mut(kind.index()) {
                    left.spend_raw = left.spend_raw.saturating_add(*spend_raw);
                    left.transactions = left.transactions.saturating_add(*transactions);
                }
            }
            Line::Signed { .. } => {
                if let Some(change) = change_of(it) {
                    state.apply(&change);
                    if let Some(left) = left.get_mut(change.kind.index()) {
                        left.spend_raw = left.spend_raw.saturating_sub(change.spend_raw);
                        left.transactions = left.transactions.saturating_sub(1);
                    }
                }
            }
            Line::Counted { kind, spend_raw, transactions, at_s } => {
                state.advance(*at_s);
                state.count(*kind, *spend_raw, *transactions);
            }
            Line::Closed {} => left = [Left::default(); 3],
            Line::Opened { boot: since } => exact = !boot.is_empty() && since == boot,
            Line::Header { .. } => {}
        }
    }
    state.advance(now_s);
    let at_s = state.time(now_s);
    let open = KINDS.iter().zip(left).filter(|(_, left)| !exact && *left != Left::default());
    let counted: Vec<_> = open
        .map(|(kind, Left { spend_raw, transactions })| {
            state.count(*kind, spend_raw, transactions);
            Line::Counted { kind: *kind, spend_raw, transactions, at_s }
        })
        .collect();
    (state, counted)
}

/// Writes the record anew without what no rule needs any more, and takes its place.
fn rewrite(
    path: &Path,
    uid: u32,
    (header, lines, counted, boot): (&[u8], &[Line], &[Line], String),
    state: &State,
) -> Result<File, SignError> {
    let error = |error: std::io::Error| refuse(path, error.to_string());
    let recent = |at_s: u64| at_s.saturating_add(DAY_S) > state.time(0);
    let kept = lines.iter().filter(|it| match it {
        Line::Signed { at_s, .. } => {
            recent(*at_s) || change_of(it).is_some_and(|it| state.remembers(it.intent))
        }
        Line::Counted { at_s, .. } => recent(*at_s),
        _ => false,
    });
    let mut bytes = header.to_vec();
    kept.chain(counted).for_each(|it| bytes.extend(line(it)));
    bytes.extend(line(&Line::Closed {}));
    bytes.extend(line(&Line::Opened { boot }));
    let next = path.with_extension("next");
    if next.exists() {
        fs::remove_file(&next).map_err(error)?;
    }
    let file = guarded::create(&next, uid, &bytes)?;
    file.try_lock().map_err(|_| refuse(path, "another signer holds it"))?;
    fs::rename(&next, path).map_err(error)?;
    guarded::sync_directory(path)?;
    Ok(file)
}
