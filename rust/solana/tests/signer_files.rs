//! Key files and the signer's record on a real disk: what is refused, kept and over-counted.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use utb_solana::keystore;
use utb_solana::policy::{Change, Kind, Limits, State};
use utb_solana::record::Record;
use utb_solana::sign::{Seed, SignError};
use zeroize::Zeroizing;

const PASSPHRASE: &[u8] = b"correct horse battery";
const NOW_S: u64 = 1_800_000_000;
const WALLET: &str = "FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF";
const LIMITS: Limits = Limits {
    sol_usdc_raw_min: 1,
    sol_usdc_raw_max: 1,
    transaction_usdc_raw_max: 1_000,
    minute_usdc_raw_max: 10_000,
    day_usdc_raw_max: 16_000,
    transactions_per_minute_max: 100,
    fee_lamports_max: 1,
    tip_lamports_max: 1,
    guard_lamports_max: 1,
    exit_attempts_max: 4,
    slippage_bps_max: 1,
    foreign_tables: false,
};

fn home(name: &str) -> (PathBuf, u32) {
    let path = std::env::temp_dir().join(format!("utb-{name}-{}", std::process::id()));
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
    let uid = fs::metadata(&path).unwrap().uid();
    (path, uid)
}

fn seed() -> Seed {
    Seed::new(Zeroizing::new(std::array::from_fn(|at| u8::try_from(at).unwrap())))
}

fn refusal<T>(result: Result<T, SignError>) -> String {
    result.err().map(|it| it.to_string()).unwrap()
}

