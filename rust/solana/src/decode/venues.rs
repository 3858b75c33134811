//! Layouts of the programs whose data are read.

use super::layouts::{Kind, Layout, Tag};
use super::programs;
use crate::{Key, program};

/// Accounts of the associated token program.
pub(super) const ATA_ACCOUNTS: &[&str] =
    &["payer", "token_account", "owner", "mint", "system", "token_program"];

const fn layout(
    name: &'static str,
    tag: Tag,
    fields: &'static [(&'static str, Kind)],
    accounts: &'static [&'static str],
) -> Layout {
    Layout { name, tag, fields, accounts }
}

/// Returns the layouts of a program.
pub(super) fn layouts(program: &Key) -> &'static [Layout] {
    const TABLE: [(Key, &[Layout]); 14] = [
        (program::SYSTEM, SYSTEM),
        (program::COMPUTE_BUDGET, COMPUTE_BUDGET),
        (program::TOKEN_2022, TOKEN),
        (program::ASSOCIATED_TOKEN, ASSOCIATED_TOKEN),
        (program::ADDRESS_LOOKUP_TABLE, ADDRESS_LOOKUP_TABLE),
        (program::RAYDIUM_AMM, RAYDIUM_AMM),
        (program::RAYDIUM_CPMM, RAYDIUM_CPMM_SWAPS),
        (program::PUMPSWAP, PUMPSWAP_SWAPS),
        (program::PUMP, PUMP_SWAPS),
        (program::WHIRLPOOL, WHIRLPOOL_SWAPS),
        (program::WHIRLPOOL_IMMUTABLE, WHIRLPOOL_SWAPS),
        (programs::RAYDIUM_CLMM, RAYDIUM_CLMM_SWAPS),
        (programs::METEORA_DLMM, METEORA_DLMM_SWAPS),
        (program::TOKEN, TOKEN),
    ];
    TABLE.iter().find(|(key, _)| key == program).map_or(&[], |(_, layouts)| layouts)
}

const SYSTEM: &[Layout] = &[
    layout(
        "create_account",
        Tag::Word(0),
        &[("lamports", Kind::U64), ("space", Kind::U64), ("owner", Kind::Key)],
        &["payer", "new_account"],
    ),
    layout("assign", Tag::Word(1), &[("owner", Kind::Key)], &["account"]),
    layout("transfer", Tag::Word(2), &[("lamports", Kind::U64)], &["from", "to"]),
    layout(
        "create_account_with_seed",
        Tag::Word(3),
        &[
            ("base", Kind::Key),
            ("seed", Kind::Text),
            ("lamports", Kind::U64),
            ("space", Kind::U64),
            ("owner", Kind::Key),
        ],
        &["payer", "new_account", "base"],
    ),
    layout("advance_nonce", Tag::Word(4), &[], &["nonce", "recent_blockhashes", "authority"]),
    layout(
        "withdraw_nonce",
        Tag::Word(5),
        &[("lamports", Kind::U64)],
        &["nonce", "to", "recent_blockhashes", "rent", "authority"],
    ),
    layout(
        "initialize_nonce",
        Tag::Word(6),
        &[("authority", Kind::Key)],
        &["nonce", "recent_blockhashes", "rent"],
    ),
    layout("authorize_nonce", Tag::Word(7), &[("authority", Kind::Key)], &["nonce", "authority"]),
    layout("allocate", Tag::Word(8), &[("space", Kind::U64)], &["account"]),
    layout(
        "transfer_with_seed",
        Tag::Word(11),
        &[("lamports", Kind::U64), ("seed", Kind::Text), ("owner", Kind::Key)],
        &["from", "base", "to"],
    ),
];

const COMPUTE_BUDGET: &[Layout] = &[
    layout("request_heap_frame", Tag::Byte(1), &[("bytes", Kind::U32)], &[]),
    layout("set_compute_unit_limit", Tag::Byte(2), &[("units", Kind::U32)], &[]),
    layout("set_compute_unit_price", Tag::Byte(3), &[("microlamports", Kind::U64)], &[]),
    layout("set_loaded_accounts_data_size", Tag::Byte(4), &[("bytes", Kind::U32)], &[]),
];

