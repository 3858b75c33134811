//! What holds for every pool and amount.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod support;

use proptest::prelude::*;
use support::{WhirlpoolAccount, dynamic_array, key};
use utb_solana::pool::{
    Mint, PumpSwap, PumpSwapFeeConfig, PumpSwapGlobal, PumpSwapRules, RaydiumAmm, RaydiumCpmm,
    RaydiumCpmmConfig, Side, Swap, TickArray, TransferFee, Unquotable, Whirlpool, sqrt_price_at,
};

type Swapped = Result<Swap, Unquotable>;

/// A swap function of reserves, side, whether the input is exact, and the amount.
type Venue<'a> = &'a dyn Fn([u64; 2], Side, bool, u64) -> Swapped;

fn with_venue(
    number: usize,
    check: impl Fn(Venue<'_>) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let amm = RaydiumAmm::decode(&support::raydium_amm(6, [0, 0], 0)).unwrap();
    let creator = [None, Some(0), Some(1), Some(2)][number % 4];
    let cpmm = RaydiumCpmm::decode(&support::raydium_cpmm(0, [0, 0], creator)).unwrap();
    let config = support::cpmm_config(2500, 120_000, 40_000, 500);
    let config = RaydiumCpmmConfig::decode(&config).unwrap();
    let pump = PumpSwap::decode(&support::pumpswap(key(8), 1_000_000)).unwrap();
    let rules = PumpSwapRules {
        global: &PumpSwapGlobal::decode(&support::pumpswap_global(0)).unwrap(),
        fees: &PumpSwapFeeConfig::decode(&support::pumpswap_fees([20, 5, 95], &[], &[])).unwrap(),
        canonical: false,
        supply_raw: 1_000_000,
    };
    match number {
        0..=3 => check(&|vaults, side, exact_in, amount| {
            if exact_in {
                cpmm.exact_in(&config, vaults, side, amount)
            } else {
                cpmm.exact_out(&config, vaults, side, amount)
            }
        }),
        4 => check(&|vaults, side, exact_in, amount| {
            if exact_in {
                amm.exact_in(vaults, side, amount)
            } else {
                amm.exact_out(vaults, side, amount)
            }
        }),
        _ => check(&|vaults, side, exact_in, amount| {
            if exact_in {
                pump.exact_in(&rules, vaults, side, amount)
            } else {
                pump.exact_out(&rules, vaults, side, amount)
            }
        }),
    }
}

/// The vaults after a swap; what fees leave them is at most the fees.
fn after(vaults: [u64; 2], input: Side, swap: &Swap) -> [u64; 2] {
    let [a, b] = vaults;
    match input {
        Side::A => [a + swap.in_raw, b - swap.out_raw],
        Side::B => [a - swap.out_raw, b + swap.in_raw],
    }
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::A), Just(Side::B)]
}

