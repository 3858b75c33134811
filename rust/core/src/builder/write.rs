//! An instruction as `MessagePack`: the arrays that `read_instructions` reads.

use rmp::encode::{ByteBuf, write_array_len, write_bin, write_bool};
use utb_solana::instruction::Instruction;

/// Encodes an instruction as `python/utb/engine/instructions.py` declares it.
///
/// # Errors
///
/// None: an instruction in memory has fewer than 2^32 accounts and bytes.
pub fn write_instruction(instruction: &Instruction) -> Result<Vec<u8>, crate::CoreError> {
    let mut out = ByteBuf::new();
    write_fields(instruction, &mut out)
        .map_err(|error| crate::CoreError::document("instruction", error))?;
    Ok(out.into_vec())
}

fn write_fields(
    instruction: &Instruction,
    out: &mut ByteBuf,
) -> Result<(), Box<dyn std::error::Error>> {
    write_array_len(out, 3)?;
    write_bin(out, &instruction.program.0)?;
    write_array_len(out, u32::try_from(instruction.accounts.len())?)?;
    for account in &instruction.accounts {
        write_array_len(out, 3)?;
        write_bin(out, &account.key.0)?;
        write_bool(out, account.signer)?;
        write_bool(out, account.writable)?;
    }
    write_bin(out, &instruction.data)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_instructions;
    use utb_solana::{Key, instruction::system};

    #[test]
    fn written_instruction_reads_back() {
        let transfer = system::transfer(Key([1; 32]), Key([2; 32]), 3);
        let written = write_instruction(&transfer).unwrap();
        let list = [&[0x91][..], &written].concat();
        assert_eq!(read_instructions(&list), Ok(vec![transfer]));
        for length in 0..list.len() {
            assert!(read_instructions(&list[..length]).is_err());
        }
        assert!(read_instructions(&[&list[..], &[0]].concat()).is_err());
    }
}
