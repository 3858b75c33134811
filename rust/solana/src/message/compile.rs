//! Instructions to message bytes, keys in the canonical order.
//!
//! Order: fee payer, writable signers, read-only signers, writable others, read-only others, each
//! class by key. An account that neither signs nor is invoked, nor is a durable transaction's nonce,
//! comes from the first lookup table that holds it. This is the order of the chain's own libraries,
//! so the bytes are theirs.

use std::collections::BTreeMap;

use super::{ACCOUNTS_MAX, SIGNATURE_BYTES, TRANSACTION_BYTES_MAX, VERSION_0};
use crate::instruction::Instruction;
use crate::{Key, SolanaError, program, short_vec};

/// Tag of the System program's instruction that steps a nonce.
const ADVANCE_NONCE: [u8; 4] = [4, 0, 0, 0];

/// An address lookup table as it is on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupTable {
    /// Its address.
    pub key: Key,
    /// Its entries; only those added in an earlier slot may be here.
    pub addresses: Vec<Key>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Role {
    signer: bool,
    writable: bool,
    /// A program, or the nonce of a durable transaction: never from a table.
    fixed: bool,
}

struct Lookup {
    table: Key,
    writable: Vec<u8>,
    readonly: Vec<u8>,
}

/// Returns a legacy message.
///
/// # Errors
///
/// Returns [`SolanaError::Range`] for more accounts, signers or bytes than the format holds.
pub fn compile_legacy(
    payer: Key,
    instructions: &[Instruction],
    blockhash: Key,
) -> Result<Vec<u8>, SolanaError> {
    let roles = roles(payer, instructions);
    encode(payer, &roles, &Loaded::default(), instructions, blockhash, false)
}

/// Returns a message of version 0.
///
/// # Errors
///
/// Returns [`SolanaError::Range`] for more accounts, signers or bytes than the format holds, or a
/// table of more than 256 entries.
pub fn compile_v0(
    payer: Key,
    instructions: &[Instruction],
    tables: &[LookupTable],
    blockhash: Key,
) -> Result<Vec<u8>, SolanaError> {
    let mut roles = roles(payer, instructions);
    let loaded = load(&mut roles, tables)?;
    encode(payer, &roles, &loaded, instructions, blockhash, true)
}

/// What lookup tables bring: the lookups, and the keys in the order of their account indices.
#[derive(Default)]
struct Loaded {
    lookups: Vec<Lookup>,
    writable: Vec<Key>,
    readonly: Vec<Key>,
}

/// Returns every key but the payer with what it does in any instruction.
fn roles(payer: Key, instructions: &[Instruction]) -> BTreeMap<Key, Role> {
    let mut roles: BTreeMap<Key, Role> = BTreeMap::new();
    for instruction in instructions {
        roles.entry(instruction.program).or_default().fixed = true;
        for account in &instruction.accounts {
            let role = roles.entry(account.key).or_default();
            role.signer |= account.signer;
            role.writable |= account.writable;
        }
    }
    if let Some(nonce) = durable_nonce(instructions)
        && let Some(role) = roles.get_mut(&nonce)
    {
        role.fixed = true;
    }
    roles.remove(&payer);
    roles
}

/// Returns the nonce account of a first instruction that steps it; the chain looks for it among the
/// static keys only (SIMD-0242).
fn durable_nonce(instructions: &[Instruction]) -> Option<Key> {
    let first = instructions.first()?;
    let steps = first.program == program::SYSTEM && first.data.starts_with(&ADVANCE_NONCE);
    first.accounts.first().filter(|_| steps).map(|account| account.key)
}

/// Takes what the tables hold out of the static keys.
fn load(roles: &mut BTreeMap<Key, Role>, tables: &[LookupTable]) -> Result<Loaded, SolanaError> {
    let mut loaded = Loaded::default();
    for table in tables {
        if table.addresses.len() > ACCOUNTS_MAX {
            let count = table.addresses.len();
            return Err(SolanaError::range("lookup table entries", count, "<= 256"));
        }
        let mut lookup = Lookup { table: table.key, writable: Vec::new(), readonly: Vec::new() };
        roles.retain(|key, role| {
            let entry = table.addresses.iter().position(|address| address == key);
            let entry = entry.and_then(|entry| u8::try_from(entry).ok());
            let (Some(entry), false, false) = (entry, role.signer, role.fixed) else {
                return true;
            };
            if role.writable {
                lookup.writable.push(entry);
                loaded.writable.push(*key);
            } else {
                lookup.readonly.push(entry);
                loaded.readonly.push(*key);
            }
            false
        });
        if !lookup.writable.is_empty() || !lookup.readonly.is_empty() {
            loaded.lookups.push(lookup);
        }
    }
    Ok(loaded)
}

