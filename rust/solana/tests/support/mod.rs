//! Accounts written byte by byte, as their layouts say, and recordings where they are at hand.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "every test file uses its own part, and stops at the first surprise"
)]

use std::path::PathBuf;

use utb_solana::pool::Price;
use utb_solana::{Key, program};

/// Account contents of a length, with fields at their places.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    pub(crate) fn new(len: usize, discriminator: &[u8]) -> Self {
        Self(vec![0; len]).put(0, discriminator)
    }

    pub(crate) fn put(mut self, at: usize, field: &[u8]) -> Self {
        self.0[at..at + field.len()].copy_from_slice(field);
        self
    }

    pub(crate) fn u64(self, at: usize, value: u64) -> Self {
        self.put(at, &value.to_le_bytes())
    }

    pub(crate) fn u16(self, at: usize, value: u16) -> Self {
        self.put(at, &value.to_le_bytes())
    }

    pub(crate) fn u128(self, at: usize, value: u128) -> Self {
        self.put(at, &value.to_le_bytes())
    }

    pub(crate) fn key(self, at: usize, key: Key) -> Self {
        self.put(at, &key.0)
    }
}

/// A key of one repeated byte.
pub(crate) fn key(byte: u8) -> Key {
    Key([byte; 32])
}

/// Mint and vault of side A and B in every pool below.
pub(crate) const MINTS: [Key; 2] = [Key([0x11; 32]), Key([0x22; 32])];
pub(crate) const VAULTS: [Key; 2] = [Key([0x33; 32]), Key([0x44; 32])];
pub(crate) const POOL: Key = Key([0x55; 32]);
pub(crate) const CONFIG: Key = Key([0x66; 32]);

/// A token account of 165 bytes.
pub(crate) fn token_account(mint: Key, amount_raw: u64) -> Vec<u8> {
    Bytes::new(165, &mint.0).key(32, POOL).u64(64, amount_raw).put(108, &[1]).0
}

/// A mint of 82 bytes.
pub(crate) fn mint(supply_raw: u64, decimals: u8) -> Vec<u8> {
    Bytes::new(82, &[]).u64(36, supply_raw).put(44, &[decimals, 1]).0
}

/// A Token-2022 mint with a transfer fee: older and newer as (epoch, highest, basis points).
pub(crate) fn mint_with_fee(decimals: u8, fees: [(u64, u64, u16); 2]) -> Vec<u8> {
    let mut bytes = Bytes::new(166 + 4 + 108, &[]).put(44, &[decimals, 1]).put(165, &[1]);
    bytes = bytes.u16(166, 1).u16(168, 108);
    for ((epoch, highest, bps), at) in fees.into_iter().zip([72, 90]) {
        bytes = bytes.u64(170 + at, epoch).u64(178 + at, highest).u16(186 + at, bps);
    }
    bytes.0
}

/// A Raydium v4 pool of 9 and 6 decimals, fee 25 of 10,000.
pub(crate) fn raydium_amm(status: u64, owed_raw: [u64; 2], open_time_s: u64) -> Vec<u8> {
    let bytes = Bytes::new(752, &[]).u64(0, status).u64(32, 9).u64(40, 6);
    let bytes = bytes.u64(176, 25).u64(184, 10_000).u64(192, owed_raw[0]).u64(200, owed_raw[1]);
    let bytes = bytes.u64(224, open_time_s).key(336, VAULTS[0]).key(368, VAULTS[1]);
    bytes.key(400, MINTS[0]).key(432, MINTS[1]).0
}

/// A CPMM pool of 9 and 6 decimals; `creator` says where its fee is taken, if there is one.
pub(crate) fn raydium_cpmm(status: u8, owed_raw: [u64; 2], creator: Option<u8>) -> Vec<u8> {
    let bytes = Bytes::new(637, &[0xf7, 0xed, 0xe3, 0xf5, 0xd7, 0xc3, 0xde, 0x46]);
    let bytes = bytes.key(8, CONFIG).key(72, VAULTS[0]).key(104, VAULTS[1]);
    let bytes = bytes.key(168, MINTS[0]).key(200, MINTS[1]);
    let bytes = bytes.key(232, program::TOKEN).key(264, program::TOKEN_2022);
    let bytes = bytes.key(296, key(0x77)).put(329, &[status, 9, 9, 6]);
    let bytes = bytes.u64(341, owed_raw[0]).u64(349, owed_raw[1]);
    bytes.put(389, &[creator.unwrap_or_default(), u8::from(creator.is_some())]).0
}

/// A CPMM configuration.
pub(crate) fn cpmm_config(trade: u64, protocol: u64, fund: u64, creator: u64) -> Vec<u8> {
    let bytes = Bytes::new(236, &[0xda, 0xf4, 0x21, 0x68, 0xcb, 0xcb, 0x2b, 0x6f]).u16(10, 7);
    bytes.u64(12, trade).u64(20, protocol).u64(28, fund).u64(108, creator).0
}

/// A `PumpSwap` pool of 301 bytes.
pub(crate) fn pumpswap(coin_creator: Key, virtual_quote_raw: i128) -> Vec<u8> {
    let bytes = Bytes::new(301, &[0xf1, 0x9a, 0x6d, 0x04, 0x11, 0xb1, 0x6d, 0xbc]).u16(9, 3);
    let bytes = bytes.key(11, key(9)).key(43, MINTS[0]).key(75, MINTS[1]);
    let bytes = bytes.key(139, VAULTS[0]).key(171, VAULTS[1]).key(211, coin_creator);
    bytes.put(245, &virtual_quote_raw.to_le_bytes()).0
}