const AMOUNT: &[(&str, Kind)] = &[("amount_raw", Kind::U64)];
const CHECKED: &[(&str, Kind)] = &[("amount_raw", Kind::U64), ("decimals", Kind::U8)];

const TOKEN: &[Layout] = &[
    layout("initialize_mint", Tag::Byte(0), &[("decimals", Kind::U8)], &["mint", "rent"]),
    layout("initialize_account", Tag::Byte(1), &[], &["account", "mint", "owner", "rent"]),
    layout("transfer", Tag::Byte(3), AMOUNT, &["source", "destination", "owner"]),
    layout("approve", Tag::Byte(4), AMOUNT, &["source", "delegate", "owner"]),
    layout("revoke", Tag::Byte(5), &[], &["source", "owner"]),
    layout("set_authority", Tag::Byte(6), &[("kind", Kind::U8)], &["account", "authority"]),
    layout("mint_to", Tag::Byte(7), AMOUNT, &["mint", "destination", "authority"]),
    layout("burn", Tag::Byte(8), AMOUNT, &["source", "mint", "owner"]),
    layout("close_account", Tag::Byte(9), &[], &["account", "destination", "owner"]),
    layout("freeze_account", Tag::Byte(10), &[], &["account", "mint", "authority"]),
    layout("thaw_account", Tag::Byte(11), &[], &["account", "mint", "authority"]),
    layout("transfer_checked", Tag::Byte(12), CHECKED, &["source", "mint", "destination", "owner"]),
    layout("approve_checked", Tag::Byte(13), CHECKED, &["source", "mint", "delegate", "owner"]),
    layout("mint_to_checked", Tag::Byte(14), CHECKED, &["mint", "destination", "authority"]),
    layout("burn_checked", Tag::Byte(15), CHECKED, &["source", "mint", "owner"]),
    layout(
        "initialize_account_2",
        Tag::Byte(16),
        &[("owner", Kind::Key)],
        &["account", "mint", "rent"],
    ),
    layout("sync_native", Tag::Byte(17), &[], &["account"]),
    layout("initialize_account_3", Tag::Byte(18), &[("owner", Kind::Key)], &["account", "mint"]),
    layout("initialize_mint_2", Tag::Byte(20), &[("decimals", Kind::U8)], &["mint"]),
    layout("get_account_data_size", Tag::Byte(21), &[], &["mint"]),
    layout("initialize_immutable_owner", Tag::Byte(22), &[], &["account"]),
];

const ASSOCIATED_TOKEN: &[Layout] = &[
    layout("create", Tag::Byte(0), &[], ATA_ACCOUNTS),
    layout("create_idempotent", Tag::Byte(1), &[], ATA_ACCOUNTS),
    layout("recover_nested", Tag::Byte(2), &[], &[]),
];

const ADDRESS_LOOKUP_TABLE: &[Layout] = &[
    layout(
        "create",
        Tag::Word(0),
        &[("recent_slot", Kind::U64), ("bump", Kind::U8)],
        &["table", "authority", "payer", "system"],
    ),
    layout("freeze", Tag::Word(1), &[], &["table", "authority"]),
    layout(
        "extend",
        Tag::Word(2),
        &[("count", Kind::U64)],
        &["table", "authority", "payer", "system"],
    ),
    layout("deactivate", Tag::Word(3), &[], &["table", "authority"]),
    layout("close", Tag::Word(4), &[], &["table", "authority", "recipient"]),
];

const IN_MIN_OUT: &[(&str, Kind)] = &[("in_raw", Kind::U64), ("min_out_raw", Kind::U64)];
const MAX_IN_OUT: &[(&str, Kind)] = &[("max_in_raw", Kind::U64), ("out_raw", Kind::U64)];
const OUT_MAX_IN: &[(&str, Kind)] = &[("out_raw", Kind::U64), ("max_in_raw", Kind::U64)];

