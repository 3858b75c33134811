//! A compiled transaction whose changing fields are overwritten in place.

use utb_solana::instruction::swap::{MintOf, SwapPool};
use utb_solana::message::{InstructionView, LookupTable, MessageView, SIGNATURE_BYTES, compile_v0};
use utb_solana::{Key, SolanaError, transaction};

use super::order::{ChainOrder, Guard};
use crate::CoreError;

/// Where the message starts: behind the number of signatures (1) and the wallet's signature.
const MESSAGE_AT: usize = 1 + SIGNATURE_BYTES;
/// Within a message of version 0: version byte, header, number of keys (below 128: one byte).
const KEYS_AT: usize = 5;
/// Within the guard instruction: tag and base key come before the seed's length.
const SEED_AT: usize = 4 + 32 + 8;
/// Within a System transfer: the tag.
const LAMPORTS_AT: usize = 4;

/// What does not change between two orders of the same template.
#[derive(Clone, Debug)]
struct Shape {
    legs: Vec<(SwapPool, Key)>,
    create_accounts: Vec<MintOf>,
    guard_seed_bytes: Option<usize>,
    memo_bytes: Option<usize>,
    tip: Option<Key>,
}

impl Shape {
    fn of(order: &ChainOrder<'_>) -> Self {
        Self {
            legs: order.legs.iter().map(|leg| (leg.pool.clone(), leg.input_mint)).collect(),
            create_accounts: order.create_accounts.to_vec(),
            guard_seed_bytes: order.guard.map(|guard| guard.seed.len()),
            memo_bytes: order.memo.map(<[u8]>::len),
            tip: order.tip.map(|tip| tip.account),
        }
    }

    fn fits(&self, order: &ChainOrder<'_>) -> bool {
        self.guard_seed_bytes == order.guard.map(|guard| guard.seed.len())
            && self.memo_bytes == order.memo.map(<[u8]>::len)
            && self.tip == order.tip.map(|tip| tip.account)
            && self.create_accounts == order.create_accounts
            && self.legs.len() == order.legs.len()
            && self
                .legs
                .iter()
                .zip(order.legs)
                .all(|((pool, input), leg)| *input == leg.input_mint && pool == leg.pool)
    }
}

/// Offsets of the guard's parts in the transaction.
#[derive(Clone, Copy, Debug)]
struct GuardAt {
    key: usize,
    seed: usize,
    lamports: usize,
}

/// Offsets of the fields in the transaction.
#[derive(Clone, Debug)]
struct Offsets {
    blockhash: usize,
    unit_limit: usize,
    unit_price: usize,
    guard: Option<GuardAt>,
    legs: Vec<usize>,
    memo: Option<usize>,
    tip: Option<usize>,
}

/// A transaction of one shape: signature count, room for the signature, message.
#[derive(Clone, Debug)]
pub(super) struct Template {
    shape: Shape,
    at: Offsets,
    bytes: Vec<u8>,
    /// Of its last use, by the builder's count.
    pub(super) used: u64,
}

impl Template {
    /// Compiles an order's shape.
    ///
    /// A guard's key stays where the first guard of the shape stood: the order within a class of
    /// keys has no meaning to the chain.
    pub(super) fn compile(
        wallet: Key,
        tables: &[LookupTable],
        order: &ChainOrder<'_>,
        blockhash: Key,
    ) -> Result<Self, CoreError> {
        let instructions = order.instructions(wallet)?;
        let message = compile_v0(wallet, &instructions, tables, blockhash)?;
        let view = MessageView::parse(&message)?;
        if view.header().signers != 1 {
            let signers = view.header().signers;
            return Err(CoreError::range("signers", signers, "1: the wallet signs alone"));
        }
        let at = Offsets::find(&view, wallet, order)?;
        let bytes = transaction::assemble(&message, &[[0; SIGNATURE_BYTES]])?;
        Ok(Self { shape: Shape::of(order), at, bytes, used: 0 })
    }

    /// Returns whether an order differs from this template in patched fields only.
    #[inline]
    pub(super) fn fits(&self, order: &ChainOrder<'_>) -> bool {
        self.shape.fits(order)
    }

