//! Instructions of Anchor programs that are named and not read.

/// Jupiter's instructions.
pub(super) const JUPITER: &[&str] = &[
    "route",
    "route_with_token_ledger",
    "shared_accounts_route",
    "shared_accounts_route_with_token_ledger",
    "exact_out_route",
    "shared_accounts_exact_out_route",
    "route_v2",
    "shared_accounts_route_v2",
    "exact_out_route_v2",
    "shared_accounts_exact_out_route_v2",
    "create_token_ledger",
    "set_token_ledger",
    "create_open_orders",
    "create_token_account",
    "claim",
    "claim_token",
];
/// CPMM's instructions beside its swaps.
pub(super) const RAYDIUM_CPMM: &[&str] = &[
    "initialize",
    "initialize_with_permission",
    "deposit",
    "withdraw",
    "create_amm_config",
    "update_amm_config",
    "update_pool_status",
    "collect_protocol_fee",
    "collect_fund_fee",
    "collect_creator_fee",
];
/// `PumpSwap`'s instructions beside its swaps.
pub(super) const PUMPSWAP: &[&str] = &[
    "create_pool",
    "deposit",
    "withdraw",
    "extend_account",
    "init_user_volume_accumulator",
    "close_user_volume_accumulator",
    "sync_user_volume_accumulator",
    "claim_token_incentives",
    "claim_cashback",
    "collect_coin_creator_fee",
    "set_coin_creator",
];
/// Pump's instructions beside its swaps.
pub(super) const PUMP: &[&str] = &[
    "create",
    "create_v2",
    "migrate",
    "extend_account",
    "collect_creator_fee",
    "init_user_volume_accumulator",
    "claim_cashback",
    "claim_token_incentives",
];
/// Whirlpool's instructions beside its swaps.
pub(super) const WHIRLPOOL: &[&str] = &[
    "two_hop_swap_v2",
    "open_position",
    "open_position_with_metadata",
    "open_position_with_token_extensions",
    "close_position",
    "close_position_with_token_extensions",
    "increase_liquidity",
    "increase_liquidity_v2",
    "decrease_liquidity",
    "decrease_liquidity_v2",
    "update_fees_and_rewards",
    "collect_fees",
    "collect_fees_v2",
    "collect_reward",
    "collect_reward_v2",
    "initialize_pool",
    "initialize_pool_v2",
    "initialize_tick_array",
    "initialize_dynamic_tick_array",
];
/// Raydium CLMM's instructions beside its swaps.
pub(super) const RAYDIUM_CLMM: &[&str] = &[
    "create_pool",
    "open_position",
    "open_position_v2",
    "open_position_with_token22_nft",
    "close_position",
    "increase_liquidity",
    "increase_liquidity_v2",
    "decrease_liquidity",
    "decrease_liquidity_v2",
    "swap_router_base_in",
];
/// Meteora DLMM's instructions beside its swaps.
pub(super) const METEORA_DLMM: &[&str] = &[
    "swap_exact_out",
    "swap_exact_out2",
    "swap_with_price_impact",
    "initialize_lb_pair",
    "initialize_lb_pair2",
    "initialize_customizable_permissionless_lb_pair",
    "initialize_bin_array",
    "initialize_position",
    "add_liquidity",
    "add_liquidity2",
    "add_liquidity_by_strategy",
    "add_liquidity_by_strategy2",
    "remove_liquidity",
    "remove_liquidity2",
    "remove_liquidity_by_range",
    "claim_fee",
    "claim_fee2",
    "close_position",
];
/// Meteora DAMM v2's instructions.
pub(super) const METEORA_DAMM_V2: &[&str] = &[
    "swap",
    "swap2",
    "initialize_pool",
    "add_liquidity",
    "remove_liquidity",
    "claim_position_fee",
];
