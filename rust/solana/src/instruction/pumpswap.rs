//! PumpSwap: `buy_exact_quote_in` and `sell` with the accounts of 2026.
//!
//! After the accounts of the program's description come the remaining ones, in this order:
//! cashback accounts (coins with cashback only), the coin's second pool address (coins with a
//! creator only), a buyback recipient and its quote account. A swap without them fails.

use super::swap::{Amounts, MintOf, Trader};
use super::{AccountMeta, Instruction};
use crate::{Key, SolanaError, pda, program};

/// The program's settings: fee recipients among them.
pub const GLOBAL_CONFIG: Key = Key::known("ADyA8hdefvWN2dbGGWFotbzWxrAvLW83WG6QCVXvJKqw");
/// Signs the program's events.
pub const EVENT_AUTHORITY: Key = Key::known("GS4CU59F31iL7aR2Q8zVS8DRrcRnXX1yjQ66TqNVQnaR");
/// Volume of all users.
pub const GLOBAL_VOLUME_ACCUMULATOR: Key =
    Key::known("C2aFPdENg4A2HQsmrd5rTw5TaYBX5Ku887cWjbFKtZpw");
/// Fee tiers.
pub const FEE_CONFIG: Key = Key::known("5PHirr8joyTMp9JMm6nW7hNDVyEYdkzDqazxPD7RaTjx");
const BUY_EXACT_QUOTE_IN: [u8; 8] = [0xc6, 0x2e, 0x15, 0x52, 0xb4, 0xd9, 0xe8, 0x70];
const SELL: [u8; 8] = [0x33, 0xe6, 0x85, 0xa4, 0x01, 0x7f, 0x83, 0xad];
const TRACK_VOLUME: u8 = 1;

/// Keys of a pool and the fee recipients in force, read from the pool and the global config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// `Pool` account.
    pub pool: Key,
    /// Base token.
    pub base: MintOf,
    /// Quote token.
    pub quote: MintOf,
    /// Vault of the base token.
    pub base_vault: Key,
    /// Vault of the quote token.
    pub quote_vault: Key,
    /// Zero: the coin has no creator fee.
    pub coin_creator: Key,
    /// Whether the coin pays cashback.
    pub cashback: bool,
    /// One of the global config's; of its reserved ones for mayhem pools.
    pub protocol_fee_recipient: Key,
    /// One of the global config's.
    pub buyback_fee_recipient: Key,
}

impl Pool {
    /// Returns the purchase of base for an exact quote.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::NoProgramAddress`] if an address cannot be made.
    pub fn buy_exact_quote_in(
        &self,
        trader: &Trader,
        amounts: Amounts,
    ) -> Result<Instruction, SolanaError> {
        let accumulator = user_volume_accumulator(&trader.user)?;
        let mut accounts = self.shared(trader.user, trader.destination, trader.source)?;
        accounts.extend([
            AccountMeta::readonly(GLOBAL_VOLUME_ACCUMULATOR),
            AccountMeta::writable(accumulator),
            AccountMeta::readonly(FEE_CONFIG),
            AccountMeta::readonly(program::PUMP_FEES),
        ]);
        if self.cashback {
            accounts.push(AccountMeta::writable(self.quote.account_of(&accumulator)?));
        }
        self.push_remaining(&mut accounts)?;
        let data: [&[u8]; 3] = [&BUY_EXACT_QUOTE_IN, &amounts.to_bytes(), &[TRACK_VOLUME]];
        Ok(Instruction::of(program::PUMPSWAP, &accounts, &data))
    }

    /// Returns the sale of exact base.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::NoProgramAddress`] if an address cannot be made.
    pub fn sell(&self, trader: &Trader, amounts: Amounts) -> Result<Instruction, SolanaError> {
        let mut accounts = self.shared(trader.user, trader.source, trader.destination)?;
        accounts
            .extend([AccountMeta::readonly(FEE_CONFIG), AccountMeta::readonly(program::PUMP_FEES)]);
        if self.cashback {
            let accumulator = user_volume_accumulator(&trader.user)?;
            accounts.push(AccountMeta::writable(self.quote.account_of(&accumulator)?));
            accounts.push(AccountMeta::writable(accumulator));
        }
        self.push_remaining(&mut accounts)?;
        let data: [&[u8]; 2] = [&SELL, &amounts.to_bytes()];
        Ok(Instruction::of(program::PUMPSWAP, &accounts, &data))
    }

    /// Returns the first 19 accounts, the same in both directions.
    fn shared(
        &self,
        user: Key,
        user_base: Key,
        user_quote: Key,
    ) -> Result<Vec<AccountMeta>, SolanaError> {
        let creator_authority = creator_vault_authority(&self.coin_creator)?;
        Ok(vec![
            AccountMeta::writable(self.pool),
            AccountMeta::writable_signer(user),
            AccountMeta::readonly(GLOBAL_CONFIG),
            AccountMeta::readonly(self.base.mint),
            AccountMeta::readonly(self.quote.mint),
            AccountMeta::writable(user_base),
            AccountMeta::writable(user_quote),
            AccountMeta::writable(self.base_vault),
            AccountMeta::writable(self.quote_vault),
            AccountMeta::readonly(self.protocol_fee_recipient),
            AccountMeta::writable(self.quote.account_of(&self.protocol_fee_recipient)?),
            AccountMeta::readonly(self.base.token_program),
            AccountMeta::readonly(self.quote.token_program),
            AccountMeta::readonly(program::SYSTEM),
            AccountMeta::readonly(program::ASSOCIATED_TOKEN),
            AccountMeta::readonly(EVENT_AUTHORITY),
            AccountMeta::readonly(program::PUMPSWAP),
            AccountMeta::writable(self.quote.account_of(&creator_authority)?),
            AccountMeta::readonly(creator_authority),
        ])
    }

    fn push_remaining(&self, accounts: &mut Vec<AccountMeta>) -> Result<(), SolanaError> {
        if self.coin_creator != Key::default() {
            accounts.push(AccountMeta::readonly(pool_v2(&self.base.mint)?));
        }
        let recipient = self.buyback_fee_recipient;
        accounts.push(AccountMeta::readonly(recipient));
        accounts.push(AccountMeta::writable(self.quote.account_of(&recipient)?));
        Ok(())
    }
}

/// Returns the account that counts a user's volume.
///
/// # Errors
///
/// Returns [`SolanaError::NoProgramAddress`] if there is none.
pub fn user_volume_accumulator(user: &Key) -> Result<Key, SolanaError> {
    derived(&[b"user_volume_accumulator", &user.0])
}

/// Returns the account that owns a coin creator's fees.
///
/// # Errors
///
/// Returns [`SolanaError::NoProgramAddress`] if there is none.
pub fn creator_vault_authority(coin_creator: &Key) -> Result<Key, SolanaError> {
    derived(&[b"creator_vault", &coin_creator.0])
}

/// Returns a coin's second pool address.
///
/// # Errors
///
/// Returns [`SolanaError::NoProgramAddress`] if there is none.
pub fn pool_v2(base_mint: &Key) -> Result<Key, SolanaError> {
    derived(&[b"pool-v2", &base_mint.0])
}

fn derived(seeds: &[&[u8]]) -> Result<Key, SolanaError> {
    pda::find_program_address(seeds, &program::PUMPSWAP).map(|(key, _)| key)
}
