//! Errors of programs by number.
//!
//! Sources: the programs' error lists, as far as `solana.md` 2 gives them; Anchor's framework
//! numbers hold for every Anchor program.

use super::programs::RAYDIUM_CLMM;
use crate::{Key, program};

/// A program's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramError {
    /// The program's own name for it.
    pub name: &'static str,
    /// What it means.
    pub words: &'static str,
}

type Row = (u32, &'static str, &'static str);

/// Returns what a custom error of a program means, `None` if it is not listed.
pub fn program_error(program: &Key, code: u32) -> Option<ProgramError> {
    let is_anchor = ![
        program::SYSTEM,
        program::TOKEN,
        program::TOKEN_2022,
        program::ASSOCIATED_TOKEN,
        program::RAYDIUM_AMM,
    ]
    .contains(program);
    let framework = if is_anchor { ANCHOR } else { &[] };
    let listed = rows(program).iter().chain(framework).find(|row| row.0 == code);
    listed.map(|(_, name, words)| ProgramError { name, words })
}

fn rows(program: &Key) -> &'static [Row] {
    const TABLE: [(Key, &[Row]); 12] = [
        (program::SYSTEM, SYSTEM),
        (program::TOKEN, TOKEN),
        (program::TOKEN_2022, TOKEN),
        (program::ASSOCIATED_TOKEN, ASSOCIATED_TOKEN),
        (program::RAYDIUM_AMM, RAYDIUM_AMM),
        (program::RAYDIUM_CPMM, RAYDIUM_CPMM),
        (program::PUMPSWAP, PUMPSWAP),
        (program::WHIRLPOOL, WHIRLPOOL),
        (program::WHIRLPOOL_IMMUTABLE, WHIRLPOOL),
        (program::JUPITER, JUPITER),
        (RAYDIUM_CLMM, &[]),
        (program::PUMP, &[]),
    ];
    TABLE.iter().find(|(key, _)| key == program).map_or(&[], |(_, rows)| rows)
}

const SYSTEM: &[Row] = &[
    (0, "AccountAlreadyInUse", "the account to be created exists already"),
    (1, "ResultWithNegativeLamports", "the account has too few lamports"),
    (2, "InvalidProgramId", "the account cannot be given to this program"),
    (3, "InvalidAccountDataLength", "the account's length is not allowed"),
    (4, "MaxSeedLengthExceeded", "the seed is longer than 32 bytes"),
    (5, "AddressWithSeedMismatch", "the address does not follow from base, seed and owner"),
    (6, "NonceNoRecentBlockhashes", "there is no recent blockhash for the nonce"),
    (7, "NonceBlockhashNotExpired", "the nonce was advanced in this block already"),
    (8, "NonceUnexpectedBlockhashValue", "the nonce does not hold what was expected"),
];

/// Token-2022 adds the numbers from 20 on.
const TOKEN: &[Row] = &[
    (0, "NotRentExempt", "the account has too few lamports to stay"),
    (1, "InsufficientFunds", "the token account holds less than the amount"),
    (2, "InvalidMint", "the account is no valid mint"),
    (3, "MintMismatch", "the token account is of another mint"),
    (4, "OwnerMismatch", "the signer does not own the token account"),
    (5, "FixedSupply", "the mint's supply is fixed"),
    (6, "AlreadyInUse", "the account is initialised already"),
    (7, "InvalidNumberOfProvidedSigners", "the number of signers given is not allowed"),
    (8, "InvalidNumberOfRequiredSigners", "the number of signers required is not allowed"),
    (9, "UninitializedState", "the account is not initialised"),
    (10, "NativeNotSupported", "this cannot be done with wrapped SOL"),
    (11, "NonNativeHasBalance", "the token account still holds tokens and cannot be closed"),
    (12, "InvalidInstruction", "the instruction is not valid"),
    (13, "InvalidState", "the account's state does not allow it"),
    (14, "Overflow", "the amount is too large"),
    (15, "AuthorityTypeNotSupported", "the account has no such authority"),
    (16, "MintCannotFreeze", "the mint cannot freeze accounts"),
    (17, "AccountFrozen", "the token account is frozen"),
    (18, "MintDecimalsMismatch", "the decimals are not the mint's"),
    (19, "NonNativeNotSupported", "this can be done with wrapped SOL alone"),
    (20, "ExtensionTypeMismatch", "the extension is another than expected"),
    (21, "ExtensionBaseMismatch", "the extension does not belong to this kind of account"),
    (22, "ExtensionAlreadyInitialized", "the extension is initialised already"),
    (30, "TransferFeeExceedsMaximum", "the transfer fee is above its maximum"),
    (31, "MintRequiredForTransfer", "the transfer has to name the mint"),
    (32, "FeeMismatch", "the transfer fee is not the one expected"),
    (34, "ImmutableOwner", "the account's owner cannot be changed"),
    (35, "AccountHasWithheldTransferFees", "the token account holds withheld transfer fees"),
    (36, "NoMemo", "the receiving account demands a memo before the transfer"),
    (37, "NonTransferable", "the mint's tokens cannot be transferred"),
];

