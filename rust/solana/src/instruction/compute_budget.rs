//! Compute budget: how much a transaction may compute and what it pays for it.

use super::Instruction;
use crate::program::COMPUTE_BUDGET;

/// Most compute units of a transaction.
pub const COMPUTE_UNITS_MAX: u32 = 1_400_000;

/// Returns a request for a heap of `bytes`: a multiple of 1024, at most 262144.
pub fn request_heap_frame(bytes: u32) -> Instruction {
    Instruction::of(COMPUTE_BUDGET, &[], &[&[1], &bytes.to_le_bytes()])
}

/// Returns the limit of compute units; the priority fee is charged on it, used or not.
pub fn set_compute_unit_limit(units: u32) -> Instruction {
    Instruction::of(COMPUTE_BUDGET, &[], &[&[2], &units.to_le_bytes()])
}

/// Returns the price per compute unit in micro-lamports.
pub fn set_compute_unit_price(micro_lamports: u64) -> Instruction {
    Instruction::of(COMPUTE_BUDGET, &[], &[&[3], &micro_lamports.to_le_bytes()])
}

/// Returns the limit of account bytes that are loaded.
pub fn set_loaded_accounts_data_size_limit(bytes: u32) -> Instruction {
    Instruction::of(COMPUTE_BUDGET, &[], &[&[4], &bytes.to_le_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes seen executed (`solana.md` 1.4 of the specification).
    #[test]
    fn data_vectors_are_exact() {
        assert_eq!(set_compute_unit_limit(1_400_000).data, [2, 0xc0, 0x5c, 0x15, 0]);
        assert_eq!(set_compute_unit_limit(200_000).data, [2, 0x40, 0x0d, 0x03, 0]);
        assert_eq!(set_compute_unit_price(12_345).data, [3, 0x39, 0x30, 0, 0, 0, 0, 0, 0]);
        assert_eq!(set_loaded_accounts_data_size_limit(65_536).data, [4, 0, 0, 1, 0]);
        assert_eq!(request_heap_frame(32_768).data, [1, 0, 0x80, 0, 0]);
    }
}