/// The accounts that the first versions of Raydium's swap name.
const RAYDIUM_AMM_17: &[&str] = &[
    "token_program",
    "amm",
    "authority",
    "open_orders",
    "coin_vault",
    "pc_vault",
    "market_program",
    "market",
    "bids",
    "asks",
    "event_queue",
    "market_coin_vault",
    "market_pc_vault",
    "vault_signer",
    "source",
    "destination",
    "user",
];
/// The same with the optional target orders.
const RAYDIUM_AMM_18: &[&str] = &[
    "token_program",
    "amm",
    "authority",
    "open_orders",
    "target_orders",
    "coin_vault",
    "pc_vault",
    "market_program",
    "market",
    "bids",
    "asks",
    "event_queue",
    "market_coin_vault",
    "market_pc_vault",
    "vault_signer",
    "source",
    "destination",
    "user",
];
const RAYDIUM_AMM_8: &[&str] = &[
    "token_program",
    "amm",
    "authority",
    "coin_vault",
    "pc_vault",
    "source",
    "destination",
    "user",
];

/// Returns the accounts of the older swap by their count: 17, or 18 with target orders.
pub(super) fn raydium_amm_accounts(count: usize) -> &'static [&'static str] {
    if count >= RAYDIUM_AMM_18.len() { RAYDIUM_AMM_18 } else { RAYDIUM_AMM_17 }
}

const RAYDIUM_AMM: &[Layout] = &[
    layout("initialize_2", Tag::Byte(1), &[], &[]),
    layout("deposit", Tag::Byte(3), &[], &[]),
    layout("withdraw", Tag::Byte(4), &[], &[]),
    layout("withdraw_pnl", Tag::Byte(7), &[], &[]),
    layout("swap_base_in", Tag::Byte(9), IN_MIN_OUT, RAYDIUM_AMM_17),
    layout("swap_base_out", Tag::Byte(11), MAX_IN_OUT, RAYDIUM_AMM_17),
    layout("swap_base_in_v2", Tag::Byte(16), IN_MIN_OUT, RAYDIUM_AMM_8),
    layout("swap_base_out_v2", Tag::Byte(17), MAX_IN_OUT, RAYDIUM_AMM_8),
];

const RAYDIUM_CPMM_ACCOUNTS: &[&str] = &[
    "user",
    "authority",
    "amm_config",
    "pool",
    "source",
    "destination",
    "input_vault",
    "output_vault",
    "input_token_program",
    "output_token_program",
    "input_mint",
    "output_mint",
    "observation",
];

const RAYDIUM_CPMM_SWAPS: &[Layout] = &[
    layout("swap_base_input", Tag::Anchor, IN_MIN_OUT, RAYDIUM_CPMM_ACCOUNTS),
    layout("swap_base_output", Tag::Anchor, MAX_IN_OUT, RAYDIUM_CPMM_ACCOUNTS),
];

const PUMPSWAP_BUY_ACCOUNTS: &[&str] = &[
    "pool",
    "user",
    "global_config",
    "base_mint",
    "quote_mint",
    "user_base",
    "user_quote",
    "base_vault",
    "quote_vault",
    "protocol_fee_recipient",
    "protocol_fee_account",
    "base_token_program",
    "quote_token_program",
    "system",
    "associated_token",
    "event_authority",
    "program",
    "creator_vault",
    "creator_vault_authority",
    "global_volume_accumulator",
    "user_volume_accumulator",
    "fee_config",
    "fee_program",
];
const PUMPSWAP_SELL_ACCOUNTS: &[&str] = &[
    "pool",
    "user",
    "global_config",
    "base_mint",
    "quote_mint",
    "user_base",
    "user_quote",
    "base_vault",
    "quote_vault",
    "protocol_fee_recipient",
    "protocol_fee_account",
    "base_token_program",
    "quote_token_program",
    "system",
    "associated_token",
    "event_authority",
    "program",
    "creator_vault",
    "creator_vault_authority",
    "fee_config",
    "fee_program",
];