fn encode(
    payer: Key,
    roles: &BTreeMap<Key, Role>,
    loaded: &Loaded,
    instructions: &[Instruction],
    blockhash: Key,
    versioned: bool,
) -> Result<Vec<u8>, SolanaError> {
    let class = |signer: bool, writable: bool| {
        let belongs = move |role: &Role| role.signer == signer && role.writable == writable;
        roles.iter().filter(move |(_, role)| belongs(role)).map(|(key, _)| *key)
    };
    let mut keys = vec![payer];
    keys.extend(class(true, true));
    let writable_signers = keys.len();
    keys.extend(class(true, false));
    let signers = keys.len();
    keys.extend(class(false, true));
    let writable = keys.len();
    keys.extend(class(false, false));
    let static_count = keys.len();
    let (signers_u8, readonly_signers, readonly_others) = (
        count_u8("signers", signers)?,
        count_u8("read-only signers", signers - writable_signers)?,
        count_u8("read-only keys", static_count - writable)?,
    );
    let mut out = Vec::with_capacity(TRANSACTION_BYTES_MAX);
    if versioned {
        out.push(VERSION_0);
    }
    out.extend([signers_u8, readonly_signers, readonly_others]);
    short_vec::push_count("static keys", static_count, &mut out)?;
    for key in &keys {
        out.extend(key.0);
    }
    out.extend(blockhash.0);
    keys.extend(&loaded.writable);
    keys.extend(&loaded.readonly);
    if keys.len() > ACCOUNTS_MAX {
        return Err(SolanaError::range("accounts", keys.len(), "<= 256"));
    }
    push_instructions(&keys, instructions, &mut out)?;
    if versioned {
        push_lookups(&loaded.lookups, &mut out)?;
    }
    let limit = TRANSACTION_BYTES_MAX - 1 - signers * SIGNATURE_BYTES;
    if out.len() > limit {
        let expected = format!("<= {limit} with {signers} signatures");
        return Err(SolanaError::range("message length", out.len(), expected));
    }
    Ok(out)
}

fn push_instructions(
    keys: &[Key],
    instructions: &[Instruction],
    out: &mut Vec<u8>,
) -> Result<(), SolanaError> {
    let index: BTreeMap<Key, u8> = keys.iter().copied().zip(0..=u8::MAX).collect();
    let index_of = |key: &Key| {
        let missing = || SolanaError::range("account", key, "among the message's keys");
        index.get(key).copied().ok_or_else(missing)
    };
    short_vec::push_count("instructions", instructions.len(), out)?;
    for instruction in instructions {
        out.push(index_of(&instruction.program)?);
        short_vec::push_count("instruction accounts", instruction.accounts.len(), out)?;
        for account in &instruction.accounts {
            out.push(index_of(&account.key)?);
        }
        short_vec::push_count("instruction data", instruction.data.len(), out)?;
        out.extend(&instruction.data);
    }
    Ok(())
}

fn push_lookups(lookups: &[Lookup], out: &mut Vec<u8>) -> Result<(), SolanaError> {
    short_vec::push_count("lookups", lookups.len(), out)?;
    for lookup in lookups {
        out.extend(lookup.table.0);
        for entries in [&lookup.writable, &lookup.readonly] {
            short_vec::push_count("lookup entries", entries.len(), out)?;
            out.extend(entries);
        }
    }
    Ok(())
}

fn count_u8(field: &'static str, count: usize) -> Result<u8, SolanaError> {
    u8::try_from(count).map_err(|_| SolanaError::range(field, count, "<= 255"))
}

#[cfg(test)]
#[path = "compile_tests.rs"]
mod tests;
