//! One pool of each program, keys made from a byte.
#![allow(missing_docs, reason = "tests")]

use utb_solana::instruction::swap::{MintOf, SwapPool};
use utb_solana::instruction::{pumpswap, raydium_amm, raydium_cpmm, whirlpool};
use utb_solana::{Key, program};

/// Returns 32 times the byte.
pub(crate) fn key(byte: u8) -> Key {
    Key([byte; 32])
}

/// Returns a mint of the classic token program.
pub(crate) fn mint(byte: u8) -> MintOf {
    MintOf { mint: key(byte), token_program: program::TOKEN }
}

/// Returns a pool of each program; every one trades mint 1 against mint 2.
pub(crate) fn pools() -> [SwapPool; 4] {
    [
        SwapPool::RaydiumAmm(raydium_amm::Pool {
            pool: key(10),
            coin_vault: key(11),
            pc_vault: key(12),
            coin_mint: key(1),
            pc_mint: key(2),
        }),
        SwapPool::RaydiumCpmm(raydium_cpmm::Pool {
            pool: key(20),
            amm_config: key(21),
            vault_0: key(22),
            vault_1: key(23),
            token_0: mint(1),
            token_1: mint(2),
            observation: key(24),
        }),
        SwapPool::PumpSwap(pumpswap::Pool {
            pool: key(30),
            base: mint(1),
            quote: mint(2),
            base_vault: key(31),
            quote_vault: key(32),
            coin_creator: key(33),
            cashback: false,
            protocol_fee_recipient: key(34),
            buyback_fee_recipient: key(35),
        }),
        SwapPool::Whirlpool(whirlpool::Pool {
            program: program::WHIRLPOOL,
            pool: key(40),
            token_a: mint(1),
            token_b: mint(2),
            vault_a: key(41),
            vault_b: key(42),
            tick_arrays: [key(43), key(44), key(45)],
            oracle: key(46),
        }),
    ]
}
