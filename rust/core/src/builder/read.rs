//! What to build, as `MessagePack`: arrays of the fields of `python/utb/engine/chain.py`.

use rmp::Marker;
use rmp::decode::{NumValueReadError, read_array_len, read_bin_len, read_int, read_str_len};
use utb_solana::Key;
use utb_solana::instruction::swap::{Amounts, MintOf};
use utb_solana::instruction::{AccountMeta, Instruction};
use utb_solana::message::LookupTable;

use super::order::{Guard, Tip};
use crate::CoreError;

/// One swap that is asked for, its pool by address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegRequest<'a> {
    /// Name of the pool's program.
    pub program: &'a str,
    /// Address of the pool.
    pub pool: Key,
    /// Which of its mints comes in.
    pub input_mint: Key,
    /// Exact input, least output.
    pub amounts: Amounts,
}

/// An order whose pools are addresses still; fields as in [`super::ChainOrder`].
#[derive(Clone, Debug)]
pub struct OrderRequest<'a> {
    /// Compute units.
    pub unit_limit: u32,
    /// Micro-lamports per compute unit.
    pub unit_price: u64,
    /// None: unguarded.
    pub guard: Option<Guard<'a>>,
    /// Token accounts of the wallet to open if they are not there.
    pub create_accounts: Vec<MintOf>,
    /// Swaps, in their order.
    pub legs: Vec<LegRequest<'a>>,
    /// UTF-8 text.
    pub memo: Option<&'a [u8]>,
    /// None: no tip.
    pub tip: Option<Tip>,
}

impl<'a> OrderRequest<'a> {
    /// Reads a `BuildOrder`.
    ///
    /// # Errors
    ///
    /// Returns [`CoreError::Range`] with the field that is not as described.
    pub fn read(bytes: &'a [u8]) -> Result<Self, CoreError> {
        let mut reader = Reader { rest: bytes };
        reader.array("order", 7)?;
        let order = Self {
            unit_limit: reader.integer("compute_unit_limit")?,
            unit_price: reader.integer("compute_unit_price")?,
            guard: reader.optional(Reader::guard)?,
            create_accounts: reader.list("create_token_accounts", Reader::mint)?,
            legs: reader.list("legs", Reader::leg)?,
            memo: reader.optional(|it| it.binary("memo"))?,
            tip: reader.optional(Reader::tip)?,
        };
        reader.end("order")?;
        Ok(order)
    }
}

/// Reads a list of `ForeignInstruction`.
///
/// # Errors
///
/// Returns [`CoreError::Range`] with the field that is not as described.
pub fn read_instructions(bytes: &[u8]) -> Result<Vec<Instruction>, CoreError> {
    let mut reader = Reader { rest: bytes };
    let instructions = reader.list("instructions", Reader::instruction)?;
    reader.end("instructions")?;
    Ok(instructions)
}

