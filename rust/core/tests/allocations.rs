//! A patched template allocates nothing. One test only: the count is the whole process's.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "support/pools.rs"]
mod pools;

use std::alloc::System;

use pools::{key, mint, pools};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use utb_core::{ChainOrder, Guard, OrderLeg, Tip, TransactionBuilder};
use utb_solana::instruction::swap::Amounts;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn patched_builds_allocate_nothing() {
    for pool in &pools() {
        for guarded in [false, true] {
            let mut builder = TransactionBuilder::new(key(9), vec![]);
            let created = [mint(1)];
            let mut counts = [0, 0];
            for (turn, count) in counts.iter_mut().enumerate() {
                let seed = [b'a' + u8::try_from(turn).unwrap(); 16];
                let in_raw = 1 + u64::try_from(turn).unwrap();
                let amounts = Amounts { in_raw, min_out_raw: 1 };
                let legs = [OrderLeg { pool, input_mint: key(2), amounts }];
                let order = ChainOrder {
                    unit_limit: 200_000,
                    unit_price: in_raw,
                    guard: guarded.then_some(Guard { seed: &seed, lamports: 890_880 }),
                    create_accounts: if guarded { &[] } else { &created },
                    legs: &legs,
                    memo: if guarded { None } else { Some(&seed) },
                    tip: (!guarded).then_some(Tip { account: key(99), lamports: in_raw }),
                };
                let blockhash = key(seed[0]);
                let region = Region::new(ALLOCATOR);
                let built = builder.build(&order, &blockhash).unwrap();
                built.signed(&[7; 64]).unwrap();
                *count = region.change().allocations;
            }
            let [compiled, patched] = counts;
            assert!(compiled > 0, "the count sees nothing");
            assert_eq!(patched, 0);
        }
    }
}