const ASSOCIATED_TOKEN: &[Row] =
    &[(0, "InvalidOwner", "the token account belongs to somebody else")];

const RAYDIUM_AMM: &[Row] = &[
    (22, "InvalidStatus", "the pool does not swap in its present state"),
    (29, "InvalidInput", "the amounts are not valid"),
    (30, "ExceededSlippage", "the price moved beyond the slippage allowed"),
    (40, "InsufficientFunds", "the source account holds less than the amount"),
    (42, "InvalidUserToken", "a token account is not one for this pool"),
];

const RAYDIUM_CPMM: &[Row] = &[
    (6000, "NotApproved", "the pool is closed or not open yet"),
    (6005, "ExceededSlippage", "the price moved beyond the slippage allowed"),
    (6006, "ZeroTradingTokens", "the amount is too small to swap"),
    (6007, "NotSupportMint", "the mint is not supported"),
    (6008, "InvalidVault", "the vault is not the pool's"),
    (6011, "MathOverflow", "the amounts overflow"),
    (6012, "InsufficientVault", "the vault holds less than the swap needs"),
];

const PUMPSWAP: &[Row] = &[
    (6004, "ExceededSlippage", "the price moved beyond the slippage allowed"),
    (6013, "InvalidProtocolFeeRecipient", "the protocol fee's recipient is out of date"),
    (6016, "BuyMoreBaseAmountThanPoolReserves", "the pool has less than was to be bought"),
    (6020, "DisabledBuy", "buying is switched off"),
    (6021, "DisabledSell", "selling is switched off"),
    (6040, "BuySlippageBelowMinBaseAmountOut", "the price moved beyond the slippage allowed"),
    (6044, "NotEnoughRemainingAccounts", "accounts are missing at the end of the instruction"),
    (6053, "BuybackFeeRecipientNotAuthorized", "the buyback recipient is out of date"),
    (6058, "BuybackFeeRecipientMissing", "the buyback recipient is missing"),
];

const WHIRLPOOL: &[Row] = &[
    (6011, "SqrtPriceOutOfBounds", "the price limit is outside all prices"),
    (6012, "LiquidityZero", "the pool has no liquidity at its price"),
    (6017, "TokenMaxExceeded", "more would be taken than allowed"),
    (6018, "TokenMinSubceeded", "less would be given than demanded"),
    (6022, "InvalidTimestamp", "the block's time is before the pool's last"),
    (6023, "InvalidTickArraySequence", "the tick arrays are not those at the pool's price"),
    (6034, "InvalidSqrtPriceLimitDirection", "the price limit is on the wrong side"),
    (6035, "ZeroTradableAmount", "the amount is too small to swap"),
    (6036, "AmountOutBelowMinimum", "the price moved beyond the slippage allowed"),
    (6037, "AmountInAboveMaximum", "the price moved beyond the slippage allowed"),
    (6038, "TickArraySequenceInvalidIndex", "the swap goes beyond its three tick arrays"),
    (6039, "AmountCalcOverflow", "the amounts overflow"),
];

const JUPITER: &[Row] = &[
    (6001, "SlippageToleranceExceeded", "the price moved beyond the slippage allowed"),
    (6008, "NotEnoughAccountKeys", "the instruction names too few accounts"),
    (6014, "IncorrectTokenProgramID", "the token program is not the mint's"),
    (6017, "ExactOutAmountNotMatched", "the exact output was not reached"),
    (6024, "InsufficientFunds", "the source account holds less than the amount"),
    (6025, "InvalidTokenAccount", "a token account is not valid"),
];

const ANCHOR: &[Row] = &[
    (100, "InstructionMissing", "the instruction has no name"),
    (101, "InstructionFallbackNotFound", "the program has no such instruction"),
    (102, "InstructionDidNotDeserialize", "the instruction's data cannot be read"),
    (2000, "ConstraintMut", "an account has to be writable"),
    (2001, "ConstraintHasOne", "an account does not belong to another one"),
    (2002, "ConstraintSigner", "an account has to sign"),
    (2003, "ConstraintRaw", "a condition of the program does not hold"),
    (2004, "ConstraintOwner", "an account belongs to the wrong program or owner"),
    (2006, "ConstraintSeeds", "an address does not follow from its seeds"),
    (2012, "ConstraintAddress", "an account is another than the program demands"),
    (2014, "ConstraintTokenMint", "a token account is of another mint"),
    (2015, "ConstraintTokenOwner", "a token account belongs to somebody else"),
    (3001, "AccountDiscriminatorNotFound", "an account holds nothing of the program"),
    (3002, "AccountDiscriminatorMismatch", "an account is of another kind"),
    (3003, "AccountDidNotDeserialize", "an account's data cannot be read"),
    (3005, "AccountNotEnoughKeys", "the instruction names too few accounts"),
    (3007, "AccountOwnedByWrongProgram", "an account belongs to another program"),
    (3008, "InvalidProgramId", "a program is another than demanded"),
    (3010, "AccountNotSigner", "an account has to sign"),
    (3012, "AccountNotInitialized", "an account is not there yet"),
];
