//! One message against the rules.

use super::claim::{Claim, Kind};
use super::code::{Code, Off, Refusal};
use super::config::{Asset, Policy};
use super::tally::Tally;
use crate::message::{InstructionView, MessageView, Source};
use crate::{Key, program};

/// Judges one message; the modules of the programs add their rules.
pub(super) struct Judge<'a> {
    pub(super) policy: &'a Policy,
    pub(super) view: MessageView<'a>,
    pub(super) claim: Claim,
    pub(super) tally: Tally,
    off: Off,
}

impl<'a> Judge<'a> {
    pub(super) fn new(policy: &'a Policy, view: MessageView<'a>, claim: Claim, off: Off) -> Self {
        Self { policy, view, claim, tally: Tally::default(), off }
    }

    /// Returns what the message can lose, in USDC raw. `repeated`: its intent was signed before.
    pub(super) fn judge(mut self, repeated: bool) -> Result<u64, Refusal> {
        self.accounts()?;
        let view = self.view;
        for instruction in view.instructions() {
            self.instruction(&instruction)?;
        }
        self.budget()?;
        self.kind(repeated)?;
        let fee = self.tally.fee_lamports(view.header().signers, view.instruction_count());
        let fees = fee + u128::from(self.tally.tip_lamports);
        let most = self.policy.limits.fee_lamports_max;
        self.demand(fees <= u128::from(most), Code::FeeCap, || {
            format!("fees and tip of {fees} lamports, cap {most}")
        })?;
        match self.tally.spend_raw(self.policy, fee) {
            Err(refusal) if !self.off.has(refusal.code) => Err(refusal),
            spend => Ok(spend.unwrap_or(u64::MAX)),
        }
    }

    /// Refuses with `code` if `holds` is false.
    pub(super) fn demand<M: Into<String>>(
        &self,
        holds: bool,
        code: Code,
        message: impl FnOnce() -> M,
    ) -> Result<(), Refusal> {
        self.off.demand(holds, code, message)
    }

    /// Returns a judged account's key.
    pub(super) fn key(&self, instruction: &InstructionView<'_>, at: usize) -> Result<Key, Refusal> {
        let Some(index) = instruction.accounts.get(at) else {
            // Too few accounts: the program would refuse, so it is none of ours.
            self.demand(false, Code::InstructionNotAllowed, || {
                format!("{} accounts, expected more", instruction.accounts.len())
            })?;
            return Ok(Key::default());
        };
        if let Some(key) = self.resolve(*index) {
            return Ok(key);
        }
        self.demand(false, Code::AccountUnresolved, || {
            format!("account {at} of an instruction stands in a table that is not pinned")
        })?;
        Ok(Key::default())
    }

    /// Returns the keys of an instruction's accounts; None stands for one that is not known.
    pub(super) fn keys(
        &self,
        instruction: &InstructionView<'_>,
    ) -> impl Iterator<Item = Option<Key>> {
        instruction.accounts.iter().map(|index| self.resolve(*index))
    }

    fn resolve(&self, index: u8) -> Option<Key> {
        match self.view.source(index)? {
            Source::Static(key) => Some(key),
            Source::Table { table, entry } => self.policy.entry(&table, entry),
        }
    }

    /// Returns whether a key is the wallet.
    pub(super) fn is_wallet(&self, key: &Key) -> bool {
        *key == self.policy.wallet
    }

    /// Demands that the wallet itself gives an order.
    pub(super) fn authority(&self, key: &Key) -> Result<(), Refusal> {
        self.demand(self.is_wallet(key), Code::Authority, || {
            format!("{key} would give the order, not the wallet")
        })
    }

    /// Demands an instruction's length of data and least number of accounts.
    pub(super) fn shape(
        &self,
        instruction: &InstructionView<'_>,
        data: usize,
        accounts: usize,
    ) -> Result<(), Refusal> {
        let found = (instruction.data.len(), instruction.accounts.len());
        self.demand(found == (data, accounts), Code::InstructionNotAllowed, || {
            format!("{} bytes and {} accounts, expected {data} and {accounts}", found.0, found.1)
        })
    }

