//! The signer's durable record: what was signed, and amounts reserved ahead of use.
//!
//! One JSON object a line. `signed` lines are written before the signature leaves and reach the
//! disk soon after; a `reserve` line is on the disk before any of what it reserves is used. So a
//! kill loses nothing: as long as the machine has not started anew since (`opened` names its boot),
//! the record is exact. A power loss can only count too much: what was reserved and is not known to
//! be used counts as used. `closed` says that nothing is open.

mod lines;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::guarded::{self, refuse};
use crate::policy::{Change, Kind, Limits, State};
use crate::sign::SignError;
use lines::{KINDS, Left, Line, boot, header, line, read, replay, rewrite, signed};

/// A reservation is this share of the day's cap, at most half of the minute's.
const RESERVE_SHARE: u64 = 32;
const RESERVE_TRANSACTIONS: u64 = 16;
const BALLAST_FILE: &str = "room";
/// Room for some hundred exits.
const BALLAST_BYTES: usize = 131_072;

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
    /// The disk has failed to take what was written: only exits are signed.
    doubted: bool,
}

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
        let header = header(wallet);
        if fs::symlink_metadata(&path).is_err() {
            guarded::create(&path, uid, &header)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).mode(0o600);
        let file = guarded::open(&path, uid, &options)?;
        file.try_lock().map_err(|_| refuse(&path, "another signer holds it"))?;
        let lines = read(&path, &file, wallet)?;
        let boot = boot();
        let (state, counted) = replay(&lines, &boot, now_s);
        let file = rewrite(&path, uid, (&header, &lines, &counted, boot), &state)?;
        let reserve_raw =
            (limits.day_usdc_raw_max / RESERVE_SHARE).min(limits.minute_usdc_raw_max / 2).max(1);
        let length = file.metadata().map_err(|error| refuse(&path, error.to_string()))?.len();
        ballast(&path, uid)?;
        let left = [Left::default(); 3];
        let ahead = left;
        Ok((
            Self { file, path, left, ahead, reserve_raw, length, broken: false, doubted: false },
            state,
        ))
    }

    /// Writes a signature down; what it needs beyond the reservation is reserved first.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if it cannot be written: then nothing may be signed.
    pub fn add(&mut self, change: &Change) -> Result<(), SignError> {
        if self.doubted && change.kind != Kind::Exit {
            return Err(refuse(&self.path, "its disk failed: only exits until the next start"));
        }
        let at = change.kind.index();
        let mut left = self.left.get(at).copied().unwrap_or_default();
        if left.spend_raw < change.spend_raw || left.transactions == 0 {
            let spend_raw = change.spend_raw.saturating_add(self.reserve_raw);
            let reserve =
                Line::Reserve { kind: change.kind, spend_raw, transactions: RESERVE_TRANSACTIONS };
            self.write(&reserve, change.kind)?;
            self.sync().inspect_err(|_| self.doubt())?;
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

    /// Takes note that the disk failed to take what was written, and may have lost it: only exits
    /// are signed from now on, and the next start counts everything that was reserved.
    pub fn doubt(&mut self) {
        if !self.doubted {
            self.doubted = true;
            // No start of the machine has an empty name. On a disk that fails this may be lost too.
            let _ = self.append(&line(&Line::Opened { boot: String::new() }));
        }
    }

    /// Ends the record: nothing reserved counts any more.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::File`] if the disk refuses.
    pub fn close(mut self) -> Result<(), SignError> {
        if self.doubted {
            return self.sync();
        }
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
    if let Ok(it) = fs::symlink_metadata(&ballast) {
        if it.len() >= BALLAST_BYTES as u64 {
            return Ok(());
        }
        // Made when the disk was full: it has no room.
        fs::remove_file(&ballast).map_err(|error| refuse(&ballast, error.to_string()))?;
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
