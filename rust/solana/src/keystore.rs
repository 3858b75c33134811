//! Key files: our encrypted keystore, and Solana's plain one.
//!
//! Keystore, version 1: JSON with `format`, `version`, `public_key`, `kdf` (argon2id and its
//! parameters), `cipher` (XChaCha20-Poly1305 and its nonce) and `ciphertext`; bytes are base64.
//! Everything that is not secret is authenticated with the ciphertext. `docs/signer.md` says it
//! in full.

use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use base64_simd::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::sign::{KEY_BYTES, Seed, SignError};
use crate::{Key, guarded};

const FORMAT: &str = "utb-keystore";
const VERSION: u32 = 1;
const KDF: &str = "argon2id";
const CIPHER: &str = "xchacha20poly1305";
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
/// Cost of a new keystore, and the least that is accepted: 64 MiB, three passes.
const MEMORY_KIB: u32 = 65_536;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// Most that is accepted: a file must not make us take all memory.
const MEMORY_KIB_MAX: u32 = 1_048_576;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 4;
/// Least length of a passphrase.
pub const PASSPHRASE_BYTES_MIN: usize = 8;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    name: String,
    nonce: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    version: u32,
    public_key: String,
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

/// A key that was read, and whether it lay there unencrypted.
#[expect(missing_debug_implementations, reason = "a secret is never shown")]
pub struct Loaded {
    /// The key.
    pub seed: Seed,
    /// True: a plain Solana JSON file.
    pub plain: bool,
}

fn form(reason: impl Into<String>) -> SignError {
    SignError::Form { reason: reason.into() }
}

/// Returns whether a key file is encrypted, and its address; no passphrase is needed.
///
/// # Errors
///
/// Returns [`SignError`] if the file is not safe or of no known form.
pub fn describe(path: &Path, uid: u32) -> Result<(bool, String), SignError> {
    let bytes = guarded::read(path, uid)?;
    if is_plain(&bytes) {
        return Ok((false, Key(plain_seed(&bytes)?.public_key()).to_base58()));
    }
    Ok((true, document(&bytes)?.public_key))
}

/// Reads a key file of either form.
///
/// # Errors
///
/// Returns [`SignError`] if the file is not safe, of no known form, or does not open.
pub fn load(path: &Path, uid: u32, passphrase: Option<&[u8]>) -> Result<Loaded, SignError> {
    let bytes = guarded::read(path, uid)?;
    if is_plain(&bytes) {
        return Ok(Loaded { seed: plain_seed(&bytes)?, plain: true });
    }
    let passphrase = passphrase.ok_or_else(|| form("encrypted, and no passphrase is given"))?;
    Ok(Loaded { seed: decrypt(&bytes, passphrase)?, plain: false })
}

/// Writes a new keystore; replaces no file.
///
/// # Errors
///
/// Returns [`SignError`] if the passphrase is too short or the place is not safe.
pub fn save(path: &Path, uid: u32, seed: &Seed, passphrase: &[u8]) -> Result<(), SignError> {
    let bytes = encrypt(seed, passphrase)?;
    guarded::create(path, uid, &bytes).map(drop)
}

fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().find(|it| !it.is_ascii_whitespace()) == Some(&b'[')
}

/// Solana's JSON: 64 numbers, the secret half first.
fn plain_seed(bytes: &[u8]) -> Result<Seed, SignError> {
    // Neither the parser's words nor the numbers may show: they are the secret.
    let pair: Zeroizing<Vec<u8>> = Zeroizing::new(
        serde_json::from_slice(bytes).map_err(|_| form("expected a list of 64 bytes"))?,
    );
    let pair: &[u8; 64] =
        pair.as_slice().try_into().map_err(|_| form("expected a list of 64 bytes"))?;
    Seed::from_pair(pair)
}

fn document(bytes: &[u8]) -> Result<Document, SignError> {
    let document: Document =
        serde_json::from_slice(bytes).map_err(|error| form(error.to_string()))?;
    let Document { format, version, kdf, cipher, .. } = &document;
    if format != FORMAT || *version != VERSION {
        return Err(form(format!("format {format} version {version}, expected {FORMAT} 1")));
    }
    if kdf.name != KDF || cipher.name != CIPHER {
        return Err(form(format!("{} and {}, expected {KDF} and {CIPHER}", kdf.name, cipher.name)));
    }
    let bounded = (MEMORY_KIB..=MEMORY_KIB_MAX).contains(&kdf.memory_kib)
        && (PASSES..=PASSES_MAX).contains(&kdf.passes)
        && (1..=LANES_MAX).contains(&kdf.lanes);
    if !bounded {
        return Err(form(format!(
            "argon2id of {} KiB, {} passes, {} lanes; expected 65536..=1048576, 3..=16, 1..=4",
            kdf.memory_kib, kdf.passes, kdf.lanes
        )));
    }
    Ok(document)
}

