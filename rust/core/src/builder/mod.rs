//! Messages of one wallet from templates: compiled once per shape, then patched in place.

mod named;
mod order;
mod read;
mod template;
mod write;

pub use named::instruction_named;
pub use order::{ChainOrder, Guard, OrderLeg, Tip};
pub use read::{LegRequest, OrderRequest, read_instructions, read_tables};
use template::Template;
use utb_solana::Key;
use utb_solana::instruction::swap::SwapPool;
use utb_solana::message::{LookupTable, SIGNATURE_BYTES};
pub use write::write_instruction;

use crate::CoreError;

/// Templates that are kept; the one unused for longest makes room.
const TEMPLATES_MAX: usize = 64;

/// Builds the messages of one wallet, which pays and signs alone.
#[derive(Clone, Debug)]
pub struct TransactionBuilder {
    wallet: Key,
    tables: Vec<LookupTable>,
    templates: Vec<Template>,
    builds: u64,
}

/// A built transaction that waits for its signature.
#[derive(Debug)]
pub struct Built<'a>(&'a mut Template);

impl<'a> Built<'a> {
    /// Returns the message: what is signed.
    #[inline]
    pub fn message(&self) -> &[u8] {
        self.0.message()
    }

    /// Puts the wallet's signature in and returns the transaction.
    ///
    /// # Errors
    ///
    /// None that a built transaction can cause.
    #[inline]
    pub fn signed(self, signature: &[u8; SIGNATURE_BYTES]) -> Result<&'a [u8], CoreError> {
        self.0.sign(signature)
    }
}

impl TransactionBuilder {
    /// Returns a builder; `tables` are our own lookup tables, as they are on the chain.
    pub fn new(wallet: Key, tables: Vec<LookupTable>) -> Self {
        Self { wallet, tables, templates: Vec::new(), builds: 0 }
    }

    /// Returns the wallet.
    pub fn wallet(&self) -> Key {
        self.wallet
    }

    /// Builds an order's transaction: patches its shape's template, or compiles one.
    ///
    /// # Errors
    ///
    /// Returns [`CoreError`] if an amount or the guard's lamports are 0, the tip account is in one
    /// of our tables, a pool does not trade the input, or the whole is above 1232 bytes.
    #[inline]
    pub fn build(
        &mut self,
        order: &ChainOrder<'_>,
        blockhash: &Key,
    ) -> Result<Built<'_>, CoreError> {
        order.check()?;
        self.builds += 1;
        let at = match self.templates.iter().position(|it| it.fits(order)) {
            Some(at) => {
                if let Some(template) = self.templates.get_mut(at) {
                    template.patch(self.wallet, order, blockhash)?;
                }
                at
            }
            None => self.add(order, *blockhash)?,
        };
        let builds = self.builds;
        let template = self.templates.get_mut(at);
        let template = template.ok_or_else(|| CoreError::range("template", at, "kept"))?;
        template.used = builds;
        Ok(Built(template))
    }

    /// Builds an order that names its pools, whose keys `resolve` knows.
    ///
    /// # Errors
    ///
    /// Returns what `resolve` returns, and the errors of [`TransactionBuilder::build`].
    pub fn build_request(
        &mut self,
        request: &OrderRequest<'_>,
        blockhash: &Key,
        resolve: impl Fn(&LegRequest<'_>) -> Result<SwapPool, CoreError>,
    ) -> Result<Built<'_>, CoreError> {
        let pools: Vec<SwapPool> =
            request.legs.iter().map(resolve).collect::<Result<_, CoreError>>()?;
        let leg = |(pool, leg): (_, &LegRequest<'_>)| OrderLeg {
            pool,
            input_mint: leg.input_mint,
            amounts: leg.amounts,
        };
        let legs: Vec<OrderLeg<'_>> = pools.iter().zip(&request.legs).map(leg).collect();
        let order = ChainOrder {
            unit_limit: request.unit_limit,
            unit_price: request.unit_price,
            guard: request.guard,
            create_accounts: &request.create_accounts,
            legs: &legs,
            memo: request.memo,
            tip: request.tip,
        };
        self.build(&order, blockhash)
    }

    /// Compiles a template and returns its place.
    #[cold]
    fn add(&mut self, order: &ChainOrder<'_>, blockhash: Key) -> Result<usize, CoreError> {
        if let Some(tip) = order.tip
            && self.tables.iter().any(|table| table.addresses.contains(&tip.account))
        {
            let expected = "outside the lookup tables: relays count static accounts only";
            return Err(CoreError::range("tip account", tip.account, expected));
        }
        let template = Template::compile(self.wallet, &self.tables, order, blockhash)?;
        if self.templates.len() < TEMPLATES_MAX {
            self.templates.push(template);
            return Ok(self.templates.len() - 1);
        }
        let oldest = self.templates.iter().enumerate().min_by_key(|(_, it)| it.used);
        let at = oldest.map_or(0, |(at, _)| at);
        if let Some(place) = self.templates.get_mut(at) {
            *place = template;
        }
        Ok(at)
    }
}