    /// Overwrites every changing field; allocates nothing.
    #[inline]
    pub(super) fn patch(
        &mut self,
        wallet: Key,
        order: &ChainOrder<'_>,
        blockhash: &Key,
    ) -> Result<(), CoreError> {
        let Self { at, bytes, .. } = self;
        put(bytes, at.blockhash, &blockhash.0)?;
        put(bytes, at.unit_limit, &order.unit_limit.to_le_bytes())?;
        put(bytes, at.unit_price, &order.unit_price.to_le_bytes())?;
        for (leg, leg_at) in order.legs.iter().zip(&at.legs) {
            put(bytes, *leg_at, &leg.amounts.to_bytes())?;
        }
        if let (Some(guard), Some(guard_at)) = (&order.guard, &at.guard) {
            put_guard(bytes, *guard_at, wallet, guard)?;
        }
        if let (Some(text), Some(memo_at)) = (order.memo, at.memo) {
            put(bytes, memo_at, text)?;
        }
        if let (Some(tip), Some(tip_at)) = (order.tip, at.tip) {
            put(bytes, tip_at, &tip.lamports.to_le_bytes())?;
        }
        Ok(())
    }

    /// Returns the message: what is signed.
    #[inline]
    pub(super) fn message(&self) -> &[u8] {
        self.bytes.get(MESSAGE_AT..).unwrap_or_default()
    }

    /// Writes the wallet's signature and returns the transaction.
    #[inline]
    pub(super) fn sign(&mut self, signature: &[u8; SIGNATURE_BYTES]) -> Result<&[u8], CoreError> {
        put(&mut self.bytes, 1, signature)?;
        Ok(&self.bytes)
    }
}

impl Offsets {
    /// Finds the fields of a freshly compiled message; its instructions are in the order's order.
    fn find(
        view: &MessageView<'_>,
        wallet: Key,
        order: &ChainOrder<'_>,
    ) -> Result<Self, CoreError> {
        let key_count = view.static_keys().len();
        let mut instructions = view.instructions();
        let mut next = |field| data_at(&mut instructions, field);
        let unit_limit = next("unit_limit")? + 1;
        let unit_price = next("unit_price")? + 1;
        let guard = match &order.guard {
            None => None,
            Some(guard) => {
                let data = next("guard")?;
                let address = guard.account(wallet).address()?;
                let index = view.static_keys().iter().position(|key| *key == address.0);
                let index = index.ok_or_else(|| missing("guard key"))?;
                let seed = data + SEED_AT;
                let key = MESSAGE_AT + KEYS_AT + index * 32;
                Some(GuardAt { key, seed, lamports: seed + guard.seed.len() })
            }
        };
        for _ in order.create_accounts {
            next("create_accounts")?;
        }
        let legs = order.legs.iter().map(|leg| Ok(next("legs")? + leg.pool.amounts_offset()));
        let legs = legs.collect::<Result<_, CoreError>>()?;
        let memo = order.memo.map(|_| next("memo")).transpose()?;
        let tip = order.tip.map(|_| Ok::<_, CoreError>(next("tip")? + LAMPORTS_AT)).transpose()?;
        let blockhash = MESSAGE_AT + KEYS_AT + key_count * 32;
        Ok(Self { blockhash, unit_limit, unit_price, guard, legs, memo, tip })
    }
}

/// Returns where the next instruction's data starts in the transaction.
fn data_at<'a>(
    instructions: &mut impl Iterator<Item = InstructionView<'a>>,
    field: &'static str,
) -> Result<usize, CoreError> {
    let instruction = instructions.next().ok_or_else(|| missing(field))?;
    Ok(MESSAGE_AT + instruction.data_offset)
}

fn put_guard(
    bytes: &mut [u8],
    at: GuardAt,
    wallet: Key,
    guard: &Guard<'_>,
) -> Result<(), CoreError> {
    let address = guard.account(wallet).address()?;
    put(bytes, at.key, &address.0)?;
    put(bytes, at.seed, guard.seed)?;
    put(bytes, at.lamports, &guard.lamports.to_le_bytes())
}

#[inline]
fn put(bytes: &mut [u8], at: usize, value: &[u8]) -> Result<(), CoreError> {
    let field = bytes.get_mut(at..).and_then(|rest| rest.get_mut(..value.len()));
    field.ok_or_else(|| missing("template field"))?.copy_from_slice(value);
    Ok(())
}

#[cold]
fn missing(field: &'static str) -> CoreError {
    CoreError::Chain(SolanaError::range(field, "not in the message", "a part of it"))
}
