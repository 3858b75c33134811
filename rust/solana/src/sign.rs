//! Ed25519 signatures by a key that enters once and never comes out.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use ed25519_dalek::Signer as _;
use thiserror::Error;
use zeroize::Zeroizing;

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;
/// Bytes of a public key and of a seed.
pub const KEY_BYTES: usize = 32;

/// What can be wrong with key material or with a signature; no message holds any of the key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    /// The library did not take the seed.
    #[error("the key is refused by the signature library")]
    Key,
    /// The two halves of a 64-byte key do not belong together.
    #[error("the public half of the key is not that of its secret half")]
    Halves,
    /// The library could not sign.
    #[error("the signature library failed to sign")]
    Sign,
    /// A signature is not of this key and this message.
    #[error("the signature does not verify")]
    Verify,
    /// A file that holds a key, or the signer's record, is not safe or not there.
    #[error("{path}: {reason}")]
    File {
        /// Which file or directory.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A keystore is not of a known form.
    #[error("keystore: {reason}")]
    Form {
        /// What is wrong with it.
        reason: String,
    },
    /// The passphrase does not open the keystore.
    #[error("the passphrase is wrong, or the keystore was altered")]
    Passphrase,
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes")]
    Random,
}

/// The secret seed of a key; wiped when dropped. It is neither shown, copied nor written.
#[expect(missing_debug_implementations, reason = "a secret is never shown")]
pub struct Seed(Zeroizing<[u8; KEY_BYTES]>);

impl Seed {
    /// Takes the 32 secret bytes.
    pub fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self(bytes)
    }

    /// Draws a new key from the operating system.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::Random`] if it gives no random bytes.
    pub fn random() -> Result<Self, SignError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(bytes.as_mut()).map_err(|_| SignError::Random)?;
        Ok(Self(bytes))
    }

    /// Takes Solana's 64 bytes, secret half first, and checks that the halves belong together.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::Halves`] if the second half is another key's.
    pub fn from_pair(pair: &[u8; 64]) -> Result<Self, SignError> {
        let (secret, public) = pair.split_at(KEY_BYTES);
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        bytes.copy_from_slice(secret);
        let seed = Self(bytes);
        if seed.public_key() == public { Ok(seed) } else { Err(SignError::Halves) }
    }

    /// Returns the public key of this seed.
    pub fn public_key(&self) -> [u8; KEY_BYTES] {
        ed25519_dalek::SigningKey::from_bytes(&self.0).verifying_key().to_bytes()
    }

    /// The secret bytes, for the keystore of this crate alone.
    pub(crate) fn reveal(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

/// Which library signs. Their signatures are the same bytes; they differ in speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Library {
    /// aws-lc-rs: 1.8 times as fast as the other on `x86_64`.
    #[default]
    AwsLc,
    /// ed25519-dalek: pure Rust, the oracle of the first and the choice where it is missing.
    Dalek,
}

enum Inner {
    AwsLc(Ed25519KeyPair),
    Dalek(Box<ed25519_dalek::SigningKey>),
}

/// A key that signs. Both libraries wipe it when it is dropped.
#[expect(missing_debug_implementations, reason = "a secret is never shown")]
pub struct WalletKey {
    inner: Inner,
    public_key: [u8; KEY_BYTES],
}

impl WalletKey {
    /// Makes the key of a seed, for one of the libraries.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::Key`] if the library refuses the seed.
    pub fn new(seed: &Seed, library: Library) -> Result<Self, SignError> {
        let public_key = seed.public_key();
        let inner = match library {
            Library::AwsLc => {
                // Both libraries must agree on the public key before the first signature.
                let pair = Ed25519KeyPair::from_seed_and_public_key(seed.reveal(), &public_key)
                    .map_err(|_| SignError::Key)?;
                if pair.public_key().as_ref() != public_key {
                    return Err(SignError::Key);
                }
                Inner::AwsLc(pair)
            }
            Library::Dalek => {
                Inner::Dalek(Box::new(ed25519_dalek::SigningKey::from_bytes(seed.reveal())))
            }
        };
        Ok(Self { inner, public_key })
    }

    /// Returns the public key: the wallet's address.
    pub fn public_key(&self) -> &[u8; KEY_BYTES] {
        &self.public_key
    }

    /// Signs a message's bytes (a v0 message with its version byte).
    ///
    /// # Errors
    ///
    /// Returns [`SignError::Sign`] if the library fails.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], SignError> {
        match &self.inner {
            Inner::AwsLc(pair) => {
                let signature = pair.try_sign(message).map_err(|_| SignError::Sign)?;
                signature.as_ref().try_into().map_err(|_| SignError::Sign)
            }
            Inner::Dalek(key) => {
                key.try_sign(message).map(|it| it.to_bytes()).map_err(|_| SignError::Sign)
            }
        }
    }
}

/// Checks a signature.
///
/// # Errors
///
/// Returns [`SignError::Verify`] if it is not `public_key`'s signature of `message`.
pub fn verify(
    public_key: &[u8; KEY_BYTES],
    message: &[u8],
    signature: &[u8; SIGNATURE_BYTES],
) -> Result<(), SignError> {
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(message, signature)
        .map_err(|_| SignError::Verify)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seed(bytes: [u8; KEY_BYTES]) -> Seed {
        Seed::new(Zeroizing::new(bytes))
    }

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write as _;
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// RFC 8032, 7.1, test 2: seed, message 72, signature.
    #[test]
    fn sign_rfc_8032_vector_is_exact() {
        let secret = [
            0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11,
            0x4e, 0x0f, 0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed,
            0x4f, 0xb8, 0xa6, 0xfb,
        ];
        let expected = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                        085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        for library in [Library::AwsLc, Library::Dalek] {
            let key = WalletKey::new(&seed(secret), library).unwrap();
            assert_eq!(hex(&key.sign(&[0x72]).unwrap()), expected);
        }
    }

    /// The development key of the format reference: seed 00..1f.
    #[test]
    fn pair_of_another_key_is_refused() {
        let secret: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let public = seed(secret).public_key();
        assert_eq!(hex(&public[..4]), "03a107bf");
        let mut pair = [0; 64];
        pair[..32].copy_from_slice(&secret);
        pair[32..].copy_from_slice(&public);
        assert_eq!(Seed::from_pair(&pair).map(|it| it.public_key()).ok(), Some(public));
        pair[63] ^= 1;
        assert_eq!(Seed::from_pair(&pair).err(), Some(SignError::Halves));
    }

    proptest! {
        #[test]
        fn libraries_agree_and_verify(
            secret in any::<[u8; 32]>(),
            message in prop::collection::vec(any::<u8>(), 0..1300),
            flip in 0_usize..64,
        ) {
            let seed = seed(secret);
            let fast = WalletKey::new(&seed, Library::AwsLc).unwrap();
            let oracle = WalletKey::new(&seed, Library::Dalek).unwrap();
            let mut signature = fast.sign(&message).unwrap();
            prop_assert_eq!(signature, oracle.sign(&message).unwrap());
            prop_assert_eq!(verify(fast.public_key(), &message, &signature), Ok(()));
            signature[flip] ^= 1;
            prop_assert_eq!(
                verify(fast.public_key(), &message, &signature),
                Err(SignError::Verify)
            );
        }
    }
}