fn plain(path: &Path, mode: u32) {
    let secret: Vec<u8> = (0..32).collect();
    let pair = [secret, seed().public_key().to_vec()].concat();
    fs::write(path, serde_json::to_vec(&pair).unwrap()).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn keystore_opens_with_its_passphrase_alone() {
    let (home, uid) = home("keystore");
    let path = home.join("wallet.json");
    keystore::save(&path, uid, &seed(), PASSPHRASE).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(keystore::describe(&path, uid).unwrap(), (true, WALLET.into()));
    let loaded = keystore::load(&path, uid, Some(PASSPHRASE)).ok().unwrap();
    assert_eq!((loaded.seed.public_key(), loaded.plain), (seed().public_key(), false));
    let wrong = keystore::load(&path, uid, Some(b"correct horse batterz"));
    assert_eq!(wrong.err(), Some(SignError::Passphrase));
    assert!(refusal(keystore::load(&path, uid, None)).contains("no passphrase"));
    assert!(refusal(keystore::save(&path, uid, &seed(), PASSPHRASE)).contains("exists"));
    assert!(
        refusal(keystore::save(&home.join("b"), uid, &seed(), b"short")).contains("at least 8")
    );
}

#[test]
fn altered_keystore_is_refused() {
    let (home, uid) = home("altered");
    let path = home.join("wallet.json");
    keystore::save(&path, uid, &seed(), PASSPHRASE).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let alterations = [
        (WALLET.to_string(), "So11111111111111111111111111111111111111112".to_string()),
        ("\"passes\": 3".into(), "\"passes\": 4".into()),
        ("\"passes\": 3".into(), "\"passes\": 2".into()),
        ("65536".into(), "1024".into()),
        ("65536".into(), "4294967295".into()),
        ("\"version\": 1".into(), "\"version\": 2".into()),
        ("argon2id".into(), "argon2i".into()),
        ("\"salt\": \"".into(), "\"salt\": \"AAAA".into()),
        ("\"format\"".into(), "\"surplus\": 1, \"format\"".into()),
    ];
    for (from, to) in alterations {
        let changed = text.replacen(&from, &to, 1);
        assert_ne!(changed, text);
        fs::write(&path, changed).unwrap();
        assert!(keystore::load(&path, uid, Some(PASSPHRASE)).is_err(), "{from} -> {to}");
    }
}

#[test]
fn plain_file_is_read_and_its_numbers_never_shown() {
    let (home, uid) = home("plain");
    let path = home.join("id.json");
    plain(&path, 0o600);
    assert!(keystore::load(&path, uid, None).ok().unwrap().plain);
    for text in ["[1,2,3]", "[300,2]", "[\"19\",7]", "[4,4,4", "[]"] {
        fs::write(&path, text).unwrap();
        let said = refusal(keystore::load(&path, uid, None));
        assert_eq!(said, "keystore: expected a list of 64 bytes");
    }
}

#[test]
fn unsafe_places_are_refused_with_their_reason() {
    let (home, uid) = home("places");
    let path = home.join("id.json");
    for mode in [0o640, 0o604, 0o620, 0o666] {
        plain(&path, mode);
        assert!(refusal(keystore::load(&path, uid, None)).contains("chmod 600"));
    }
    plain(&path, 0o600);
    assert!(refusal(keystore::load(&path, uid + 1, None)).contains("belongs to user"));
    symlink(&path, home.join("link.json")).unwrap();
    assert!(refusal(keystore::load(&home.join("link.json"), uid, None)).contains("symbolic link"));
    fs::create_dir(home.join("inner")).unwrap();
    assert!(refusal(keystore::load(&home.join("inner"), uid, None)).contains("no regular file"));
    fs::set_permissions(&home, Permissions::from_mode(0o720)).unwrap();
    assert!(refusal(keystore::load(&path, uid, None)).contains("chmod go-w"));
    fs::set_permissions(&home, Permissions::from_mode(0o700)).unwrap();
    fs::write(&path, vec![b'['; 70_000]).unwrap();
    assert!(refusal(keystore::load(&path, uid, None)).contains("longer than"));
}

fn change(intent: u64, spend_raw: u64) -> Change {
    let digest = [u8::try_from(intent).unwrap(); 32];
    Change { kind: Kind::Entry, intent, digest, spend_raw, now_s: NOW_S }
}

fn open(home: &Path, uid: u32) -> (Record, State) {
    Record::open(home, (uid, WALLET), &LIMITS, NOW_S).unwrap()
}

#[test]
fn record_closed_in_order_counts_exactly() {
    let (home, uid) = home("closed");
    let (mut record, _) = open(&home, uid);
    record.add(&change(1, 300)).unwrap();
    record.add(&change(2, 400)).unwrap();
    record.close().unwrap();
    let (_record, state) = open(&home, uid);
    assert_eq!(state.used(Kind::Entry, NOW_S).day_raw, 700);
    assert!(state.remembers(1) && state.remembers(2) && !state.remembers(3));
}

/// Makes the record one of an earlier start of the machine.
fn boot_anew(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let boot = text.rfind("{\"opened\"").unwrap();
    let end = boot + text[boot..].find('\n').unwrap();
    fs::write(path, [&text[..boot], "{\"opened\":{\"boot\":\"earlier\"}}", &text[end..]].concat())
        .unwrap();
}

#[test]
fn killed_record_counts_exactly() {
    let (home, uid) = home("killed");
    for intent in 1..=9 {
        let (mut record, _) = open(&home, uid);
        record.add(&change(intent, 300)).unwrap();
        record.reserve_ahead().unwrap();
        drop(record);
    }
    let (_record, state) = open(&home, uid);
    let used = state.used(Kind::Entry, NOW_S);
    assert_eq!((used.day_raw, used.transactions), (2_700, 9));
}

/// A reservation is 1/32 of the day's cap beyond what is needed: 300 + 500, of which 300 were
/// used. After a power loss the rest counts as used, and it still does after the next start.
#[test]
fn record_counts_what_was_reserved_before_a_power_loss() {
    let (home, uid) = home("power");
    for _ in 0..2 {
        let (mut record, _) = open(&home, uid);
        if !fs::read_to_string(home.join("signed.jsonl")).unwrap().contains("signed\":") {
            record.add(&change(1, 300)).unwrap();
        }
        drop(record);
        boot_anew(&home.join("signed.jsonl"));
    }
    let (_record, state) = open(&home, uid);
    assert_eq!(state.used(Kind::Entry, NOW_S).day_raw, 800);
    assert_eq!(state.used(Kind::Entry, NOW_S).transactions, 16);
    assert_eq!(state.used(Kind::Exit, NOW_S).day_raw, 0);
}

/// The disk may have lost lines though the machine runs on: the next start counts the worst.
#[test]
fn record_whose_disk_failed_takes_exits_only_and_counts_what_was_reserved() {
    let (home, uid) = home("doubted");
    let (mut record, _) = open(&home, uid);
    record.add(&change(1, 300)).unwrap();
    record.doubt();
    assert!(refusal(record.add(&change(2, 1))).contains("only exits"));
    record.add(&Change { kind: Kind::Exit, ..change(3, 1) }).unwrap();
    record.close().unwrap();
    let (_record, state) = open(&home, uid);
    assert_eq!(state.used(Kind::Entry, NOW_S).day_raw, 800);
    assert!(state.remembers(3) && !state.remembers(2));
}

#[test]
fn room_that_a_full_disk_cut_short_is_made_anew() {
    let (home, uid) = home("room");
    let room = home.join("room");
    drop(open(&home, uid));
    let whole = fs::metadata(&room).unwrap().len();
    OpenOptions::new().write(true).open(&room).unwrap().set_len(7).unwrap();
    drop(open(&home, uid));
    assert_eq!(fs::metadata(&room).unwrap().len(), whole);
}

/// Whatever a power loss cuts off the end, no count is below what was signed.
#[test]
fn record_cut_anywhere_after_a_reservation_never_counts_less() {
    let (home, uid) = home("cut");
    let (mut record, _) = open(&home, uid);
    let path = home.join("signed.jsonl");
    record.add(&change(1, 300)).unwrap();
    record.add(&change(2, 400)).unwrap();
    record.reserve_ahead().unwrap();
    record.flusher().unwrap().sync().unwrap();
    record.reserved();
    record.add(&change(3, 400)).unwrap();
    drop(record);
    boot_anew(&path);
    let text = fs::read_to_string(&path).unwrap();
    let reserved = text.rfind("{\"signed\"").unwrap();
    assert_eq!(text.matches("reserve").count(), 2);
    let whole = fs::read(&path).unwrap();
    for length in reserved..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let (record, state) = open(&home, uid);
        assert!(state.used(Kind::Entry, NOW_S).day_raw >= 1_100, "cut at {length}");
        drop(record);
    }
}

