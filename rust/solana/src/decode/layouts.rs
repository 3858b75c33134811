//! Instructions by program: how data begin, what follows, what the accounts are.

use sha2::{Digest as _, Sha256};

use super::programs::{
    JUPITER_DCA, LIFINITY_V2, METEORA_DAMM_V2, METEORA_DLMM, METEORA_POOLS, MOONSHOT, RAYDIUM_CLMM,
    program_name,
};
use super::{names, venues};
use crate::{Key, program};

/// Data of an event that an Anchor program sends to itself.
const EVENT: [u8; 8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d];
/// Bytes at the end of a Jupiter route: input and quoted output u64, slippage u16, platform fee u8.
const JUPITER_TAIL_BYTES: usize = 19;

/// How the data of an instruction begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// One byte.
    Byte(u8),
    /// Four bytes, little-endian.
    Word(u32),
    /// The first eight bytes of `sha256("global:" + name)`.
    Anchor,
}

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    U16,
    U32,
    U64,
    U128,
    Bool,
    Key,
    /// A text after its length of eight bytes.
    Text,
}

/// An instruction's layout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) name: &'static str,
    pub(super) tag: Tag,
    pub(super) fields: &'static [(&'static str, Kind)],
    pub(super) accounts: &'static [&'static str],
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// A number; base units where the name ends in `_raw`.
    Number(u128),
    /// A flag.
    Flag(bool),
    /// An address.
    Key(Key),
    /// A text.
    Text(String),
}

/// A field with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name.
    pub name: &'static str,
    /// Value.
    pub value: FieldValue,
}

/// An instruction's data read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Name of the program, `None` if it is not listed.
    pub program: Option<&'static str>,
    /// Name of the instruction, `None` if it is not listed.
    pub name: Option<&'static str>,
    /// What its data say; empty if only the name is known.
    pub fields: Vec<Field>,
    /// What its first accounts are.
    pub accounts: &'static [&'static str],
    /// Whether the data do not fit the layout of their name.
    pub malformed: bool,
}

/// Reads an instruction's data; `account_count` tells forms of the same name apart.
pub fn decode_instruction(program: &Key, account_count: usize, data: &[u8]) -> Decoded {
    let named = Decoded { program: program_name(program), ..Decoded::default() };
    if *program == program::MEMO || *program == program::MEMO_V1 {
        return memo(named, data);
    }
    if *program == program::ASSOCIATED_TOKEN && data.is_empty() {
        // The oldest form has no tag.
        return Decoded { name: Some("create"), accounts: venues::ATA_ACCOUNTS, ..named };
    }
    if data.starts_with(&EVENT) {
        return Decoded { name: Some("event"), ..named };
    }
    let layouts = venues::layouts(program);
    if let Some((layout, rest)) = layouts.iter().find_map(|it| Some((it, after(it, data)?))) {
        let fields = fields(layout.fields, rest);
        let accounts = if *program == program::RAYDIUM_AMM && layout.accounts.len() == 17 {
            venues::raydium_amm_accounts(account_count)
        } else {
            layout.accounts
        };
        let malformed = fields.is_none();
        let fields = fields.unwrap_or_default();
        return Decoded { name: Some(layout.name), fields, accounts, malformed, ..named };
    }
    let found = listed(program).iter().copied().find(|name| data.starts_with(&anchor(name)));
    if *program == program::JUPITER && found.is_some_and(has_tail) {
        return jupiter(Decoded { name: found, ..named }, data);
    }
    Decoded { name: found, ..named }
}

fn memo(named: Decoded, data: &[u8]) -> Decoded {
    let name = Some("memo");
    match std::str::from_utf8(data) {
        Err(_) => Decoded { name, malformed: true, ..named },
        Ok(text) => {
            let value = FieldValue::Text(text.to_owned());
            Decoded { name, fields: vec![Field { name: "text", value }], ..named }
        }
    }
}

/// Whether a Jupiter route ends in the tail of version 1.
fn has_tail(name: &'static str) -> bool {
    matches!(
        name,
        "route"
            | "route_with_token_ledger"
            | "shared_accounts_route"
            | "shared_accounts_route_with_token_ledger"
    )
}

