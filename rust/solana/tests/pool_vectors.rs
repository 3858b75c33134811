//! Formula vectors of the constant-product venues and golden vectors of Whirlpool.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a test stops at the first surprise"
)]

mod support;

use support::{WhirlpoolAccount, dynamic_array, fixed_array, float, key};
use utb_solana::Key;
use utb_solana::pool::{
    PumpSwap, PumpSwapFeeConfig, PumpSwapGlobal, PumpSwapRules, RaydiumAmm, RaydiumCpmm,
    RaydiumCpmmConfig, Side, TickArray, Unquotable, Whirlpool,
};

/// 1,000 SOL and 150,000 USDC.
const RESERVES: [u64; 2] = [1_000_000_000_000, 150_000_000_000];

#[test]
fn test_raydium_amm_vectors_are_exact() {
    let pool = RaydiumAmm::decode(&support::raydium_amm(6, [0, 0], 0)).unwrap();
    let sold = pool.exact_in(RESERVES, Side::A, 1_000_000_000).unwrap();
    assert_eq!((sold.out_raw, sold.fee_in_raw), (149_475_897, 2_500_000));
    assert_eq!(pool.exact_in(RESERVES, Side::B, 1_000_000).unwrap().out_raw, 6_649_955);
    assert_eq!(pool.exact_out(RESERVES, Side::A, 149_000_000).unwrap().in_raw, 996_813_059);
}

#[test]
fn test_raydium_amm_owed_amounts_are_not_reserves() {
    let pool = RaydiumAmm::decode(&support::raydium_amm(6, [7, 9], 0)).unwrap();
    let vaults = [RESERVES[0] + 7, RESERVES[1] + 9];
    assert_eq!(pool.exact_in(vaults, Side::A, 1_000_000_000).unwrap().out_raw, 149_475_897);
    assert_eq!(pool.reserves([7, 10]), Err(Unquotable::TooLittleLiquidity));
}

#[test]
fn test_raydium_amm_refuses_what_does_not_swap() {
    let pool = |status| RaydiumAmm::decode(&support::raydium_amm(status, [0, 0], 50)).unwrap();
    assert_eq!(pool(1).check_open(None), Ok(()));
    assert_eq!(pool(5).check_open(Some(100)), Err(Unquotable::SwapOff));
    assert_eq!(pool(7).check_open(Some(49)), Err(Unquotable::NotOpenYet(50)));
    assert_eq!(pool(7).check_open(Some(50)), Ok(()));
    assert_eq!(pool(7).check_open(None), Err(Unquotable::ClockUnknown));
    let all = pool(6).exact_out(RESERVES, Side::A, RESERVES[1]);
    assert_eq!(all, Err(Unquotable::TooLittleLiquidity));
    assert_eq!(pool(6).exact_in(RESERVES, Side::A, 1), Err(Unquotable::TooSmall));
}

#[test]
fn test_raydium_cpmm_vectors_are_exact() {
    let swap = |creator: Option<u8>| {
        let pool = RaydiumCpmm::decode(&support::raydium_cpmm(0, [0, 0], creator)).unwrap();
        let config = support::cpmm_config(2500, 120_000, 40_000, 500);
        let config = RaydiumCpmmConfig::decode(&config).unwrap();
        pool.exact_in(&config, RESERVES, Side::A, 1_000_000_000).unwrap()
    };
    assert_eq!(swap(None).out_raw, 149_475_897);
    // On the input: of any token, or of token 0.
    assert_eq!(swap(Some(0)).out_raw, 149_401_047);
    assert_eq!(swap(Some(1)).out_raw, 149_401_047);
    // On the output: 149,475,897 less 0.05%, rounded up.
    let on_output = swap(Some(2));
    assert_eq!((on_output.out_raw, on_output.fee_out_raw), (149_401_159, 74_738));
}

/// 2.5 million of fee: 12% and 4% leave the reserves, the creator's sixth of it as well.
#[test]
fn test_raydium_cpmm_price_after_leaves_out_what_is_owed() {
    let config = RaydiumCpmmConfig::decode(&support::cpmm_config(2500, 120_000, 40_000, 500));
    let pool = RaydiumCpmm::decode(&support::raydium_cpmm(0, [0, 0], Some(0))).unwrap();
    let swap = pool.exact_in(&config.unwrap(), RESERVES, Side::A, 1_000_000_000).unwrap();
    let reserve_in = 1_000_000_000_000_u64 + 1_000_000_000 - 500_000 - 300_000 - 100_000;
    let expected = (150_000_000_000_u64 - 149_401_047) as f64 / reserve_in as f64;
    assert!((float(swap.price_after) / expected - 1.0).abs() < 1e-15);
    assert!((float(swap.price_before) - 0.15).abs() < 1e-15);
}

