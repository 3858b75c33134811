//! Golden vectors made with solders 0.29.0.

use super::*;
use crate::instruction::{compute_budget, system};
use crate::message::MessageView;

const PAYER: Key = Key::known("FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF");
const BLOCKHASH: Key = Key([7; 32]);

fn transfer() -> Instruction {
    system::transfer(PAYER, Key([9; 32]), 1)
}

fn body(tail: &[u8], destination: bool) -> Vec<u8> {
    let mut bytes = vec![1, 0, 1, 2 + u8::from(destination)];
    bytes.extend(PAYER.0);
    if destination {
        bytes.extend([9; 32]);
    }
    bytes.extend([0; 32]);
    bytes.extend([7; 32]);
    bytes.extend(tail);
    bytes.extend([12, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

#[test]
fn transfer_vectors_are_exact() {
    let legacy = body(&[1, 2, 2, 0, 1], true);
    assert_eq!(compile_legacy(PAYER, &[transfer()], BLOCKHASH).unwrap(), legacy);
    let versioned = [&[0x80], &legacy[..], &[0]].concat();
    assert_eq!(compile_v0(PAYER, &[transfer()], &[], BLOCKHASH).unwrap(), versioned);
}

#[test]
fn table_vector_is_exact() {
    let table = LookupTable { key: Key([3; 32]), addresses: vec![Key([9; 32]), Key([8; 32])] };
    let expected =
        [&[0x80], &body(&[1, 1, 2, 0, 2], false)[..], &[1], &[3; 32], &[1, 0, 0]].concat();
    assert_eq!(compile_v0(PAYER, &[transfer()], &[table], BLOCKHASH).unwrap(), expected);
}

/// With one signature in front: 269 bytes as version 0, 267 as legacy.
#[test]
fn compute_budget_vectors_have_their_lengths() {
    let instructions = [
        compute_budget::set_compute_unit_limit(1_400_000),
        compute_budget::set_compute_unit_price(12_345),
        transfer(),
    ];
    let legacy = compile_legacy(PAYER, &instructions, BLOCKHASH).unwrap();
    let versioned = compile_v0(PAYER, &instructions, &[], BLOCKHASH).unwrap();
    assert_eq!((legacy.len() + 65, versioned.len() + 65), (267, 269));
}

#[test]
fn empty_table_and_table_without_a_match_add_no_lookup() {
    let tables = [
        LookupTable { key: Key([3; 32]), addresses: vec![] },
        LookupTable { key: Key([4; 32]), addresses: vec![PAYER, Key([8; 32])] },
    ];
    let built = compile_v0(PAYER, &[transfer()], &tables, BLOCKHASH).unwrap();
    assert_eq!(MessageView::parse(&built).unwrap().lookups().count(), 0);
}

#[test]
fn message_above_the_limit_and_table_above_256_entries_are_refused() {
    let long = Instruction { program: Key([2; 32]), accounts: vec![], data: vec![0; 1200] };
    assert!(compile_legacy(PAYER, &[long], BLOCKHASH).is_err());
    let table = LookupTable { key: Key([3; 32]), addresses: vec![Key([9; 32]); 257] };
    assert!(compile_v0(PAYER, &[transfer()], &[table], BLOCKHASH).is_err());
}

#[test]
fn nonce_of_a_durable_transaction_stays_static() {
    let table = LookupTable { key: Key([3; 32]), addresses: vec![Key([9; 32])] };
    let step = system::advance_nonce(Key([9; 32]), PAYER);
    for (instructions, lookups) in [([step.clone(), transfer()], 0), ([transfer(), step], 1)] {
        let built = compile_v0(PAYER, &instructions, std::slice::from_ref(&table), BLOCKHASH);
        let built = built.unwrap();
        assert_eq!(MessageView::parse(&built).unwrap().lookups().count(), lookups);
    }
}