fn jupiter(named: Decoded, data: &[u8]) -> Decoded {
    // With a token ledger the input is what arrived before: the tail has no input.
    let ledger = named.name.is_some_and(|name| name.ends_with("ledger"));
    let all: &[(&str, Kind)] = &[
        ("in_raw", Kind::U64),
        ("quoted_out_raw", Kind::U64),
        ("slippage_bps", Kind::U16),
        ("platform_fee_bps", Kind::U8),
    ];
    let (layout, length) = if ledger {
        (all.get(1..).unwrap_or_default(), JUPITER_TAIL_BYTES - 8)
    } else {
        (all, JUPITER_TAIL_BYTES)
    };
    // Before the tail: eight bytes of name and at least the length of the route plan.
    let tail = data.len().checked_sub(length).filter(|at| *at >= 12).and_then(|at| data.get(at..));
    match tail.and_then(|tail| fields(layout, tail)) {
        Some(fields) => Decoded { fields, ..named },
        None => Decoded { malformed: true, ..named },
    }
}

/// Returns what follows a layout's beginning, `None` if the data begin otherwise.
fn after<'d>(layout: &Layout, data: &'d [u8]) -> Option<&'d [u8]> {
    match layout.tag {
        Tag::Byte(tag) => data.strip_prefix(&[tag]),
        Tag::Word(tag) => data.strip_prefix(&tag.to_le_bytes()),
        Tag::Anchor => data.strip_prefix(&anchor(layout.name)),
    }
}

/// Returns the eight bytes with which an Anchor program's instruction begins.
pub(super) fn anchor(name: &str) -> [u8; 8] {
    let mut hasher = Sha256::new();
    hasher.update(b"global:");
    hasher.update(name.as_bytes());
    let hash: [u8; 32] = hasher.finalize().into();
    hash.first_chunk().copied().unwrap_or_default()
}

/// Reads fields one after another; what follows the last is left alone, as the programs do.
fn fields(layout: &[(&'static str, Kind)], data: &[u8]) -> Option<Vec<Field>> {
    let mut rest = data;
    let mut fields = Vec::with_capacity(layout.len());
    for (name, kind) in layout {
        let value = value(*kind, &mut rest)?;
        fields.push(Field { name, value });
    }
    Some(fields)
}

fn value(kind: Kind, rest: &mut &[u8]) -> Option<FieldValue> {
    Some(match kind {
        Kind::U8 => FieldValue::Number(u8::from_le_bytes(take(rest)?).into()),
        Kind::U16 => FieldValue::Number(u16::from_le_bytes(take(rest)?).into()),
        Kind::U32 => FieldValue::Number(u32::from_le_bytes(take(rest)?).into()),
        Kind::U64 => FieldValue::Number(u64::from_le_bytes(take(rest)?).into()),
        Kind::U128 => FieldValue::Number(u128::from_le_bytes(take(rest)?)),
        Kind::Bool => match take(rest)? {
            [0] => FieldValue::Flag(false),
            [1] => FieldValue::Flag(true),
            _ => return None,
        },
        Kind::Key => FieldValue::Key(Key(take(rest)?)),
        Kind::Text => {
            let length = usize::try_from(u64::from_le_bytes(take(rest)?)).ok()?;
            let (text, after) = rest.split_at_checked(length)?;
            *rest = after;
            FieldValue::Text(std::str::from_utf8(text).ok()?.to_owned())
        }
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

/// Instructions of Anchor programs that are named and not read.
fn listed(program: &Key) -> &'static [&'static str] {
    const LISTS: [(Key, &[&str]); 12] = [
        (program::JUPITER, names::JUPITER),
        (program::RAYDIUM_CPMM, names::RAYDIUM_CPMM),
        (program::PUMPSWAP, names::PUMPSWAP),
        (program::PUMP, names::PUMP),
        (program::WHIRLPOOL, names::WHIRLPOOL),
        (program::WHIRLPOOL_IMMUTABLE, names::WHIRLPOOL),
        (RAYDIUM_CLMM, names::RAYDIUM_CLMM),
        (METEORA_DLMM, names::METEORA_DLMM),
        (METEORA_DAMM_V2, names::METEORA_DAMM_V2),
        (JUPITER_DCA, &["open_dca", "open_dca_v2", "close_dca", "withdraw", "deposit"]),
        (LIFINITY_V2, &["swap", "deposit_all_token_types", "withdraw_all_token_types"]),
        (MOONSHOT, &["token_mint", "buy", "sell", "migrate_funds", "config_init"]),
    ];
    if *program == METEORA_POOLS {
        return &["swap", "add_balance_liquidity", "remove_balance_liquidity"];
    }
    LISTS.iter().find(|(key, _)| key == program).map_or(&[], |(_, names)| names)
}