/// Amounts of every size.
fn amount(bits: u32) -> impl Strategy<Value = u64> {
    (0..bits).prop_flat_map(|bits| 1_u64 << bits..2_u64 << bits)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn test_output_is_below_the_reserve_and_fees_below_the_amount(
        number in 0_usize..6, vaults in [amount(60), amount(60)], input in side(), amount in amount(60),
    ) {
        with_venue(number, |swap| {
            if let Ok(swap) = swap(vaults, input, true, amount) {
                let out_reserve = if input == Side::A { vaults[1] } else { vaults[0] };
                prop_assert!(swap.out_raw < out_reserve);
                prop_assert!(swap.in_raw <= amount && swap.fee_in_raw <= swap.in_raw);
            }
            Ok(())
        })?;
    }

    #[test]
    fn test_buying_and_selling_never_gains(
        number in 0_usize..6, vaults in [amount(60), amount(60)], input in side(), amount in amount(60),
    ) {
        with_venue(number, |swap| {
            let Ok(there) = swap(vaults, input, true, amount) else { return Ok(()) };
            if let Ok(back) = swap(after(vaults, input, &there), input.other(), true, there.out_raw) {
                prop_assert!(back.out_raw <= there.in_raw, "{there:?} {back:?}");
            }
            Ok(())
        })?;
    }

    #[test]
    fn test_more_in_gives_no_less_out(
        number in 0_usize..6, vaults in [amount(60), amount(60)], input in side(), amount in amount(59), more in amount(59),
    ) {
        with_venue(number, |swap| {
            let (less, more) = (swap(vaults, input, true, amount), swap(vaults, input, true, amount + more));
            if let (Ok(less), Ok(more)) = (less, more) {
                prop_assert!(less.out_raw <= more.out_raw);
            }
            Ok(())
        })?;
    }

    /// A budget in `PumpSwap` buys one unit's worth less than its quote, so that is left out.
    #[test]
    fn test_exact_output_costs_what_buys_it(
        number in 0_usize..5, vaults in [amount(60), amount(60)], input in side(), amount in amount(59),
    ) {
        with_venue(number, |swap| {
            let Ok(asked) = swap(vaults, input, false, amount) else { return Ok(()) };
            prop_assert_eq!(asked.out_raw, amount);
            let got = swap(vaults, input, true, asked.in_raw);
            prop_assert!(got.is_ok_and(|got| got.out_raw >= amount), "{asked:?}");
            Ok(())
        })?;
    }

    #[test]
    fn test_whirlpool_swaps_keep_the_rules(
        liquidity in amount(50), tick in -20_000..20_000_i32, input in side(),
        amount in amount(45), more in amount(40), net in 0..1_u64 << 40,
    ) {
        let account = WhirlpoolAccount {
            liquidity: u128::from(liquidity), tick, sqrt_price: sqrt_price_at(tick).unwrap(),
            ..WhirlpoolAccount::golden()
        };
        let pool = Whirlpool::decode(&account.bytes()).unwrap();
        let arrays = |a_to_b| pool.array_starts(a_to_b).map(|start| {
            // Liquidity grows towards the middle from either side.
            let net = i128::from(net);
            let ticks = [(20, if start < tick { -net } else { net })];
            TickArray::decode(&dynamic_array(start, &ticks)).unwrap()
        });
        let arrays = arrays(input == Side::A);
        let [first, second, third] = &arrays;
        let arrays = [Some(first), Some(second), Some(third)];
        let swap = |amount| pool.swap(arrays, input, true, amount);
        if let Ok((once, after)) = swap(amount) {
            prop_assert_eq!(once.in_raw, amount);
            prop_assert!(once.fee_in_raw >= amount / 1000 * 3);
            let price_falls = after.sqrt_price <= pool.sqrt_price;
            prop_assert!(price_falls == (input == Side::A) || after.sqrt_price == pool.sqrt_price);
            if let Ok((bigger, _)) = swap(amount + more) {
                prop_assert!(bigger.out_raw >= once.out_raw);
            }
            if let Ok((exact, exact_after)) = pool.swap(arrays, input, false, once.out_raw) {
                prop_assert_eq!(exact.out_raw, once.out_raw);
                // Where a tick's own output, rounded down, is what is asked for, the program goes
                // all the way to the tick: liquidity 123 at tick 2349 asks 8 of A for 7 of B, which
                // 7 of A buy.
                let further = match input {
                    Side::A => exact_after.sqrt_price < after.sqrt_price,
                    Side::B => exact_after.sqrt_price > after.sqrt_price,
                };
                prop_assert!(exact.in_raw <= once.in_raw || further, "{exact:?} {once:?}");
            }
        }
    }

    #[test]
    fn test_transfer_fee_gross_is_the_least_that_arrives_whole(
        fee_bps in 0..=10_000_u16, fee_max_raw in amount(62), net in amount(40),
    ) {
        let fee = TransferFee { epoch: 0, fee_max_raw, fee_bps };
        let arrives = |gross: u64| gross - fee.of(gross).unwrap();
        if let Some(gross) = fee.gross(net) {
            prop_assert!(arrives(gross) >= net, "{gross}");
            prop_assert!(gross == net || arrives(gross - 1) < net, "{gross}");
        }
    }

    #[test]
    fn test_any_bytes_are_read_without_a_panic(
        data in proptest::collection::vec(any::<u8>(), 0..1200), which in 0_usize..8,
    ) {
        let discriminators = [
            vec![], support::raydium_cpmm(0, [0; 2], None), support::cpmm_config(1, 1, 1, 1),
            support::pumpswap(key(1), 0), support::pumpswap_global(0),
            support::pumpswap_fees([0; 3], &[], &[]), dynamic_array(0, &[]), support::fixed_array(0, &[]),
        ];
        let mut bytes = discriminators[which].iter().copied().take(8).collect::<Vec<u8>>();
        bytes.extend(&data);
        RaydiumAmm::decode(&bytes);
        RaydiumCpmm::decode(&bytes);
        RaydiumCpmmConfig::decode(&bytes);
        PumpSwap::decode(&bytes);
        PumpSwapGlobal::decode(&bytes);
        PumpSwapFeeConfig::decode(&bytes);
        TickArray::decode(&bytes);
        Whirlpool::decode(&bytes);
        Mint::decode(&bytes);
        Mint::decode(&data);
    }
}
