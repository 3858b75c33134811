//! Token, Token-2022 and associated token accounts.

use super::code::{Code, Refusal};
use super::judge::Judge;
use super::tally::TOKEN_ACCOUNT_LAMPORTS;
use crate::message::InstructionView;
use crate::{Key, program};

impl Judge<'_> {
    pub(super) fn token(
        &mut self,
        instruction: &InstructionView<'_>,
        program: &Key,
    ) -> Result<(), Refusal> {
        match instruction.data.first() {
            Some(3) => self.token_transfer(instruction, program, None),
            Some(12) => self.token_transfer(instruction, program, Some(1)),
            Some(4 | 13) => self.demand(false, Code::Approve, || "approve names a delegate"),
            Some(6) => self.demand(false, Code::SetAuthority, || "an account's authority"),
            Some(9) => self.close(instruction),
            Some(17) => self.sync_native(instruction),
            tag => self.demand(false, Code::InstructionNotAllowed, || {
                format!("token instruction {tag:?}")
            }),
        }
    }

    /// Returns the mint of a token account of ours, by configuration or by this message.
    pub(super) fn mint_of(&self, account: &Key) -> Option<Key> {
        let made = self.tally.created.iter().find(|(address, _)| address == account);
        self.policy.own_mint(account).or(made.map(|(_, mint)| *mint))
    }

    /// Demands that tokens go to the wallet's own account of their mint, wherever they come from.
    fn token_transfer(
        &mut self,
        instruction: &InstructionView<'_>,
        program: &Key,
        mint_at: Option<usize>,
    ) -> Result<(), Refusal> {
        let target_at = mint_at.map_or(1, |at| at + 1);
        let target = self.key(instruction, target_at)?;
        let authority = self.key(instruction, target_at + 1)?;
        self.authority(&authority)?;
        let mint = match mint_at {
            Some(at) => Some(self.key(instruction, at)?),
            None => self.mint_of(&target),
        };
        let own = mint.is_some_and(|mint| self.policy.is_own(&target, &mint, program));
        self.demand(own, Code::TokenTarget, || format!("tokens to {target}"))
    }

    fn close(&mut self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        let account = self.key(instruction, 0)?;
        let target = self.key(instruction, 1)?;
        let authority = self.key(instruction, 2)?;
        self.authority(&authority)?;
        self.demand(self.is_wallet(&target), Code::CloseTarget, || {
            format!("{account} closed to {target}")
        })
    }

    fn sync_native(&self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        self.shape(instruction, 1, 1)
    }

    /// `create` and `createIdempotent` of the wallet's own account.
    pub(super) fn token_account(
        &mut self,
        instruction: &InstructionView<'_>,
    ) -> Result<(), Refusal> {
        let plain = matches!(instruction.data, [] | [0 | 1]) && instruction.accounts.len() == 6;
        self.demand(plain, Code::InstructionNotAllowed, || {
            format!("token account instruction {:?}", instruction.data)
        })?;
        let payer = self.key(instruction, 0)?;
        let address = self.key(instruction, 1)?;
        let owner = self.key(instruction, 2)?;
        let mint = self.key(instruction, 3)?;
        let program = self.key(instruction, 5)?;
        self.authority(&payer)?;
        let known = program == program::TOKEN || program == program::TOKEN_2022;
        let own = self.is_wallet(&owner) && self.policy.is_own(&address, &mint, &program);
        self.demand(known && own, Code::TokenAccount, || {
            format!("token account {address} of {owner} for {mint}")
        })?;
        self.tally.created.push((address, mint));
        self.tally.rent_lamports = self.tally.rent_lamports.saturating_add(TOKEN_ACCOUNT_LAMPORTS);
        Ok(())
    }
}
