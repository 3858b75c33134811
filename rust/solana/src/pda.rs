//! Addresses that programs sign for (off the curve) and addresses made from a seed text.

use curve25519_dalek::edwards::CompressedEdwardsY;
use sha2::{Digest, Sha256};

use crate::{Key, SolanaError, program};

/// Most seeds of a program address, the bump included.
pub const SEEDS_MAX: usize = 16;
/// Most bytes of one seed, and of a seed text.
pub const SEED_BYTES_MAX: usize = 32;
const MARKER: &[u8; 21] = b"ProgramDerivedAddress";

/// Returns the program address with the highest bump, and that bump.
///
/// # Errors
///
/// Returns [`SolanaError::Range`] for more than 15 seeds or a seed above 32 bytes,
/// [`SolanaError::NoProgramAddress`] if every bump leads onto the curve.
pub fn find_program_address(seeds: &[&[u8]], program: &Key) -> Result<(Key, u8), SolanaError> {
    if seeds.len() >= SEEDS_MAX {
        return Err(SolanaError::range("seeds", seeds.len(), "<= 15 beside the bump"));
    }
    let mut hasher = Sha256::new();
    for seed in seeds {
        check_seed(seed)?;
        hasher.update(seed);
    }
    let address = |bump: u8| {
        let mut hasher = hasher.clone();
        hasher.update([bump]);
        hasher.update(program);
        hasher.update(MARKER);
        Key(hasher.finalize().into())
    };
    (0..=u8::MAX)
        .rev()
        .map(|bump| (address(bump), bump))
        .find(|(key, _)| !is_on_curve(key))
        .ok_or(SolanaError::NoProgramAddress)
}

/// Returns whether a key is a point of the curve, so that a secret key may exist for it.
pub fn is_on_curve(key: &Key) -> bool {
    CompressedEdwardsY(key.0).decompress().is_some()
}

/// Returns the address of a seed text below a base key: sha256(base, seed, owner).
///
/// # Errors
///
/// Returns [`SolanaError::Range`] if the seed is above 32 bytes or no UTF-8, or if the owner could
/// pass for a program address.
pub fn create_with_seed(base: &Key, seed: &[u8], owner: &Key) -> Result<Key, SolanaError> {
    check_seed(seed)?;
    if std::str::from_utf8(seed).is_err() {
        return Err(SolanaError::range("seed", format!("{seed:02x?}"), "UTF-8"));
    }
    if owner.0.ends_with(MARKER) {
        return Err(SolanaError::range("owner", owner, "no end of a program address's preimage"));
    }
    let mut hasher = Sha256::new();
    hasher.update(base);
    hasher.update(seed);
    hasher.update(owner);
    Ok(Key(hasher.finalize().into()))
}

/// Returns an owner's associated token account.
///
/// # Errors
///
/// Returns [`SolanaError::NoProgramAddress`] if there is none.
pub fn associated_token(owner: &Key, mint: &Key, token_program: &Key) -> Result<Key, SolanaError> {
    let seeds: [&[u8]; 3] = [&owner.0, &token_program.0, &mint.0];
    find_program_address(&seeds, &program::ASSOCIATED_TOKEN).map(|(key, _)| key)
}

fn check_seed(seed: &[u8]) -> Result<(), SolanaError> {
    if seed.len() > SEED_BYTES_MAX {
        return Err(SolanaError::range("seed length", seed.len(), "<= 32"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(seeds: &[&[u8]], program: &Key) -> (String, u8) {
        let (key, bump) = find_program_address(seeds, program).unwrap();
        (key.to_string(), bump)
    }

    /// Published addresses of the venues' own accounts.
    #[test]
    fn published_program_addresses_are_found() {
        assert_eq!(
            derived(&[b"amm authority"], &program::RAYDIUM_AMM),
            ("5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1".into(), 254)
        );
        assert_eq!(
            derived(&[b"vault_and_lp_mint_auth_seed"], &program::RAYDIUM_CPMM),
            ("GpMZbSM2GgvTKHJirzeGfMFoaZ8UR2X7F4v8vHTvxFbL".into(), 253)
        );
        assert_eq!(
            derived(&[b"amm_config", &[0, 1]], &program::RAYDIUM_CPMM).0,
            "G95xxie3XbkCqtE39GgQ9Ggc7xBC8Uceve7HFDEFApkc"
        );
        let whirlpool = Key::known("2kJmUjxWBwL2NGPBV2PiA5hWtmLCqcKY6reQgkrPtaeS");
        assert_eq!(
            derived(&[b"tick_array", &whirlpool.0, b"0"], &program::WHIRLPOOL).0,
            "8PhPzk7n4wU98Z6XCbVtPai2LtXSxYnfjkmgWuoAU8Zy"
        );
    }

    /// The key of seed 00..1f as base, "ab" 16 times as seed.
    #[test]
    fn seed_address_vector_is_exact() {
        let base = Key::known("FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF");
        let address = create_with_seed(&base, "ab".repeat(16).as_bytes(), &program::SYSTEM);
        assert_eq!(address.unwrap(), Key::known("59A9toprHK5MLZjYQmgwiRqFh1FHxtEvGTYsfRFQkJya"));
    }

    #[test]
    fn seeds_beyond_their_limits_are_refused() {
        let long = [0; 33];
        assert!(find_program_address(&[&long], &program::TOKEN).is_err());
        assert!(find_program_address(&[&[][..]; 16], &program::TOKEN).is_err());
        assert!(create_with_seed(&program::TOKEN, &long, &program::SYSTEM).is_err());
        assert!(create_with_seed(&program::TOKEN, &[0xff], &program::SYSTEM).is_err());
        let mut owner = [0; 32];
        owner[11..].copy_from_slice(MARKER);
        assert!(create_with_seed(&program::TOKEN, b"a", &Key(owner)).is_err());
    }

    #[test]
    fn wallet_keys_are_on_the_curve_and_program_addresses_are_not() {
        assert!(is_on_curve(&Key::known("FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF")));
        assert!(!is_on_curve(&Key::known("5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1")));
    }
}
