//! Golden vectors made with solders 0.29.0 (transfer of 1 lamport from the key of seed 00..1f).

use super::*;

const PAYER: &str = "FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF";

fn payer() -> Key {
    Key::from_base58(PAYER).unwrap()
}

fn transfer_body(destination: bool) -> Vec<u8> {
    let mut bytes = vec![1, 0, 1, 2 + u8::from(destination)];
    bytes.extend(payer().0);
    if destination {
        bytes.extend([9; 32]);
    }
    bytes.extend([0; 32]);
    bytes.extend([7; 32]);
    bytes.push(1);
    bytes.extend(if destination { [2, 2, 0, 1] } else { [1, 2, 0, 2] });
    bytes.extend([12, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

fn v0_with_table() -> Vec<u8> {
    let mut bytes = vec![0x80];
    bytes.extend(transfer_body(false));
    bytes.push(1);
    bytes.extend([3; 32]);
    bytes.extend([1, 0, 0]);
    bytes
}

#[test]
fn legacy_vector_reads_as_made() {
    let bytes = transfer_body(true);
    let view = MessageView::parse(&bytes).unwrap();
    assert_eq!(view.version(), Version::Legacy);
    assert_eq!(view.header(), Header { signers: 1, readonly_signers: 0, readonly_others: 1 });
    assert_eq!(view.fee_payer(), Some(payer()));
    assert_eq!(view.static_keys(), [payer().0, [9; 32], [0; 32]]);
    assert_eq!(view.blockhash(), Key([7; 32]));
    let instructions: Vec<_> = view.instructions().collect();
    assert_eq!(instructions.len(), 1);
    assert_eq!((instructions[0].program, instructions[0].accounts), (2, &[0, 1][..]));
    assert_eq!(instructions[0].data, [2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(bytes[instructions[0].data_offset..], *instructions[0].data);
    assert_eq!([0, 1, 2].map(|index| view.is_writable(index)), [true, true, false]);
    assert_eq!([0, 1, 2].map(|index| view.is_signer(index)), [true, false, false]);
}

#[test]
fn table_vector_loads_the_destination() {
    let bytes = v0_with_table();
    let view = MessageView::parse(&bytes).unwrap();
    assert_eq!(view.version(), Version::V0);
    assert_eq!(view.account_count(), 3);
    let lookups: Vec<_> = view.lookups().collect();
    assert_eq!(lookups, [LookupView { table: &[3; 32], writable: &[0], readonly: &[] }]);
    assert_eq!(view.source(2), Some(Source::Table { table: Key([3; 32]), entry: 0 }));
    assert_eq!(view.source(1), Some(Source::Static(Key([0; 32]))));
    assert_eq!(view.source(3), None);
    assert!(view.is_writable(2) && !view.is_writable(1) && !view.is_writable(3));
}

#[test]
fn every_truncation_and_every_trailing_byte_is_refused() {
    for whole in [transfer_body(true), v0_with_table()] {
        for length in 0..whole.len() {
            assert!(MessageView::parse(&whole[..length]).is_err(), "{length}");
        }
        let longer = [&whole[..], &[0]].concat();
        let refusal = MessageView::parse(&longer).unwrap_err();
        assert_eq!(refusal, SolanaError::Trailing { field: "message", count: 1 });
    }
}

#[test]
fn other_versions_are_refused_by_name() {
    let mut bytes = v0_with_table();
    bytes[0] = 0x81;
    let refusal = MessageView::parse(&bytes).unwrap_err();
    assert_eq!(refusal, SolanaError::UnsupportedVersion { version: 1 });
    assert_eq!(refusal.to_string(), "message version 1 is not supported, must be legacy or 0");
}

/// Each change makes one count or index name something that is not there.
#[test]
fn indices_and_counts_beyond_the_accounts_are_refused() {
    let whole = transfer_body(true);
    let program = whole.len() - 13 - 4;
    for (at, value, field) in [
        (0, 0, "read-only signers"),
        (1, 1, "read-only signers"),
        (2, 3, "header"),
        (program, 0, "program index"),
        (program, 3, "program index"),
        (program + 3, 3, "account index"),
    ] {
        let mut bytes = whole.clone();
        bytes[at] = value;
        match MessageView::parse(&bytes) {
            Err(SolanaError::Range { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{field}: {other:?}"),
        }
    }
}

#[test]
fn lookup_that_loads_nothing_is_refused() {
    let mut bytes = vec![0x80];
    bytes.extend(transfer_body(true));
    bytes.push(1);
    bytes.extend([3; 32]);
    bytes.extend([0, 0]);
    assert!(MessageView::parse(&bytes).unwrap_err().to_string().starts_with("lookup is"));
}

#[test]
fn equal_static_keys_are_found() {
    let mut bytes = transfer_body(true);
    assert_eq!(MessageView::parse(&bytes).unwrap().duplicate(), None);
    bytes.copy_within(4..36, 36);
    assert_eq!(MessageView::parse(&bytes).unwrap().duplicate(), Some(payer()));
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(0_u8..=255, 0..400)) {
        if let Ok(view) = MessageView::parse(&bytes) {
            for index in 0..=255 {
                proptest::prop_assert_eq!(
                    view.source(index).is_some(),
                    usize::from(index) < view.account_count()
                );
            }
        }
    }

    #[test]
    fn changed_vectors_never_panic(at in 0_usize..183, value in 0_u8..=255) {
        let mut bytes = v0_with_table();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        let _read = MessageView::parse(&bytes).map(|view| view.instructions().count());
    }
}
