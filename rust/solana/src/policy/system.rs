//! The System program: tips, wrapping, guards and their rent.

use super::claim::Kind;
use super::code::{Code, Refusal};
use super::judge::Judge;
use crate::message::InstructionView;
use crate::{Key, pda, program};

/// Bytes of a guard's seed: the intent id as text.
const SEED_BYTES: usize = 16;

struct Seeded {
    base: Key,
    seed: [u8; SEED_BYTES],
    lamports: u64,
    space: u64,
    owner: Key,
}

impl Judge<'_> {
    pub(super) fn system(&mut self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        let Some((tag, rest)) = instruction.data.split_first_chunk::<4>() else {
            return self.other_system(None);
        };
        match u32::from_le_bytes(*tag) {
            2 => self.transfer(instruction, rest),
            3 => self.create_with_seed(instruction, rest),
            11 => self.transfer_with_seed(instruction, rest),
            1 | 10 => self.demand(false, Code::Assign, || "assign gives an account to a program"),
            4..=7 | 12 => self.demand(false, Code::Nonce, || "a nonce instruction"),
            tag => self.other_system(Some(tag)),
        }
    }

    fn other_system(&self, tag: Option<u32>) -> Result<(), Refusal> {
        self.demand(false, Code::InstructionNotAllowed, || format!("System instruction {tag:?}"))
    }

    fn transfer(
        &mut self,
        instruction: &InstructionView<'_>,
        lamports: &[u8],
    ) -> Result<(), Refusal> {
        self.shape(instruction, 12, 2)?;
        let lamports = lamports.first_chunk().map_or(u64::MAX, |it| u64::from_le_bytes(*it));
        let target = self.key(instruction, 1)?;
        let from = self.key(instruction, 0)?;
        self.authority(&from)?;
        let wraps = self.policy.is_own(&target, &program::WRAPPED_SOL, &program::TOKEN);
        if wraps {
            // It stays the wallet's.
            return Ok(());
        }
        self.demand(self.policy.takes_tips(&target), Code::TransferTarget, || {
            format!("{lamports} lamports to {target}")
        })?;
        self.tally.tips += 1;
        self.tally.tip_lamports = self.tally.tip_lamports.saturating_add(lamports);
        let (sum, most) = (self.tally.tip_lamports, self.policy.limits.tip_lamports_max);
        self.demand(self.tally.tips == 1, Code::TipCount, || "more than one tip")?;
        self.demand(sum <= most, Code::TipCap, || format!("tip of {sum} lamports, cap {most}"))
    }

    /// The guard: `createAccountWithSeed` of an empty account that a second landing cannot repeat.
    fn create_with_seed(
        &mut self,
        instruction: &InstructionView<'_>,
        data: &[u8],
    ) -> Result<(), Refusal> {
        let from = self.key(instruction, 0)?;
        let target = self.key(instruction, 1)?;
        self.authority(&from)?;
        let made = seeded(data);
        let most = self.policy.limits.guard_lamports_max;
        let wallet = self.policy.wallet;
        let plain = made.as_ref().is_some_and(|it| {
            it.base == wallet
                && it.owner == program::SYSTEM
                && it.space == 0
                && it.lamports > 0
                && it.lamports <= most
                && guard_of(&wallet, &it.seed) == Some(target)
        });
        self.demand(plain, Code::Guard, || {
            format!("a guard is empty, of the wallet, with 1 to {most} lamports")
        })?;
        let ours = made.as_ref().is_some_and(|it| it.seed == self.claim.text().as_bytes());
        self.demand(ours, Code::Intent, || "the guard is not the claimed intent's")?;
        self.tally.guards += 1;
        let first = self.tally.guards == 1 && self.tally.flows.is_empty();
        let placed = first && self.claim.kind == Kind::Exit;
        self.demand(placed, Code::Guard, || "one guard, before the swaps of an exit")?;
        let lamports = made.map_or(most, |it| it.lamports);
        self.tally.rent_lamports = self.tally.rent_lamports.saturating_add(lamports);
        Ok(())
    }

    /// A guard's rent back to the wallet.
    fn transfer_with_seed(
        &mut self,
        instruction: &InstructionView<'_>,
        data: &[u8],
    ) -> Result<(), Refusal> {
        // lamports 8, seed length 8, seed 16, owner 32
        let from = self.key(instruction, 0)?;
        let base = self.key(instruction, 1)?;
        let target = self.key(instruction, 2)?;
        self.authority(&base)?;
        let seed = data.get(8..).and_then(seed_of);
        let owned = data.get(16 + SEED_BYTES..).is_some_and(|it| it == program::SYSTEM.as_ref());
        let guard = seed.is_some_and(|it| guard_of(&self.policy.wallet, &it) == Some(from));
        let home = self.is_wallet(&target);
        self.demand(guard && owned && home, Code::GuardRecovery, || {
            format!("from {from} to {target}: expected from a guard to the wallet")
        })?;
        self.tally.recovered += 1;
        Ok(())
    }
}

/// Returns the address of a guard.
fn guard_of(wallet: &Key, seed: &[u8]) -> Option<Key> {
    pda::create_with_seed(wallet, seed, &program::SYSTEM).ok()
}

/// Reads a seed with its length.
fn seed_of(data: &[u8]) -> Option<[u8; SEED_BYTES]> {
    let (length, rest) = data.split_first_chunk::<8>()?;
    let known = u64::from_le_bytes(*length) == SEED_BYTES as u64;
    known.then(|| rest.first_chunk().copied()).flatten()
}

/// base 32, seed with length, lamports 8, space 8, owner 32; nothing after it.
fn seeded(data: &[u8]) -> Option<Seeded> {
    let (base, rest) = data.split_first_chunk::<32>()?;
    let seed = seed_of(rest)?;
    let (lamports, rest) = rest.get(8 + SEED_BYTES..)?.split_first_chunk::<8>()?;
    let (space, rest) = rest.split_first_chunk::<8>()?;
    let owner = <[u8; 32]>::try_from(rest).ok()?;
    Some(Seeded {
        base: Key(*base),
        seed,
        lamports: u64::from_le_bytes(*lamports),
        space: u64::from_le_bytes(*space),
        owner: Key(owner),
    })
}