/// `PumpSwap`'s global configuration; `flags` switch things off.
pub(crate) fn pumpswap_global(flags: u8) -> Vec<u8> {
    let mut bytes =
        Bytes::new(949, &[0x95, 0x08, 0x9c, 0xca, 0xa0, 0xfc, 0xb0, 0xd9]).put(56, &[flags]);
    for number in 0..8_u8 {
        let at = 32 * usize::from(number);
        bytes = bytes.key(57 + at, key(100 + number)).key(643 + at, key(150 + number));
        let reserved = if number == 0 { 385 } else { 386 + at };
        bytes = bytes.key(reserved, key(120 + number));
    }
    bytes.0
}

/// `PumpSwap`'s fee schedule; every row is (threshold, lp, protocol, creator).
pub(crate) fn pumpswap_fees(
    flat: [u64; 3],
    tiers: &[(u128, [u64; 3])],
    stable: &[(u128, [u64; 3])],
) -> Vec<u8> {
    let rates = |rates: [u64; 3]| rates.map(u64::to_le_bytes).concat();
    let mut bytes = vec![0x8f, 0x34, 0x92, 0xbb, 0xdb, 0x7b, 0x4c, 0x9b];
    bytes.resize(41, 0);
    bytes.extend(rates(flat));
    for list in [tiers, stable] {
        bytes.extend(u32::try_from(list.len()).unwrap().to_le_bytes());
        for (threshold, fees) in list {
            bytes.extend(threshold.to_le_bytes());
            bytes.extend(rates(*fees));
        }
    }
    bytes.resize(4073, 0);
    bytes
}

/// A Whirlpool.
pub(crate) struct WhirlpoolAccount {
    pub(crate) spacing: u16,
    pub(crate) tier: u16,
    pub(crate) fee_rate: u16,
    pub(crate) liquidity: u128,
    pub(crate) sqrt_price: u128,
    pub(crate) tick: i32,
}

impl WhirlpoolAccount {
    /// The pool of the golden vectors.
    pub(crate) fn golden() -> Self {
        Self {
            spacing: 64,
            tier: 64,
            fee_rate: 3000,
            liquidity: 10_000_000_000_000,
            sqrt_price: 7_144_393_258_922_745_856,
            tick: -18973,
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let bytes = Bytes::new(653, &[0x3f, 0x95, 0xd1, 0x0c, 0xe1, 0x80, 0x63, 0x09]);
        let bytes = bytes.u16(41, self.spacing).u16(43, self.tier).u16(45, self.fee_rate);
        let bytes = bytes.u128(49, self.liquidity).u128(65, self.sqrt_price);
        let bytes = bytes.put(81, &self.tick.to_le_bytes());
        let bytes = bytes.key(101, MINTS[0]).key(133, VAULTS[0]);
        bytes.key(181, MINTS[1]).key(213, VAULTS[1]).0
    }
}

/// A fixed tick array with initialised ticks as (place, net liquidity).
pub(crate) fn fixed_array(start: i32, ticks: &[(usize, i128)]) -> Vec<u8> {
    let mut bytes = Bytes::new(9988, &[0x45, 0x61, 0xbd, 0xbe, 0x6e, 0x07, 0x42, 0xbb])
        .put(8, &start.to_le_bytes())
        .key(9956, POOL);
    for (place, net) in ticks {
        let at = 12 + 113 * place;
        bytes = bytes.put(at, &[1]).put(at + 1, &net.to_le_bytes());
    }
    bytes.0
}

/// The same as a dynamic array.
pub(crate) fn dynamic_array(start: i32, ticks: &[(usize, i128)]) -> Vec<u8> {
    let mut bytes = vec![0x11, 0xd8, 0xf6, 0x8e, 0xe1, 0xc7, 0xda, 0x38];
    bytes.extend(start.to_le_bytes());
    bytes.extend(POOL.0);
    let bitmap = ticks.iter().fold(0_u128, |bitmap, (place, _)| bitmap | 1 << place);
    bytes.extend(bitmap.to_le_bytes());
    for place in 0..88 {
        match ticks.iter().find(|tick| tick.0 == place) {
            None => bytes.push(0),
            Some((_, net)) => {
                bytes.push(1);
                bytes.extend(net.to_le_bytes());
                bytes.extend([0; 96]);
            }
        }
    }
    bytes
}

/// Returns a price as a float, for comparing with literals.
pub(crate) fn float(price: Price) -> f64 {
    price.mantissa as f64 * 2_f64.powi(price.exponent) * 10_f64.powi(price.decimals)
}

/// Reads a recording; `None`, said aloud, where the recordings are not there.
pub(crate) fn recorded(name: &str) -> Option<serde_json::Value> {
    let root = std::env::var_os("UTB_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(root.join(name)) else {
        eprintln!("skipped: no {name} under {}", root.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// Decodes base64.
pub(crate) fn base64(text: &str) -> Vec<u8> {
    base64_simd::STANDARD.decode_to_vec(text).unwrap()
}

/// Decodes base58 of any length.
pub(crate) fn base58(text: &str) -> Vec<u8> {
    let alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes: Vec<u8> = Vec::new();
    for letter in text.chars() {
        let mut carry = u16::try_from(alphabet.find(letter).unwrap()).unwrap();
        for byte in bytes.iter_mut().rev() {
            let [low, high] = (u16::from(*byte) * 58 + carry).to_le_bytes();
            (*byte, carry) = (low, u16::from(high));
        }
        if carry > 0 {
            bytes.insert(0, u8::try_from(carry).unwrap());
        }
    }
    let zeros = text.chars().take_while(|letter| *letter == '1').count();
    [vec![0; zeros], bytes].concat()
}

/// Decodes hexadecimal digits.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().map(|it| u8::try_from(it.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
