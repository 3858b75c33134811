//! Solana addresses.

/// Returns the 32 bytes of a base58 address, or `None` if it is not one.
pub fn address_bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    five8::decode_32(text, &mut bytes).ok()?;
    Some(bytes)
}
