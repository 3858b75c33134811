//! Templates: a patched message says what a freshly compiled one says.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "support/pools.rs"]
mod pools;

use pools::{key, mint, pools};
use utb_core::{ChainOrder, Guard, OrderLeg, Tip, TransactionBuilder};
use utb_solana::Key;
use utb_solana::instruction::swap::{Amounts, MintOf, SwapPool};
use utb_solana::message::{LookupTable, MessageView};
use utb_solana::transaction::TransactionView;

const WALLET: Key = Key::known("FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF");

fn leg(pool: &SwapPool, in_raw: u64) -> OrderLeg<'_> {
    OrderLeg { pool, input_mint: key(2), amounts: Amounts { in_raw, min_out_raw: in_raw + 1 } }
}

fn entry<'a>(legs: &'a [OrderLeg<'a>], created: &'a [MintOf], memo: &'a [u8]) -> ChainOrder<'a> {
    ChainOrder {
        unit_limit: 200_000,
        unit_price: 1024,
        guard: None,
        create_accounts: created,
        legs,
        memo: Some(memo),
        tip: Some(Tip { account: key(99), lamports: 10_000 }),
    }
}

fn message(builder: &mut TransactionBuilder, order: &ChainOrder<'_>, blockhash: u8) -> Vec<u8> {
    builder.build(order, &key(blockhash)).unwrap().message().to_vec()
}

fn fresh(order: &ChainOrder<'_>, blockhash: u8) -> Vec<u8> {
    message(&mut TransactionBuilder::new(WALLET, vec![]), order, blockhash)
}

/// Program, (account, signer, writable), data.
type Meaning = (Key, Vec<(Key, bool, bool)>, Vec<u8>);

/// Returns per instruction (program, [(account, signer, writable)], data).
fn meaning(message: &[u8]) -> Vec<Meaning> {
    let view = MessageView::parse(message).unwrap();
    let account =
        |index: &u8| (view.key(*index).unwrap(), view.is_signer(*index), view.is_writable(*index));
    view.instructions()
        .map(|it| {
            let accounts = it.accounts.iter().map(account).collect();
            (view.key(it.program).unwrap(), accounts, it.data.to_vec())
        })
        .collect()
}

#[test]
fn second_build_of_a_shape_gives_the_bytes_of_a_fresh_compilation() {
    for pool in &pools() {
        let created = [mint(1)];
        let mut builder = TransactionBuilder::new(WALLET, vec![]);
        let first_legs = [leg(pool, 5)];
        let first = entry(&first_legs, &created, b"0123456789abcdef");
        assert_eq!(message(&mut builder, &first, 7), fresh(&first, 7));
        let legs = [leg(pool, 1 << 40)];
        let second = ChainOrder {
            unit_limit: 1_400_000,
            unit_price: u64::MAX,
            tip: Some(Tip { account: key(99), lamports: 77 }),
            ..entry(&legs, &created, b"fedcba9876543210")
        };
        assert_eq!(message(&mut builder, &second, 8), fresh(&second, 8));
        assert_eq!(message(&mut builder, &first, 7), fresh(&first, 7));
    }
}

#[test]
fn guarded_build_opens_the_account_of_its_own_seed() {
    let [pool, ..] = pools();
    let legs = [leg(&pool, 5)];
    let mut builder = TransactionBuilder::new(WALLET, vec![]);
    for seed in ["0123456789abcdef", "fedcba9876543210", "00000000deadbeef"] {
        let guard = Guard { seed: seed.as_bytes(), lamports: 890_880 };
        let order = ChainOrder {
            unit_limit: 1,
            unit_price: 2,
            guard: Some(guard),
            create_accounts: &[],
            legs: &legs,
            memo: None,
            tip: None,
        };
        let built = message(&mut builder, &order, 7);
        assert_eq!(meaning(&built), meaning(&fresh(&order, 7)), "{seed}");
    }
}

#[test]
fn every_difference_in_shape_gets_its_own_template() {
    let every = pools();
    let mut builder = TransactionBuilder::new(WALLET, vec![]);
    for pool in &every {
        let buy = [leg(pool, 5)];
        let sell = [OrderLeg { input_mint: key(1), ..leg(pool, 5) }];
        let whole = [leg(pool, 5), leg(&every[0], 6)];
        for legs in [&buy[..], &sell, &whole] {
            let created = [mint(1)];
            let with_all = entry(legs, &created, b"0123456789abcdef");
            for order in [
                with_all,
                ChainOrder { create_accounts: &[], ..with_all },
                ChainOrder { memo: Some(b"short"), ..with_all },
                ChainOrder { memo: None, ..with_all },
                ChainOrder { tip: None, ..with_all },
                ChainOrder { tip: Some(Tip { account: key(98), lamports: 1 }), ..with_all },
            ] {
                // PumpSwap beside a second pool is too large for one transaction.
                let mut alone = TransactionBuilder::new(WALLET, vec![]);
                let Ok(expected) = alone.build(&order, &key(7)) else { continue };
                assert_eq!(message(&mut builder, &order, 7), expected.message());
            }
        }
    }
}

#[test]
fn more_shapes_than_templates_still_build() {
    let [pool, ..] = pools();
    let legs = [leg(&pool, 5)];
    let text = [b'a'; 200];
    let mut builder = TransactionBuilder::new(WALLET, vec![]);
    for length in (0..200).chain(0..200) {
        let order = entry(&legs, &[], &text[..length]);
        assert_eq!(message(&mut builder, &order, 7), fresh(&order, 7));
    }
}

#[test]
fn own_table_shortens_the_message_and_never_holds_the_tip() {
    let [.., pool] = pools();
    let legs = [leg(&pool, 5)];
    let order = entry(&legs, &[], b"0123456789abcdef");
    let table = |addresses: &[u8]| LookupTable {
        key: key(90),
        addresses: addresses.iter().map(|b| key(*b)).collect(),
    };
    let mut builder = TransactionBuilder::new(WALLET, vec![table(&[43, 44, 45, 46])]);
    let built = message(&mut builder, &order, 7);
    // Four keys of 32 bytes leave; the table's key, two counts and four entries come.
    assert_eq!(built.len(), fresh(&order, 7).len() - 4 * 32 + 32 + 2 + 4);
    assert_eq!(message(&mut builder, &order, 7), built);
    let mut holding = TransactionBuilder::new(WALLET, vec![table(&[99])]);
    let refusal = holding.build(&order, &key(7)).unwrap_err();
    assert!(refusal.to_string().starts_with("tip account is"), "{refusal}");
}

#[test]
fn signature_stands_in_front_of_the_message() {
    let [pool, ..] = pools();
    let legs = [leg(&pool, 5)];
    let order = entry(&legs, &[], b"0123456789abcdef");
    let mut builder = TransactionBuilder::new(WALLET, vec![]);
    let built = builder.build(&order, &key(7)).unwrap();
    let message = built.message().to_vec();
    let bytes = built.signed(&[3; 64]).unwrap();
    let view = TransactionView::parse(bytes).unwrap();
    assert_eq!(view.signatures, [[3; 64]]);
    assert_eq!(view.message.bytes(), message);
}

#[test]
fn orders_that_would_do_nothing_or_cannot_be_sent_are_refused() {
    let [pool, .., whirlpool] = pools();
    let legs = [leg(&pool, 5)];
    let good = entry(&legs, &[], b"memo");
    let none = [leg(&pool, 0)];
    let unbounded = [OrderLeg { amounts: Amounts { in_raw: 1, min_out_raw: 0 }, ..leg(&pool, 5) }];
    let foreign = [OrderLeg { input_mint: key(3), ..leg(&pool, 5) }];
    let many = [leg(&whirlpool, 5); 12];
    let long = [b'a'; 1000];
    for (order, field) in [
        (ChainOrder { legs: &[], ..good }, "legs"),
        (ChainOrder { legs: &none, ..good }, "amount_in_raw"),
        (ChainOrder { legs: &unbounded, ..good }, "min_out_raw"),
        (ChainOrder { legs: &foreign, ..good }, "input mint"),
        (ChainOrder { legs: &many, ..good }, "message length"),
        (ChainOrder { memo: Some(&long), ..good }, "message length"),
        (ChainOrder { memo: Some(&[0xff]), ..good }, "memo"),
        (ChainOrder { guard: Some(Guard { seed: b"a", lamports: 0 }), ..good }, "guard lamports"),
        (ChainOrder { guard: Some(Guard { seed: b"", lamports: 1 }), ..good }, "guard seed length"),
        (
            ChainOrder { guard: Some(Guard { seed: &[b'a'; 33], lamports: 1 }), ..good },
            "seed length",
        ),
        (ChainOrder { guard: Some(Guard { seed: &[0xff], lamports: 1 }), ..good }, "seed"),
    ] {
        let mut builder = TransactionBuilder::new(WALLET, vec![]);
        let refusal = builder.build(&order, &key(7)).unwrap_err();
        assert_eq!(refusal.parts().0, field, "{refusal}");
    }
}
