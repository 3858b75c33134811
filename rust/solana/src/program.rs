//! Addresses of the programs, mints and sysvars that instructions name.

use crate::Key;

/// System program.
pub const SYSTEM: Key = Key::known("11111111111111111111111111111111");
/// Compute budget program.
pub const COMPUTE_BUDGET: Key = Key::known("ComputeBudget111111111111111111111111111111");
/// SPL Token program.
pub const TOKEN: Key = Key::known("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
/// Token-2022 program.
pub const TOKEN_2022: Key = Key::known("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
/// Associated token account program.
pub const ASSOCIATED_TOKEN: Key = Key::known("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
/// Memo program, version 2.
pub const MEMO: Key = Key::known("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
/// Memo program, version 1: read, never built.
pub const MEMO_V1: Key = Key::known("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo");
/// Address lookup table program.
pub const ADDRESS_LOOKUP_TABLE: Key = Key::known("AddressLookupTab1e1111111111111111111111111");
/// Raydium AMM v4.
pub const RAYDIUM_AMM: Key = Key::known("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8");
/// Raydium CPMM.
pub const RAYDIUM_CPMM: Key = Key::known("CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C");
/// PumpSwap.
pub const PUMPSWAP: Key = Key::known("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA");
/// Pump's bonding curves, before their coins move to PumpSwap.
pub const PUMP: Key = Key::known("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P");
/// Pump's fee program.
pub const PUMP_FEES: Key = Key::known("pfeeUxB6jkeY1Hxd7CsFCAjcbHA9rWtchMGdZ6VojVZ");
/// Orca Whirlpool.
pub const WHIRLPOOL: Key = Key::known("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc");
/// Orca Whirlpool, its deployment that cannot be changed.
pub const WHIRLPOOL_IMMUTABLE: Key = Key::known("iwhrLHdsgrvmnwU8GF2FSmyabSMjfHwFGJAX2ufJ3ZN");
/// Jupiter's aggregator, version 6.
pub const JUPITER: Key = Key::known("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4");
/// Mint of wrapped SOL.
pub const WRAPPED_SOL: Key = Key::known("So11111111111111111111111111111111111111112");
/// Mint of USDC.
pub const USDC: Key = Key::known("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");
/// Sysvar that older nonce instructions name.
pub const RECENT_BLOCKHASHES: Key = Key::known("SysvarRecentB1ockHashes11111111111111111111");
/// Sysvar of the rent.
pub const RENT: Key = Key::known("SysvarRent111111111111111111111111111111111");