const PUMPSWAP_SWAPS: &[Layout] = &[
    layout("buy", Tag::Anchor, OUT_MAX_IN, PUMPSWAP_BUY_ACCOUNTS),
    layout("buy_exact_quote_in", Tag::Anchor, IN_MIN_OUT, PUMPSWAP_BUY_ACCOUNTS),
    layout("sell", Tag::Anchor, IN_MIN_OUT, PUMPSWAP_SELL_ACCOUNTS),
];

const PUMP_SWAPS: &[Layout] = &[
    layout("buy", Tag::Anchor, OUT_MAX_IN, &[]),
    layout("buy_v2", Tag::Anchor, OUT_MAX_IN, &[]),
    layout("sell", Tag::Anchor, IN_MIN_OUT, &[]),
    layout("sell_v2", Tag::Anchor, IN_MIN_OUT, &[]),
    layout("buy_exact_sol_in", Tag::Anchor, IN_MIN_OUT, &[]),
    layout("buy_exact_quote_in_v2", Tag::Anchor, IN_MIN_OUT, &[]),
];

const WHIRLPOOL_SWAP: &[(&str, Kind)] = &[
    ("amount_raw", Kind::U64),
    ("other_amount_threshold_raw", Kind::U64),
    ("sqrt_price_limit", Kind::U128),
    ("amount_specified_is_input", Kind::Bool),
    ("a_to_b", Kind::Bool),
];

const WHIRLPOOL_SWAPS: &[Layout] = &[
    layout(
        "swap",
        Tag::Anchor,
        WHIRLPOOL_SWAP,
        &[
            "token_program",
            "user",
            "pool",
            "owner_a",
            "vault_a",
            "owner_b",
            "vault_b",
            "tick_array_0",
            "tick_array_1",
            "tick_array_2",
            "oracle",
        ],
    ),
    layout(
        "swap_v2",
        Tag::Anchor,
        WHIRLPOOL_SWAP,
        &[
            "token_program_a",
            "token_program_b",
            "memo",
            "user",
            "pool",
            "mint_a",
            "mint_b",
            "owner_a",
            "vault_a",
            "owner_b",
            "vault_b",
            "tick_array_0",
            "tick_array_1",
            "tick_array_2",
            "oracle",
        ],
    ),
    layout(
        "two_hop_swap",
        Tag::Anchor,
        &[
            ("amount_raw", Kind::U64),
            ("other_amount_threshold_raw", Kind::U64),
            ("amount_specified_is_input", Kind::Bool),
            ("a_to_b_one", Kind::Bool),
            ("a_to_b_two", Kind::Bool),
            ("sqrt_price_limit_one", Kind::U128),
            ("sqrt_price_limit_two", Kind::U128),
        ],
        &[],
    ),
];

const RAYDIUM_CLMM_SWAP: &[(&str, Kind)] = &[
    ("amount_raw", Kind::U64),
    ("other_amount_threshold_raw", Kind::U64),
    ("sqrt_price_limit", Kind::U128),
    ("is_base_input", Kind::Bool),
];

const RAYDIUM_CLMM_SWAPS: &[Layout] = &[
    layout("swap", Tag::Anchor, RAYDIUM_CLMM_SWAP, &["user", "amm_config", "pool"]),
    layout("swap_v2", Tag::Anchor, RAYDIUM_CLMM_SWAP, &["user", "amm_config", "pool"]),
];

const METEORA_DLMM_SWAPS: &[Layout] = &[
    layout("swap", Tag::Anchor, IN_MIN_OUT, &["pool"]),
    layout("swap2", Tag::Anchor, IN_MIN_OUT, &["pool"]),
];