fn bytes_of<const N: usize>(field: &str, text: &str) -> Result<[u8; N], SignError> {
    let bytes = STANDARD.decode_to_vec(text).map_err(|_| form(format!("{field} is no base64")))?;
    let length = bytes.len();
    bytes.try_into().map_err(|_| form(format!("{field} has {length} bytes, expected {N}")))
}

/// What is authenticated and not secret.
fn associated(public_key: &Key, kdf: &Kdf, salt: &[u8], nonce: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{FORMAT}/{VERSION}/{KDF}/{CIPHER}/").into_bytes();
    for number in [kdf.memory_kib, kdf.passes, kdf.lanes] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(public_key.as_bytes());
    bytes.extend(salt);
    bytes.extend(nonce);
    bytes
}

fn cipher_of(kdf: &Kdf, salt: &[u8], passphrase: &[u8]) -> Result<XChaCha20Poly1305, SignError> {
    let failed = |_| form("the key derivation failed");
    let params =
        Params::new(kdf.memory_kib, kdf.passes, kdf.lanes, Some(KEY_BYTES)).map_err(failed)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase, salt, key.as_mut())
        .map_err(failed)?;
    Ok(XChaCha20Poly1305::new(key.as_ref().into()))
}

fn decrypt(bytes: &[u8], passphrase: &[u8]) -> Result<Seed, SignError> {
    let Document { public_key, kdf, cipher, ciphertext, .. } = document(bytes)?;
    let public_key = Key::from_base58(&public_key).map_err(|_| form("public_key is no address"))?;
    let salt: [u8; SALT_BYTES] = bytes_of("kdf.salt", &kdf.salt)?;
    let nonce: [u8; NONCE_BYTES] = bytes_of("cipher.nonce", &cipher.nonce)?;
    let secret: [u8; KEY_BYTES + 16] = bytes_of("ciphertext", &ciphertext)?;
    let aad = associated(&public_key, &kdf, &salt, &nonce);
    let payload = Payload { msg: &secret, aad: &aad };
    let opened = cipher_of(&kdf, &salt, passphrase)?
        .decrypt(XNonce::from_slice(&nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| SignError::Passphrase)?;
    let mut seed = Zeroizing::new([0; KEY_BYTES]);
    if opened.len() != KEY_BYTES {
        return Err(form("the ciphertext holds no key"));
    }
    seed.copy_from_slice(&opened);
    let seed = Seed::new(seed);
    if seed.public_key() == *public_key.as_bytes() { Ok(seed) } else { Err(SignError::Halves) }
}

fn encrypt(seed: &Seed, passphrase: &[u8]) -> Result<Vec<u8>, SignError> {
    if passphrase.len() < PASSPHRASE_BYTES_MIN {
        let length = passphrase.len();
        return Err(form(format!("a passphrase of {length} bytes, expected at least 8")));
    }
    let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; NONCE_BYTES]);
    getrandom::fill(&mut salt).map_err(|_| SignError::Random)?;
    getrandom::fill(&mut nonce).map_err(|_| SignError::Random)?;
    let kdf = Kdf {
        name: KDF.into(),
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: STANDARD.encode_to_string(salt),
    };
    let public_key = Key(seed.public_key());
    let aad = associated(&public_key, &kdf, &salt, &nonce);
    let payload = Payload { msg: seed.reveal(), aad: &aad };
    let ciphertext = cipher_of(&kdf, &salt, passphrase)?
        .encrypt(XNonce::from_slice(&nonce), payload)
        .map_err(|_| form("the encryption failed"))?;
    let document = Document {
        format: FORMAT.into(),
        version: VERSION,
        public_key: public_key.to_base58(),
        kdf,
        cipher: Cipher { name: CIPHER.into(), nonce: STANDARD.encode_to_string(nonce) },
        ciphertext: STANDARD.encode_to_string(ciphertext),
    };
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(|it| form(it.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}