#[test]
fn test_raydium_cpmm_exact_out_buys_what_it_says() {
    let config = RaydiumCpmmConfig::decode(&support::cpmm_config(2500, 120_000, 40_000, 500));
    let config = config.unwrap();
    for creator in [None, Some(0), Some(1), Some(2)] {
        let pool = RaydiumCpmm::decode(&support::raydium_cpmm(0, [0, 0], creator)).unwrap();
        let asked = pool.exact_out(&config, RESERVES, Side::A, 149_000_000).unwrap();
        let got = pool.exact_in(&config, RESERVES, Side::A, asked.in_raw).unwrap();
        assert!(got.out_raw >= 149_000_000 && got.out_raw <= 149_000_001, "{creator:?} {got:?}");
        let less = pool.exact_in(&config, RESERVES, Side::A, asked.in_raw - 1).unwrap();
        assert!(less.out_raw <= got.out_raw);
    }
}

/// A pool of 2e14 base and 85 SOL under 20/5/95 basis points.
fn pumpswap<T>(virtual_raw: i128, work: impl Fn(&PumpSwap, &PumpSwapRules<'_>) -> T) -> T {
    let pool = PumpSwap::decode(&support::pumpswap(key(8), virtual_raw)).unwrap();
    let global = PumpSwapGlobal::decode(&support::pumpswap_global(0)).unwrap();
    let fees = support::pumpswap_fees([20, 5, 95], &[], &[]);
    let fees = PumpSwapFeeConfig::decode(&fees).unwrap();
    let (canonical, supply_raw) = (false, 1_000_000_000_000_000);
    work(&pool, &PumpSwapRules { global: &global, fees: &fees, canonical, supply_raw })
}

const PUMP_VAULTS: [u64; 2] = [200_000_000_000_000, 85_000_000_000];

#[test]
fn test_pumpswap_vectors_are_exact() {
    pumpswap(0, |pool, rules| {
        let bought = pool.exact_in(rules, PUMP_VAULTS, Side::B, 1_000_000_000).unwrap();
        assert_eq!(bought.out_raw, 2_298_322_219_050);
        // e = 988,142,291 and its fees 1,976,285 + 494,072 + 9,387,352: one short of the budget.
        assert_eq!((bought.in_raw, bought.fee_in_raw), (1_000_000_000, 11_857_709));
        let sold = pool.exact_in(rules, PUMP_VAULTS, Side::A, 1_000_000_000_000).unwrap();
        assert_eq!(sold.out_raw, 417_810_944);
        let exact = pool.exact_out(rules, PUMP_VAULTS, Side::B, 1_000_000_000_000).unwrap();
        assert_eq!(exact.in_raw, 432_261_308);
        let none = pool.exact_out(rules, PUMP_VAULTS, Side::A, 1);
        assert_eq!(none, Err(Unquotable::NoExactOut));
    });
}

#[test]
fn test_pumpswap_virtual_reserve_counts_in_the_price_but_cannot_be_paid() {
    let without = [PUMP_VAULTS[0], PUMP_VAULTS[1] - 5_000_000_000];
    pumpswap(5_000_000_000, |pool, rules| {
        let sold = pool.exact_in(rules, without, Side::A, 1_000_000_000_000).unwrap();
        assert_eq!(sold.out_raw, 417_810_944);
        let short = pool.exact_in(rules, [PUMP_VAULTS[0], 1_000], Side::A, 1_000_000_000_000);
        assert_eq!(short, Err(Unquotable::TooLittleLiquidity));
    });
    pumpswap(-85_000_000_000, |pool, rules| {
        let empty = pool.exact_in(rules, PUMP_VAULTS, Side::A, 1_000_000);
        assert_eq!(empty, Err(Unquotable::TooLittleLiquidity));
    });
}

fn golden_array(ticks: &[(usize, i128)]) -> [TickArray; 3] {
    let arrays = [fixed_array(-22528, ticks), fixed_array(-28160, &[]), fixed_array(-16896, &[])];
    arrays.map(|bytes| TickArray::decode(&bytes).unwrap())
}

/// Places of ticks -19648 and -18368 from -22528 at a spacing of 64, and their net liquidity.
const GOLDEN_TICKS: [(usize, i128); 2] = [(45, 4_000_000_000_000), (65, -4_000_000_000_000)];

/// Every vector was executed by the real program: (A to B, in, out, root price after).
const GOLDEN: [(bool, u64, u64, u128); 7] = [
    (true, 1_000_000, 149_549, 7_144_392_983_051_698_887),
    (false, 100_000_000, 664_649_556, 7_144_577_172_961_160_740),
    (true, 50_000_000_000, 7_463_091_142, 7_130_626_285_691_768_092),
    (true, 30_000_000_000, 4_481_308_810, 7_136_126_703_249_203_095),
    (true, 2_000_000_000_000, 273_808_002_819, 6_460_836_999_080_698_164),
    (false, 200_000_000_000, 1_257_782_507_217, 7_611_376_572_066_896_666),
    (true, 1_500_000_000_000, 210_824_257_102, 6_654_477_838_755_090_573),
];

#[test]
fn test_whirlpool_golden_vectors_are_exact_in_amount_and_end_price() {
    let pool = Whirlpool::decode(&WhirlpoolAccount::golden().bytes()).unwrap();
    let [current, below, above] = golden_array(&GOLDEN_TICKS);
    for (a_to_b, in_raw, out_raw, sqrt_price) in GOLDEN {
        let side = if a_to_b { Side::A } else { Side::B };
        let next = if a_to_b { &below } else { &above };
        let arrays = [Some(&current), Some(next), None];
        let swap = pool.swap(arrays, side, true, in_raw);
        let (swap, after) = swap.unwrap_or_else(|reason| panic!("{in_raw}: {reason}"));
        assert_eq!((swap.in_raw, swap.out_raw), (in_raw, out_raw));
        assert_eq!(after.sqrt_price, sqrt_price, "{in_raw}");
    }
}

/// What an exact input buys, bought as an exact output, costs no more and not a unit's worth less.
#[test]
fn test_whirlpool_exact_output_is_the_inverse_of_the_golden_inputs() {
    let pool = Whirlpool::decode(&WhirlpoolAccount::golden().bytes()).unwrap();
    let [current, below, above] = golden_array(&GOLDEN_TICKS);
    for (a_to_b, in_raw, out_raw, _) in GOLDEN {
        let side = if a_to_b { Side::A } else { Side::B };
        let arrays = [Some(&current), Some(if a_to_b { &below } else { &above }), None];
        let (exact, _) = pool.swap(arrays, side, false, out_raw).unwrap();
        assert_eq!(exact.out_raw, out_raw);
        assert!(exact.in_raw <= in_raw && exact.in_raw + 10 >= in_raw, "{exact:?} for {in_raw}");
        let (again, _) = pool.swap(arrays, side, true, exact.in_raw).unwrap();
        assert!(again.out_raw + 1 >= out_raw, "{again:?}");
    }
}

#[test]
fn test_whirlpool_fixed_and_dynamic_arrays_read_the_same() {
    let ticks = [(0, 5), (45, -7), (87, i128::MIN)];
    let fixed = TickArray::decode(&fixed_array(-22528, &ticks)).unwrap();
    assert_eq!(TickArray::decode(&dynamic_array(-22528, &ticks)), Some(fixed.clone()));
    assert_eq!(fixed.ticks.len(), 3);
    let short = dynamic_array(0, &ticks);
    assert_eq!(TickArray::decode(&short[..short.len() - 1]), None);
}

#[test]
fn test_whirlpool_says_where_its_arrays_end() {
    let pool = Whirlpool::decode(&WhirlpoolAccount::golden().bytes()).unwrap();
    let [current, below, _] = golden_array(&GOLDEN_TICKS);
    let lowest = TickArray::decode(&fixed_array(-33792, &[])).unwrap();
    let swap = |arrays, amount| pool.swap(arrays, Side::A, true, amount).map(|(swap, _)| swap);
    // The arrays reach down to tick -33792; this amount would go further.
    let all = [Some(&current), Some(&below), Some(&lowest)];
    assert_eq!(swap(all, 60_000_000_000_000), Err(Unquotable::BeyondTickArrays));
    let first_only = [Some(&current), None, None];
    assert_eq!(swap(first_only, 8_000_000_000_000), Err(Unquotable::ArrayMissing(-28160)));
    assert!(swap(first_only, 1_000_000).is_ok());
    assert_eq!(swap(all, 0), Err(Unquotable::TooSmall));
}

#[test]
fn test_whirlpool_with_an_adaptive_fee_is_refused_by_name() {
    let account = WhirlpoolAccount { tier: 1024, ..WhirlpoolAccount::golden() };
    let pool = Whirlpool::decode(&account.bytes()).unwrap();
    let swap = pool.swap([None; 3], Side::A, true, 1_000_000);
    assert_eq!(swap.unwrap_err(), Unquotable::AdaptiveFee);
    assert!(Unquotable::AdaptiveFee.to_string().contains("adaptive"));
}

#[test]
fn test_truncated_accounts_are_no_accounts() {
    let zero = Key::default();
    assert_eq!(RaydiumAmm::decode(&support::raydium_amm(6, [0, 0], 0)[1..]), None);
    assert_eq!(RaydiumCpmm::decode(&support::raydium_cpmm(0, [0, 0], None)[..636]), None);
    assert_eq!(RaydiumCpmmConfig::decode(&support::cpmm_config(1, 1, 1, 1)[..235]), None);
    assert_eq!(PumpSwap::decode(&support::pumpswap(zero, 0)[..210]), None);
    assert!(PumpSwap::decode(&support::pumpswap(zero, 0)[..211]).is_some());
    assert_eq!(PumpSwapGlobal::decode(&support::pumpswap_global(0)[..320]), None);
    let fees = support::pumpswap_fees([1, 2, 3], &[(0, [1, 2, 3])], &[]);
    assert_eq!(PumpSwapFeeConfig::decode(&fees[..100]), None);
    assert_eq!(Whirlpool::decode(&WhirlpoolAccount::golden().bytes()[..652]), None);
    assert_eq!(TickArray::decode(&fixed_array(0, &[])[..9987]), None);
}
