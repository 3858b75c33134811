//! Little-endian fields of an account at fixed places.

use crate::Key;

/// Reads the byte at `at`.
#[inline]
pub(crate) fn u8_at(data: &[u8], at: usize) -> Option<u8> {
    data.get(at).copied()
}

/// Reads `N` bytes at `at`.
#[inline]
pub(crate) fn array_at<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..)?.first_chunk().copied()
}

/// Reads a `u16` at `at`.
#[inline]
pub(crate) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    array_at(data, at).map(u16::from_le_bytes)
}

/// Reads a `u32` at `at`.
#[inline]
pub(crate) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    array_at(data, at).map(u32::from_le_bytes)
}

/// Reads an `i32` at `at`.
#[inline]
pub(crate) fn i32_at(data: &[u8], at: usize) -> Option<i32> {
    array_at(data, at).map(i32::from_le_bytes)
}

/// Reads a `u64` at `at`.
#[inline]
pub(crate) fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    array_at(data, at).map(u64::from_le_bytes)
}

/// Reads a `u128` at `at`.
#[inline]
pub(crate) fn u128_at(data: &[u8], at: usize) -> Option<u128> {
    array_at(data, at).map(u128::from_le_bytes)
}

/// Reads an `i128` at `at`.
#[inline]
pub(crate) fn i128_at(data: &[u8], at: usize) -> Option<i128> {
    array_at(data, at).map(i128::from_le_bytes)
}

/// Reads a key at `at`.
#[inline]
pub(crate) fn key_at(data: &[u8], at: usize) -> Option<Key> {
    array_at(data, at).map(Key)
}