    fn accounts(&self) -> Result<(), Refusal> {
        let header = self.view.header();
        let payer = self.view.fee_payer().unwrap_or_default();
        let alone = header.signers == 1 && self.is_wallet(&payer);
        self.demand(alone, Code::Signers, || {
            format!("{} signers, {payer} pays; expected the wallet alone", header.signers)
        })?;
        let twice = self.view.duplicate();
        self.demand(twice.is_none(), Code::DuplicateKey, || {
            format!("{} stands twice", twice.unwrap_or_default())
        })?;
        for lookup in self.view.lookups() {
            let table = Key(*lookup.table);
            let pinned = self.policy.pins(&table);
            let foreign = self.policy.limits.foreign_tables;
            self.demand(pinned || foreign, Code::TableNotPinned, || {
                format!("lookup table {table} is not pinned")
            })?;
            let missing = lookup
                .writable
                .iter()
                .chain(lookup.readonly)
                .find(|entry| self.policy.entry(&table, **entry).is_none());
            self.demand(!pinned || missing.is_none(), Code::AccountUnresolved, || {
                format!("entry {} of table {table} is not known", missing.unwrap_or(&0))
            })?;
        }
        Ok(())
    }

    fn instruction(&mut self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        let program = self.view.key(instruction.program).unwrap_or_default();
        match program {
            program::SYSTEM => self.system(instruction),
            program::COMPUTE_BUDGET => self.compute_budget(instruction),
            program::TOKEN | program::TOKEN_2022 => self.token(instruction, &program),
            program::ASSOCIATED_TOKEN => self.token_account(instruction),
            program::MEMO => self.memo(instruction),
            _ => match self.policy.venue(&program) {
                Some(venue) => self.swap(instruction, venue),
                None => self.demand(false, Code::ProgramNotAllowed, || {
                    format!("program {program} is not on the allow-list")
                }),
            },
        }
    }

    fn compute_budget(&mut self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        match instruction.data {
            [2, limit @ ..] if let Ok(limit) = limit.try_into() => {
                self.tally.unit_limits.push(u32::from_le_bytes(limit));
                Ok(())
            }
            [3, price @ ..] if let Ok(price) = price.try_into() => {
                self.tally.unit_prices.push(u64::from_le_bytes(price));
                Ok(())
            }
            // Heap size and loaded data size cost nothing beside compute units.
            [1 | 4, _, _, _, _] => Ok(()),
            data => self.demand(false, Code::InstructionNotAllowed, || {
                format!("compute budget instruction {:?} of {} bytes", data.first(), data.len())
            }),
        }
    }

    fn memo(&mut self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        self.tally.memos += 1;
        let ours = instruction.data == self.claim.text().as_bytes();
        self.demand(ours, Code::Intent, || "the memo is not the claimed intent id")?;
        self.demand(self.tally.memos == 1, Code::Intent, || "more than one memo")
    }

    fn budget(&self) -> Result<(), Refusal> {
        let (limits, prices) = (self.tally.unit_limits.len(), self.tally.unit_prices.len());
        self.demand((limits, prices) == (1, 1), Code::ComputeBudget, || {
            format!("{limits} compute-unit limits and {prices} prices, expected one of each")
        })
    }

    fn kind(&self, repeated: bool) -> Result<(), Refusal> {
        let flows = &self.tally.flows;
        let pays = flows.iter().any(|it| it.input == Asset::Usdc);
        let earns = flows.iter().any(|it| it.output == Asset::Usdc);
        let (holds, expected) = match self.claim.kind {
            Kind::Entry => (pays && !earns, "a purchase with USDC"),
            Kind::Exit => (earns && !pays, "a sale for USDC"),
            Kind::Housekeeping => (flows.is_empty() && self.tally.tips == 0, "no swap and no tip"),
        };
        self.demand(holds, Code::Kind, || format!("expected {expected}"))?;
        let trade = self.claim.kind != Kind::Housekeeping;
        self.demand(
            !trade || self.tally.recovered == 0,
            Code::GuardRecovery,
            || "a guard's rent comes back in housekeeping alone",
        )?;
        match self.claim.kind {
            Kind::Entry => self.demand(
                self.tally.memos > 0,
                Code::Intent,
                || "an entry carries its intent id as memo",
            ),
            Kind::Exit => {
                let cash = flows.iter().any(|it| it.input == Asset::Sol);
                let needed = cash || repeated;
                self.demand(
                    !needed || self.tally.guards > 0,
                    Code::GuardMissing,
                    || "an exit of wrapped SOL, and a second attempt, need a guard",
                )
            }
            Kind::Housekeeping => Ok(()),
        }
    }
}