#[test]
fn damaged_or_foreign_record_stops_the_start() {
    let (home, uid) = home("damaged");
    let (mut record, _) = open(&home, uid);
    record.add(&change(1, 300)).unwrap();
    assert!(refusal(Record::open(&home, (uid, WALLET), &LIMITS, NOW_S)).contains("another signer"));
    drop(record);
    let other = "So11111111111111111111111111111111111111112";
    assert!(refusal(Record::open(&home, (uid, other), &LIMITS, NOW_S)).contains("of wallet"));
    let path = home.join("signed.jsonl");
    let text = fs::read_to_string(&path).unwrap().replacen("signed\":", "sign\":", 1);
    fs::write(&path, text).unwrap();
    assert!(refusal(Record::open(&home, (uid, WALLET), &LIMITS, NOW_S)).contains("is damaged"));
}

#[test]
fn torn_line_is_dropped_and_the_next_start_goes_on() {
    let (home, uid) = home("torn");
    let (mut record, _) = open(&home, uid);
    record.add(&change(1, 300)).unwrap();
    drop(record);
    let mut file: File = OpenOptions::new().append(true).open(home.join("signed.jsonl")).unwrap();
    file.write_all(b"{\"signed\":{\"kind\":\"ent").unwrap();
    let (mut record, _) = open(&home, uid);
    record.add(&change(2, 300)).unwrap();
    drop(record);
    let (_record, state) = open(&home, uid);
    assert!(state.remembers(1) && state.remembers(2));
}

/// 26 hours later the day's amounts are gone and the intents are not.
#[test]
fn old_lines_are_left_out_of_the_counts_and_kept_for_their_intents() {
    let (home, uid) = home("old");
    let (mut record, _) = open(&home, uid);
    record.add(&change(1, 300)).unwrap();
    record.close().unwrap();
    let later = NOW_S + 27 * 3_600;
    for _ in 0..2 {
        let (record, state) = Record::open(&home, (uid, WALLET), &LIMITS, later).unwrap();
        assert_eq!(state.used(Kind::Entry, later).day_raw, 0);
        assert!(state.remembers(1));
        record.close().unwrap();
    }
}
