//! The lines of the signer's record: their form, what they come to, and how they are written anew.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::guarded::{self, refuse};
use crate::policy::{Change, Kind, State};
use crate::sign::SignError;

const FORMAT: &str = "utb-signer-record";
const VERSION: u32 = 1;
const DAY_S: u64 = 26 * 3_600;
/// Linux: another text after every start of the machine.
const BOOT_FILE: &str = "/proc/sys/kernel/random/boot_id";

pub(super) const KINDS: [Kind; 3] = [Kind::Entry, Kind::Exit, Kind::Housekeeping];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Line {
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
pub(super) struct Left {
    pub(super) spend_raw: u64,
    pub(super) transactions: u64,
}

/// Returns the first line of a wallet's record.
pub(super) fn header(wallet: &str) -> Vec<u8> {
    line(&Line::Header { format: FORMAT.into(), version: VERSION, wallet: wallet.into() })
}

/// Returns the name of this start of the machine; empty if it has none.
pub(super) fn boot() -> String {
    fs::read_to_string(BOOT_FILE).unwrap_or_default().trim().to_owned()
}

pub(super) fn line(it: &Line) -> Vec<u8> {
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

pub(super) fn signed(change: &Change) -> Line {
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
pub(super) fn read(path: &Path, mut file: &File, wallet: &str) -> Result<Vec<Line>, SignError> {
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
pub(super) fn replay(lines: &[Line], boot: &str, now_s: u64) -> (State, Vec<Line>) {
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
pub(super) fn rewrite(
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
