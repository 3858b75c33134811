//! Instructions: a program, its accounts and its data, one module per program.

pub mod associated_token;
pub mod compute_budget;
pub mod memo;
pub mod pumpswap;
pub mod raydium_amm;
pub mod raydium_cpmm;
pub mod swap;
pub mod system;
pub mod token;
pub mod token2022;
pub mod whirlpool;

use crate::Key;

/// An account an instruction names, and what the instruction needs of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountMeta {
    /// Its address.
    pub key: Key,
    /// Whether it must sign.
    pub signer: bool,
    /// Whether it may change.
    pub writable: bool,
}

impl AccountMeta {
    /// Returns an account that is only read.
    pub const fn readonly(key: Key) -> Self {
        Self { key, signer: false, writable: false }
    }

    /// Returns an account that may change.
    pub const fn writable(key: Key) -> Self {
        Self { key, signer: false, writable: true }
    }

    /// Returns an account that signs.
    pub const fn signer(key: Key) -> Self {
        Self { key, signer: true, writable: false }
    }

    /// Returns an account that signs and may change.
    pub const fn writable_signer(key: Key) -> Self {
        Self { key, signer: true, writable: true }
    }
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The program that runs it.
    pub program: Key,
    /// Its accounts, in the program's order.
    pub accounts: Vec<AccountMeta>,
    /// Its data.
    pub data: Vec<u8>,
}

impl Instruction {
    /// Returns an instruction whose data are the given parts, one after another.
    fn of(program: Key, accounts: &[AccountMeta], parts: &[&[u8]]) -> Self {
        Self { program, accounts: accounts.to_vec(), data: parts.concat() }
    }
}
