//! Solana RPC messages.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod common;

use base64_simd::STANDARD;
use common::{SLOT, TOKEN_PROGRAM, both, notification, vault, vault_bytes};
use proptest::prelude::*;
use utb_feeds::{AccountData, Control, DecodeError, Item, Rejected, TokenVault, account_contents};
use utb_types::Source;

const TOKEN_2022: &str = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb";

fn read(frame: &str) -> Result<Vec<Item<'_>>, DecodeError> {
    both(Source::Helius, frame.as_bytes())
}

fn only(frame: &str) -> Item<'_> {
    match read(frame).unwrap().as_slice() {
        [item] => item.clone(),
        other => panic!("{other:?}"),
    }
}

fn reason(frame: &str) -> DecodeError {
    match only(frame) {
        Item::Rejected(Rejected { index: 0, reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn test_vault_notification_gives_the_balance() {
    let frame = vault(u64::MAX - 1);
    let Item::Account(update) = only(&frame) else { panic!() };
    assert_eq!((update.subscription, update.slot), (23_784, 5_199_307));
    let expected = TokenVault { mint: [1; 32], owner: [2; 32], amount_raw: u64::MAX - 1 };
    assert_eq!(update.data, AccountData::TokenVault(expected));
}

/// The order of the JSON documentation (members sorted), with an API version.
#[test]
fn test_vault_notification_in_sorted_order_gives_the_balance() {
    let data = STANDARD.encode_to_string(vault_bytes(7, 2));
    let frame = format!(
        r#"{{"jsonrpc":"2.0","method":"accountNotification","params":{{"result":{{"context":{{"apiVersion":"2.1.0","slot":9}},"value":{{"data":["{data}","base64"],"executable":false,"lamports":1,"owner":"{TOKEN_PROGRAM}","rentEpoch":635}}}},"subscription":1}}}}"#
    );
    let Item::Account(update) = only(&frame) else { panic!() };
    assert!(matches!(update.data, AccountData::TokenVault(vault) if vault.amount_raw == 7));
}

#[test]
fn test_extended_vault_gives_the_balance_and_a_mint_does_not() {
    let mut bytes = vault_bytes(11, 1);
    bytes.extend([2, 7, 0, 0, 0]);
    let data = STANDARD.encode_to_string(&bytes);
    let frame = notification(TOKEN_2022, &data);
    let Item::Account(update) = only(&frame) else { panic!() };
    assert!(matches!(update.data, AccountData::TokenVault(vault) if vault.amount_raw == 11));
    for length in [82, 164, 355] {
        let frame = notification(TOKEN_2022, &STANDARD.encode_to_string(vec![1; length]));
        let Item::Account(update) = only(&frame) else { panic!() };
        assert!(matches!(update.data, AccountData::Unknown { len, .. } if len == length));
    }
}

#[test]
fn test_account_of_another_program_is_unknown_with_its_length() {
    let frame = notification("11111111111111111111111111111111", "AAAAAAEAAAACtzNsyJrW0g==");
    let Item::Account(update) = only(&frame) else { panic!() };
    let AccountData::Unknown { owner, len } = update.data else { panic!() };
    assert_eq!((owner.as_str(), len), ("11111111111111111111111111111111", 16));
}

#[test]
fn test_uninitialised_vault_is_refused() {
    let data = STANDARD.encode_to_string(vault_bytes(7, 0));
    assert_eq!(reason(&notification(TOKEN_PROGRAM, &data)), DecodeError::Uninitialised);
}

#[test]
fn test_other_encodings_are_refused_by_name() {
    let frame = vault(7);
    for encoding in ["base58", "base64+zstd", ""] {
        let frame = frame.replace("\"base64\"]", &format!("\"{encoding}\"]"));
        assert_eq!(reason(&frame), DecodeError::UnsupportedEncoding, "{encoding}");
    }
    let head = frame.split("\"data\":").next().unwrap();
    let tail = frame.split("\"base64\"]").nth(1).unwrap();
    for data in ["\"2R9jLfiAQ9bgdcw6h8s44439\"", r#"{"parsed":{},"program":"spl-token"}"#] {
        let frame = format!("{head}\"data\":{data}{tail}");
        assert_eq!(reason(&frame), DecodeError::UnsupportedEncoding);
    }
}

#[test]
fn test_broken_base64_is_refused_wherever_it_is() {
    let good = STANDARD.encode_to_string(vault_bytes(7, 1));
    for at in [0, 90, 219] {
        let mut data = good.clone().into_bytes();
        data[at] = b'*';
        let frame = notification(TOKEN_PROGRAM, std::str::from_utf8(&data).unwrap());
        assert_eq!(reason(&frame), DecodeError::BadEncoding);
    }
    assert_eq!(reason(&notification(TOKEN_PROGRAM, &good[..219])), DecodeError::BadEncoding);
}

#[test]
fn test_messages_about_the_connection_are_told_apart() {
    assert_eq!(only(SLOT), Item::Control(Control::Slot { slot: 76, parent: 75, root: 44 }));
    assert_eq!(
        only(r#"{"jsonrpc":"2.0","result":23784,"id":3}"#),
        Item::Control(Control::Subscribed { request: Some(3), subscription: Some(23_784) })
    );
    assert_eq!(
        only(r#"{"jsonrpc":"2.0","result":true,"id":1}"#),
        Item::Control(Control::Unsubscribed { request: Some(1) })
    );
    assert_eq!(
        read(r#"{"jsonrpc":"2.0","error":{"code":-32602,"message":"WrongSize"},"id":1}"#),
        Err(DecodeError::RejectedBySource)
    );
    assert_eq!(
        read(r#"{"jsonrpc":"2.0","method":"rootNotification","params":{"result":4}}"#),
        Err(DecodeError::Unsupported)
    );
}

#[test]
fn test_notification_without_account_is_a_wrong_shape() {
    let frame = r#"{"jsonrpc":"2.0","method":"accountNotification","params":{"result":{"context":{"slot":1},"value":null},"subscription":1}}"#;
    assert_eq!(reason(frame), DecodeError::Shape);
}

/// What [`account_contents`] reads: subscription, slot, owner, contents.
fn contents(frame: &[u8], wanted: usize) -> Result<(u64, u64, String, Vec<u8>), DecodeError> {
    let mut buffer = vec![0xaa; 1024];
    let read = account_contents(frame, &mut buffer, |_| wanted)?;
    Ok((read.subscription, read.slot, read.owner.to_string(), buffer[..read.len].to_vec()))
}

/// The same by the typed reader alone: the forward scan takes no white space.
fn typed(frame: &[u8]) -> Result<(u64, u64, String, Vec<u8>), DecodeError> {
    contents(&[b" ", frame].concat(), usize::MAX)
}

#[test]
fn test_account_contents_are_those_that_were_sent() {
    let bytes = vault_bytes(7, 1);
    let expected = (23_784, 5_199_307, TOKEN_PROGRAM.to_owned(), bytes.clone());
    assert_eq!(contents(vault(7).as_bytes(), usize::MAX), Ok(expected.clone()));
    assert_eq!(typed(vault(7).as_bytes()), Ok(expected));
    let (.., cut) = contents(vault(7).as_bytes(), 32).unwrap();
    assert_eq!((&cut[..32], cut.len()), (&bytes[..32], 165));
    assert!(cut[33..].iter().all(|byte| *byte == 0), "{cut:?}");
}

/// A server may escape what it need not; what is refused is refused all the same.
#[test]
fn test_account_contents_with_escapes_or_other_texts_agree() {
    let data = STANDARD.encode_to_string([0xff; 48]);
    for (from, to) in [
        (data.clone(), data.replace('/', "\\/")),
        (data.clone(), format!("\\u002f{}", &data[1..])),
        (data.clone(), format!("{data}\",\"base64\"],\"data\":[\"{data}")),
        (data.clone(), format!("{data}\\")),
        (data.clone(), String::new()),
        (data.clone(), "AAA=AAAA".to_owned()),
        (data.clone(), "AAAAAAB=".to_owned()),
        (data.clone(), "A".repeat(4096)),
        (TOKEN_PROGRAM.to_owned(), "Token\\u006bk".to_owned()),
        (TOKEN_PROGRAM.to_owned(), "T\u{e4}".to_owned()),
        (TOKEN_PROGRAM.to_owned(), "T\u{1}".to_owned()),
        (TOKEN_PROGRAM.to_owned(), String::new()),
        (TOKEN_PROGRAM.to_owned(), "x".repeat(129)),
        ("5199307".to_owned(), "05199307".to_owned()),
        ("2039280".to_owned(), "02039280".to_owned()),
        ("2039280".to_owned(), "2039280.5e-3".to_owned()),
        ("2039280".to_owned(), "-1".to_owned()),
        ("\"space\":165".to_owned(), "\"space\":165,\"space\":165".to_owned()),
        ("base64\"".to_owned(), "base58\"".to_owned()),
    ] {
        let frame = notification(TOKEN_PROGRAM, &data).replace(&from, &to);
        let read = contents(frame.as_bytes(), usize::MAX);
        assert_eq!(read, typed(frame.as_bytes()), "{frame}");
        assert_eq!(read.is_ok(), contents(frame.as_bytes(), 3).is_ok(), "{frame}");
    }
    let escaped = notification(TOKEN_PROGRAM, &data.replace('/', "\\/"));
    assert_eq!(contents(escaped.as_bytes(), usize::MAX).unwrap().3, [0xff; 48]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn test_account_contents_of_flipped_bytes_agree(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut bytes = vault(7).into_bytes();
        for (index, byte) in flips {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        prop_assert_eq!(contents(&bytes, usize::MAX), typed(&bytes));
    }

    /// Decoding the beginning refuses what decoding all refuses, and gives the same beginning.
    #[test]
    fn test_account_contents_are_checked_beyond_what_is_wanted(
        text in "[A-Za-z0-9+/]{0,90}={0,2}[A-Z=*\\\\ ]{0,2}",
        wanted in 0..80_usize,
    ) {
        let frame = notification(TOKEN_PROGRAM, &text);
        let whole = contents(frame.as_bytes(), usize::MAX);
        match (whole, contents(frame.as_bytes(), wanted)) {
            (Ok((.., whole)), Ok((.., part))) => {
                let wanted = wanted.min(whole.len());
                prop_assert_eq!(&part[..wanted], &whole[..wanted]);
                prop_assert_eq!(part.len(), whole.len());
                prop_assert!(part[(wanted + 2).min(part.len())..].iter().all(|byte| *byte == 0));
            }
            (whole, part) => prop_assert_eq!(whole, part),
        }
    }
}
