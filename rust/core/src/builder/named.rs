//! Instructions by name, for callers that assemble a message themselves.

use utb_solana::instruction::swap::{Amounts, MintOf, SwapPool};
use utb_solana::instruction::system::SeedAccount;
use utb_solana::instruction::token::CheckedTransfer;
use utb_solana::instruction::{
    Instruction, associated_token, compute_budget, memo, pumpswap, raydium_amm, raydium_cpmm,
    system, token, token2022, whirlpool,
};
use utb_solana::{Key, SolanaError};

use crate::CoreError;

/// Returns the instruction of a name from its keys, its numbers and its bytes, each in the order
/// that `python/utb/engine/instructions.py` gives them.
///
/// # Errors
///
/// Returns [`CoreError::Range`] for another name, another count of keys or numbers, or a number
/// beyond its field.
pub fn instruction_named(
    name: &str,
    keys: &[Key],
    numbers: &[u64],
    bytes: &[u8],
) -> Result<Instruction, CoreError> {
    let found = match name.split_once('.') {
        Some(("compute_budget", what)) => budget(what, keys, numbers)?,
        Some(("system", what)) => of_system(what, keys, numbers, bytes)?,
        Some(("token", what)) => of_token(what, keys, numbers)?,
        Some(("associated_token", what)) => associated(what, keys, numbers)?,
        Some(("swap", what)) => swap(what, keys, numbers)?,
        _ if name == "memo" && numbers.is_empty() => Some(memo::memo(bytes, keys)),
        _ => None,
    };
    found.ok_or_else(|| {
        let given = format!("{name} of {} keys and {} numbers", keys.len(), numbers.len());
        CoreError::range("instruction", given, "a known name with its keys and numbers")
    })
}

type Found = Result<Option<Instruction>, CoreError>;

fn budget(what: &str, keys: &[Key], numbers: &[u64]) -> Found {
    let ([], [number]) = (keys, numbers) else { return Ok(None) };
    Ok(Some(match what {
        "request_heap_frame" => compute_budget::request_heap_frame(narrow("bytes", *number)?),
        "set_compute_unit_limit" => {
            compute_budget::set_compute_unit_limit(narrow("units", *number)?)
        }
        "set_compute_unit_price" => compute_budget::set_compute_unit_price(*number),
        "set_loaded_accounts_data_size_limit" => {
            compute_budget::set_loaded_accounts_data_size_limit(narrow("bytes", *number)?)
        }
        _ => return Ok(None),
    }))
}

fn of_system(what: &str, keys: &[Key], numbers: &[u64], seed: &[u8]) -> Found {
    Ok(Some(match (what, keys, numbers) {
        ("transfer", [from, to], [lamports]) => system::transfer(*from, *to, *lamports),
        ("create_account", [payer, account, owner], [lamports, space]) => {
            system::create_account(*payer, *account, *lamports, *space, *owner)
        }
        ("create_account_with_seed", [payer, base, owner], [lamports, space]) => {
            let account = SeedAccount { base: *base, seed, owner: *owner };
            system::create_account_with_seed(*payer, &account, *lamports, *space)?
        }
        ("transfer_with_seed", [base, owner, to], [lamports]) => {
            let from = SeedAccount { base: *base, seed, owner: *owner };
            system::transfer_with_seed(&from, *to, *lamports)?
        }
        ("advance_nonce", [nonce, authority], []) => system::advance_nonce(*nonce, *authority),
        ("initialize_nonce", [nonce, authority], []) => {
            system::initialize_nonce(*nonce, *authority)
        }
        ("withdraw_nonce", [nonce, authority, to], [lamports]) => {
            system::withdraw_nonce(*nonce, *authority, *to, *lamports)
        }
        _ => return Ok(None),
    }))
}

