//! What Token-2022 has beside SPL Token's instructions: the transfer with its fee.

use super::Instruction;
use super::token::CheckedTransfer;
use crate::program;

/// Returns a transfer that fails unless the mint's fee is `fee_raw`; the fee stays withheld in the
/// receiving account.
pub fn transfer_checked_with_fee(transfer: &CheckedTransfer, fee_raw: u64) -> Instruction {
    let data: [&[u8]; 4] = [
        &[26, 1],
        &transfer.amount_raw.to_le_bytes(),
        &[transfer.decimals],
        &fee_raw.to_le_bytes(),
    ];
    Instruction::of(program::TOKEN_2022, &transfer.accounts(), &data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    /// Instruction 26 is the transfer fee extension, 1 within it the checked transfer.
    #[test]
    fn fee_follows_amount_and_decimals() {
        let [from, mint, to, owner] = [1, 2, 3, 4].map(|byte| Key([byte; 32]));
        let transfer = CheckedTransfer { from, mint, to, owner, amount_raw: 5, decimals: 9 };
        assert_eq!(
            transfer_checked_with_fee(&transfer, 7).data,
            [26, 1, 5, 0, 0, 0, 0, 0, 0, 0, 9, 7, 0, 0, 0, 0, 0, 0, 0]
        );
    }
}
