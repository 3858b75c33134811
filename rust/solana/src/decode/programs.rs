//! Programs by name.

use crate::Key;
use crate::program;

/// Names of programs beyond those this system builds instructions for, as the recordings and the
/// documents of their makers give them.
const NAMES: [(Key, &str); 33] = [
    (program::SYSTEM, "system"),
    (program::COMPUTE_BUDGET, "compute_budget"),
    (program::TOKEN, "token"),
    (program::TOKEN_2022, "token_2022"),
    (program::ASSOCIATED_TOKEN, "associated_token"),
    (program::MEMO, "memo"),
    (program::MEMO_V1, "memo_v1"),
    (program::ADDRESS_LOOKUP_TABLE, "address_lookup_table"),
    (program::RAYDIUM_AMM, "raydium_amm"),
    (program::RAYDIUM_CPMM, "raydium_cpmm"),
    (program::PUMPSWAP, "pumpswap"),
    (program::PUMP, "pump"),
    (program::PUMP_FEES, "pump_fees"),
    (program::WHIRLPOOL, "whirlpool"),
    (program::WHIRLPOOL_IMMUTABLE, "whirlpool_immutable"),
    (program::JUPITER, "jupiter"),
    (RAYDIUM_CLMM, "raydium_clmm"),
    (METEORA_DLMM, "meteora_dlmm"),
    (METEORA_DAMM_V2, "meteora_damm_v2"),
    (METEORA_POOLS, "meteora_pools"),
    (JUPITER_DCA, "jupiter_dca"),
    (LIFINITY_V2, "lifinity_amm_v2"),
    (MOONSHOT, "moonshot"),
    (known("obriQD1zbpyLz95G5n7nJe6a4DPjpFwa5XYPoNm113y"), "obric_v2"),
    (known("ZERor4xhbUycZ6gb9ntrhqscUcZmAbQDjEAtCf4hbZY"), "zerofi"),
    (known("srmqPvymJeFKQ4zGQed1GFppgkRHL9kaELCbyksJtPX"), "openbook"),
    (known("PhoeNiXZ8ByJGLkxNfZRnkUfjvmuYqLR89jjFHGqdXY"), "phoenix"),
    (known("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s"), "metaplex_metadata"),
    (known("Vote111111111111111111111111111111111111111"), "vote"),
    (known("Stake11111111111111111111111111111111111111"), "stake"),
    (known("Config1111111111111111111111111111111111111"), "config"),
    (known("BPFLoader2111111111111111111111111111111111"), "bpf_loader"),
    (known("BPFLoaderUpgradeab1e11111111111111111111111"), "bpf_loader_upgradeable"),
];

/// Raydium's concentrated liquidity.
pub(super) const RAYDIUM_CLMM: Key = known("CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK");
/// Meteora's liquidity bins.
pub(super) const METEORA_DLMM: Key = known("LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo");
/// Meteora's newer constant-product pools.
pub(super) const METEORA_DAMM_V2: Key = known("cpamdpZCGKUy5JxQXB4dcpGPiikHawvSWAd6mEn1sGG");
/// Meteora's older pools.
pub(super) const METEORA_POOLS: Key = known("Eo7WjKq67rjJQSZxS6z3YkapzY3eMj6Xy8X5EQVn5UaB");
/// Jupiter's recurring orders.
pub(super) const JUPITER_DCA: Key = known("DCA265Vj8a9CEuX1eb1LWRnDT7uK6q1xMipnNyatn23M");
/// Lifinity, version 2.
pub(super) const LIFINITY_V2: Key = known("2wT8Yq49kHgDzXuPxZSaeLaH1qbmGXtEyPy64bL7aD3c");
/// Moonshot's launch pad.
pub(super) const MOONSHOT: Key = known("MoonCVVNZFSYkqNXP6bxHLPL6QQJiMagDL3qcqUQTrG");

const fn known(text: &str) -> Key {
    Key::known(text)
}

/// Returns the name of a program, `None` for one that is not listed.
pub fn program_name(program: &Key) -> Option<&'static str> {
    NAMES.iter().find(|(key, _)| key == program).map(|(_, name)| *name)
}
