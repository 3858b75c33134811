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
use utb_feeds::{AccountData, Control, DecodeError, Item, Rejected, TokenVault};
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