/// Reads a list of `LookupTable`.
///
/// # Errors
///
/// Returns [`CoreError::Range`] with the field that is not as described.
pub fn read_tables(bytes: &[u8]) -> Result<Vec<LookupTable>, CoreError> {
    let mut reader = Reader { rest: bytes };
    let tables = reader.list("tables", |it| {
        it.array("table", 2)?;
        let key = it.key("table")?;
        Ok(LookupTable { key, addresses: it.list("addresses", |it| it.key("address"))? })
    })?;
    reader.end("tables")?;
    Ok(tables)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn guard(&mut self) -> Result<Guard<'a>, CoreError> {
        self.array("guard", 2)?;
        let seed = self.binary("guard seed")?;
        Ok(Guard { seed, lamports: self.integer("guard lamports")? })
    }

    fn mint(&mut self) -> Result<MintOf, CoreError> {
        self.array("token account", 2)?;
        let mint = self.key("mint")?;
        Ok(MintOf { mint, token_program: self.key("token_program")? })
    }

    fn leg(&mut self) -> Result<LegRequest<'a>, CoreError> {
        self.array("leg", 5)?;
        let program = self.text("program")?;
        let pool = self.key("pool")?;
        let input_mint = self.key("input_mint")?;
        let in_raw = self.integer("amount_in_raw")?;
        let amounts = Amounts { in_raw, min_out_raw: self.integer("min_out_raw")? };
        Ok(LegRequest { program, pool, input_mint, amounts })
    }

    fn tip(&mut self) -> Result<Tip, CoreError> {
        self.array("tip", 2)?;
        let account = self.key("tip account")?;
        Ok(Tip { account, lamports: self.integer("tip lamports")? })
    }

    fn instruction(&mut self) -> Result<Instruction, CoreError> {
        self.array("instruction", 3)?;
        let program = self.key("program")?;
        let accounts = self.list("accounts", |it| {
            it.array("account", 3)?;
            let key = it.key("account")?;
            let signer = it.boolean("signer")?;
            Ok(AccountMeta { key, signer, writable: it.boolean("writable")? })
        })?;
        Ok(Instruction { program, accounts, data: self.binary("data")?.to_vec() })
    }

    /// Reads the head of an array of exactly so many fields.
    fn array(&mut self, field: &'static str, fields: u32) -> Result<(), CoreError> {
        match read_array_len(&mut self.rest) {
            Ok(count) if count == fields => Ok(()),
            Ok(count) => {
                Err(CoreError::range(field, format!("of {count} fields"), fields.to_string()))
            }
            Err(_) => Err(malformed(field, "an array")),
        }
    }

    fn list<T>(
        &mut self,
        field: &'static str,
        item: impl Fn(&mut Self) -> Result<T, CoreError>,
    ) -> Result<Vec<T>, CoreError> {
        let count = read_array_len(&mut self.rest).map_err(|_| malformed(field, "an array"))?;
        (0..count).map(|_| item(self)).collect()
    }

    fn optional<T>(
        &mut self,
        item: impl Fn(&mut Self) -> Result<T, CoreError>,
    ) -> Result<Option<T>, CoreError> {
        match self.rest.split_first() {
            Some((byte, rest)) if *byte == Marker::Null.to_u8() => {
                self.rest = rest;
                Ok(None)
            }
            _ => item(self).map(Some),
        }
    }

    fn integer<T>(&mut self, field: &'static str) -> Result<T, CoreError>
    where
        T: TryFrom<u64>,
    {
        let value: u64 = read_int(&mut self.rest).map_err(|error| match error {
            NumValueReadError::OutOfRange => CoreError::range(field, "negative", ">= 0"),
            _ => malformed(field, "an integer below 2^64"),
        })?;
        T::try_from(value).map_err(|_| CoreError::range(field, value, "< 2^32"))
    }

    fn boolean(&mut self, field: &'static str) -> Result<bool, CoreError> {
        rmp::decode::read_bool(&mut self.rest).map_err(|_| malformed(field, "true or false"))
    }

    fn binary(&mut self, field: &'static str) -> Result<&'a [u8], CoreError> {
        let length = read_bin_len(&mut self.rest).map_err(|_| malformed(field, "bytes"))?;
        self.take(field, length)
    }

    fn text(&mut self, field: &'static str) -> Result<&'a str, CoreError> {
        let length = read_str_len(&mut self.rest).map_err(|_| malformed(field, "text"))?;
        let bytes = self.take(field, length)?;
        std::str::from_utf8(bytes).map_err(|_| malformed(field, "UTF-8"))
    }

    fn key(&mut self, field: &'static str) -> Result<Key, CoreError> {
        let bytes = self.binary(field)?;
        Key::from_slice(bytes)
            .map_err(|_| CoreError::range(field, format!("{} bytes", bytes.len()), "32 bytes"))
    }

    fn take(&mut self, field: &'static str, length: u32) -> Result<&'a [u8], CoreError> {
        let length = usize::try_from(length).map_err(|_| malformed(field, "shorter"))?;
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| malformed(field, "whole"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn end(&self, field: &'static str) -> Result<(), CoreError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(CoreError::range(field, format!("followed by {} bytes", self.rest.len()), "the end"))
    }
}

#[cold]
fn malformed(field: &'static str, expected: &'static str) -> CoreError {
    CoreError::range(field, "not as described", expected)
}

#[cfg(test)]
mod tests {
    use rmp::encode::{ByteBuf, write_array_len, write_bin, write_nil, write_str, write_uint};

    use super::*;

    /// An order with everything, as `msgspec` writes it; `seven` is the number of its fields.
    fn order(seven: u32, lamports: u64) -> Vec<u8> {
        let mut out = ByteBuf::new();
        let key = [5; 32];
        write_array_len(&mut out, seven).unwrap();
        write_uint(&mut out, 200_000).unwrap();
        write_uint(&mut out, u64::MAX).unwrap();
        write_array_len(&mut out, 2).unwrap();
        write_bin(&mut out, b"seed").unwrap();
        write_uint(&mut out, lamports).unwrap();
        write_array_len(&mut out, 1).unwrap();
        write_array_len(&mut out, 2).unwrap();
        write_bin(&mut out, &key).unwrap();
        write_bin(&mut out, &key).unwrap();
        write_array_len(&mut out, 1).unwrap();
        write_array_len(&mut out, 5).unwrap();
        write_str(&mut out, "whirlpool").unwrap();
        write_bin(&mut out, &key).unwrap();
        write_bin(&mut out, &key).unwrap();
        write_uint(&mut out, 7).unwrap();
        write_uint(&mut out, 8).unwrap();
        write_bin(&mut out, b"memo").unwrap();
        write_nil(&mut out).unwrap();
        out.into_vec()
    }

    #[test]
    fn order_reads_as_written() {
        let bytes = order(7, 890_880);
        let read = OrderRequest::read(&bytes).unwrap();
        assert_eq!((read.unit_limit, read.unit_price), (200_000, u64::MAX));
        let guard = read.guard.unwrap();
        assert_eq!((guard.seed, guard.lamports), (&b"seed"[..], 890_880));
        let key = Key([5; 32]);
        assert_eq!(read.create_accounts, [MintOf { mint: key, token_program: key }]);
        let amounts = Amounts { in_raw: 7, min_out_raw: 8 };
        let leg = LegRequest { program: "whirlpool", pool: key, input_mint: key, amounts };
        assert_eq!(read.legs, [leg]);
        assert_eq!((read.memo, read.tip.is_none()), (Some(&b"memo"[..]), true));
    }

    #[test]
    fn truncated_longer_and_misshapen_orders_are_refused() {
        let whole = order(7, 1);
        for length in 0..whole.len() {
            assert!(OrderRequest::read(&whole[..length]).is_err(), "{length}");
        }
        let longer = [&whole[..], &[0]].concat();
        for (bytes, words) in [
            (longer, "order is followed by 1 bytes"),
            (order(8, 1), "order is of 8 fields, must be 7"),
        ] {
            let refusal = OrderRequest::read(&bytes).unwrap_err().to_string();
            assert!(refusal.starts_with(words), "{refusal}");
        }
    }

    proptest::proptest! {
        #[test]
        fn changed_orders_never_panic(at in 0_usize..150, value in 0_u8..=255) {
            let mut bytes = order(7, 1);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            let _read = OrderRequest::read(&bytes).map(|it| it.legs.len());
        }
    }
}