fn of_token(what: &str, keys: &[Key], numbers: &[u64]) -> Found {
    let checked = |keys: &[Key; 4], amount_raw, decimals| -> Result<CheckedTransfer, CoreError> {
        let [from, mint, to, owner] = *keys;
        let decimals = narrow("decimals", decimals)?;
        Ok(CheckedTransfer { from, mint, to, owner, amount_raw, decimals })
    };
    Ok(Some(match (what, keys, numbers) {
        ("transfer", [program, from, to, owner], [amount]) => {
            token::transfer(*program, *from, *to, *owner, *amount)
        }
        ("transfer_checked", [program, from, mint, to, owner], [amount, decimals]) => {
            let transfer = checked(&[*from, *mint, *to, *owner], *amount, *decimals)?;
            token::transfer_checked(*program, &transfer)
        }
        ("transfer_checked_with_fee", [from, mint, to, owner], [amount, decimals, fee]) => {
            let transfer = checked(&[*from, *mint, *to, *owner], *amount, *decimals)?;
            token2022::transfer_checked_with_fee(&transfer, *fee)
        }
        ("approve", [program, account, delegate, owner], [amount]) => {
            token::approve(*program, *account, *delegate, *owner, *amount)
        }
        ("revoke", [program, account, owner], []) => token::revoke(*program, *account, *owner),
        ("close_account", [program, account, destination, owner], []) => {
            token::close_account(*program, *account, *destination, *owner)
        }
        ("sync_native", [program, account], []) => token::sync_native(*program, *account),
        ("initialize_account3", [program, account, mint, owner], []) => {
            token::initialize_account3(*program, *account, *mint, *owner)
        }
        _ => return Ok(None),
    }))
}

fn associated(what: &str, keys: &[Key], numbers: &[u64]) -> Found {
    Ok(Some(match (what, keys, numbers) {
        ("create", [payer, owner, mint, program], []) => {
            associated_token::create(*payer, *owner, *mint, *program)?
        }
        ("create_idempotent", [payer, owner, mint, program], []) => {
            associated_token::create_idempotent(*payer, *owner, *mint, *program)?
        }
        _ => return Ok(None),
    }))
}

/// Keys: the wallet, the input mint, then the pool's in the order of its struct.
fn swap(what: &str, keys: &[Key], numbers: &[u64]) -> Found {
    let ([wallet, input_mint, pool @ ..], [in_raw, min_out_raw, flags @ ..]) = (keys, numbers)
    else {
        return Ok(None);
    };
    let Some(pool) = swap_pool(what, pool, flags) else { return Ok(None) };
    let amounts = Amounts { in_raw: *in_raw, min_out_raw: *min_out_raw };
    Ok(Some(pool.swap(input_mint, *wallet, amounts)?))
}

fn swap_pool(what: &str, keys: &[Key], flags: &[u64]) -> Option<SwapPool> {
    let mint_of =
        |mint: &Key, token_program: &Key| MintOf { mint: *mint, token_program: *token_program };
    match (what, keys, flags) {
        ("raydium_amm", [pool, coin_vault, pc_vault, coin_mint, pc_mint], []) => {
            Some(SwapPool::RaydiumAmm(raydium_amm::Pool {
                pool: *pool,
                coin_vault: *coin_vault,
                pc_vault: *pc_vault,
                coin_mint: *coin_mint,
                pc_mint: *pc_mint,
            }))
        }
        ("raydium_cpmm", [pool, config, vault_0, vault_1, a, a_of, b, b_of, observation], []) => {
            Some(SwapPool::RaydiumCpmm(raydium_cpmm::Pool {
                pool: *pool,
                amm_config: *config,
                vault_0: *vault_0,
                vault_1: *vault_1,
                token_0: mint_of(a, a_of),
                token_1: mint_of(b, b_of),
                observation: *observation,
            }))
        }
        (
            "pumpswap",
            [pool, base, base_of, quote, quote_of, base_vault, quote_vault, creator, fee, buyback],
            [cashback],
        ) => Some(SwapPool::PumpSwap(pumpswap::Pool {
            pool: *pool,
            base: mint_of(base, base_of),
            quote: mint_of(quote, quote_of),
            base_vault: *base_vault,
            quote_vault: *quote_vault,
            coin_creator: *creator,
            cashback: *cashback != 0,
            protocol_fee_recipient: *fee,
            buyback_fee_recipient: *buyback,
        })),
        (
            "whirlpool",
            [program, pool, a, a_of, b, b_of, vault_a, vault_b, first, second, third, oracle],
            [],
        ) => Some(SwapPool::Whirlpool(whirlpool::Pool {
            program: *program,
            pool: *pool,
            token_a: mint_of(a, a_of),
            token_b: mint_of(b, b_of),
            vault_a: *vault_a,
            vault_b: *vault_b,
            tick_arrays: [*first, *second, *third],
            oracle: *oracle,
        })),
        _ => None,
    }
}

fn narrow<T: TryFrom<u64>>(field: &'static str, number: u64) -> Result<T, CoreError> {
    T::try_from(number).map_err(|_| {
        let bits = 8 * size_of::<T>();
        CoreError::Chain(SolanaError::range(field, number, format!("below 2^{bits}")))
    })
}
