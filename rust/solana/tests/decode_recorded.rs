//! Recorded transactions and instructions by name (`UTB_DATA`, default `../shared/data`).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod support;

use serde_json::Value;
use support::{base58, base64, recorded};
use utb_solana::decode::{
    DecodedTransaction, FieldValue, decode_instruction, decode_transaction, program_error,
};
use utb_solana::message::{Source, Version};
use utb_solana::{Key, SolanaError, program, short_vec};

/// The bytes of a transaction that was recorded as JSON.
fn wire(transaction: &Value, version: &Value) -> Vec<u8> {
    let message = &transaction["message"];
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let byte = |value: &Value| u8::try_from(value.as_u64().unwrap()).unwrap();
    let mut bytes = Vec::new();
    let count = |bytes: &mut Vec<u8>, count: usize| {
        short_vec::push_count("list", count, bytes).unwrap();
    };
    let signatures = list(&transaction["signatures"]);
    count(&mut bytes, signatures.len());
    for signature in signatures {
        let signature = base58(signature.as_str().unwrap());
        bytes.extend(vec![0; 64 - signature.len()]);
        bytes.extend(signature);
    }
    if version.as_u64() == Some(0) {
        bytes.push(0x80);
    }
    let header = &message["header"];
    for field in
        ["numRequiredSignatures", "numReadonlySignedAccounts", "numReadonlyUnsignedAccounts"]
    {
        bytes.push(byte(&header[field]));
    }
    let key = |value: &Value| Key::from_base58(value.as_str().unwrap()).unwrap().0;
    let keys = list(&message["accountKeys"]);
    count(&mut bytes, keys.len());
    for it in &keys {
        bytes.extend(key(it));
    }
    bytes.extend(key(&message["recentBlockhash"]));
    let instructions = list(&message["instructions"]);
    count(&mut bytes, instructions.len());
    for instruction in instructions {
        bytes.push(byte(&instruction["programIdIndex"]));
        let accounts = list(&instruction["accounts"]);
        count(&mut bytes, accounts.len());
        bytes.extend(accounts.iter().map(byte));
        let data = base58(instruction["data"].as_str().unwrap());
        count(&mut bytes, data.len());
        bytes.extend(data);
    }
    if version.as_u64() == Some(0) {
        let lookups = list(&message["addressTableLookups"]);
        count(&mut bytes, lookups.len());
        for lookup in lookups {
            bytes.extend(key(&lookup["accountKey"]));
            for field in ["writableIndexes", "readonlyIndexes"] {
                let entries = list(&lookup[field]);
                count(&mut bytes, entries.len());
                bytes.extend(entries.iter().map(byte));
            }
        }
    }
    bytes
}

/// A transaction recorded as JSON, decoded.
fn transaction(name: &str) -> Option<DecodedTransaction> {
    let body = recorded(&format!("rpc/{name}"))?;
    let result = &body["result"];
    Some(decode_transaction(&wire(&result["transaction"], &result["version"])).unwrap())
}

/// Programs and instructions as `program.instruction`.
fn names(transaction: &DecodedTransaction) -> Vec<String> {
    let name = |it: &utb_solana::decode::DecodedInstruction| {
        assert!(!it.decoded.malformed, "{it:?}");
        let program = it.decoded.program.map_or_else(|| it.program.to_base58(), str::to_owned);
        format!("{program}.{}", it.decoded.name.unwrap_or("unknown"))
    };
    transaction.instructions.iter().map(name).collect()
}

fn number(transaction: &DecodedTransaction, instruction: usize, field: &str) -> u128 {
    let fields = &transaction.instructions[instruction].decoded.fields;
    match fields.iter().find(|it| it.name == field).map(|it| &it.value) {
        Some(FieldValue::Number(number)) => *number,
        other => panic!("{field} is {other:?}"),
    }
}

#[test]
fn test_recorded_raydium_swap_names_its_18_accounts() {
    let Some(it) = transaction("getTransaction_swap-sol-to-sahur.json") else { return };
    assert_eq!(
        names(&it),
        [
            "compute_budget.set_compute_unit_limit",
            "compute_budget.set_compute_unit_price",
            "system.create_account_with_seed",
            "token.initialize_account",
            "associated_token.create",
            "raydium_amm.swap_base_in",
            "token.close_account",
        ]
    );
    assert_eq!(number(&it, 5, "in_raw"), 10_000_000);
    let swap = &it.instructions[5].accounts;
    assert_eq!(swap.len(), 18);
    let of_role = |role| swap.iter().find(|it| it.role == Some(role)).unwrap();
    assert_eq!(of_role("user").source, Source::Static(it.fee_payer));
    assert!(of_role("user").signer && of_role("coin_vault").writable);
    let authority = Key::known("5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1");
    assert_eq!(of_role("authority").source, Source::Static(authority));
}

#[test]
fn test_recorded_jupiter_routes_show_their_tail() {
    let Some(it) = transaction("getTransaction_swap-sol-to-usdc.json") else { return };
    assert_eq!((it.version, names(&it)[4].as_str()), (Version::V0, "jupiter.route"));
    assert_eq!(number(&it, 4, "slippage_bps"), 15);
    assert_eq!(number(&it, 4, "platform_fee_bps"), 0);
    assert_eq!(number(&it, 4, "in_raw"), 991_250);
    let loaded =
        it.instructions[4].accounts.iter().filter(|it| matches!(it.source, Source::Table { .. }));
    assert!(loaded.count() > 0);
    // One carries a platform fee of 85 that nobody asked for.
    let it = transaction("getTransaction_swap-usdc-to-jup.json").unwrap();
    assert_eq!(names(&it)[2], "jupiter.route");
    assert_eq!((number(&it, 2, "slippage_bps"), number(&it, 2, "platform_fee_bps")), (50, 85));
}

#[test]
fn test_recorded_failed_swap_is_named_with_a_stranger_as_unknown() {
    let Some(it) = transaction("getTransaction_failed-swap.json") else { return };
    assert_eq!(
        names(&it),
        [
            "3i5JeuZuUxeKtVysUnwQNGerJP2bSMX9fTFfS4Nxe3Br.unknown",
            "compute_budget.set_compute_unit_limit",
            "compute_budget.set_compute_unit_price",
            "system.transfer",
            "system.transfer",
            "associated_token.create_idempotent",
            "system.transfer",
            "token.sync_native",
            "jupiter.shared_accounts_route",
            "token.close_account",
        ]
    );
    // Instruction 6 failed with Custom(1): the wallet had not the lamports.
    let failed = it.instructions[6].program;
    assert_eq!(program_error(&failed, 1).unwrap().name, "ResultWithNegativeLamports");
}

#[test]
fn test_recorded_transfers_are_named() {
    let Some(it) = transaction("getTransaction_native-sol-transfer.json") else { return };
    assert_eq!(names(&it), ["system.transfer"]);
    let it = transaction("getTransaction_send-usdc-transfer.json").unwrap();
    assert_eq!(names(&it), ["token.transfer"]);
}

#[test]
fn test_recorded_wire_bytes_are_all_decoded() {
    let Some(body) = recorded("rpc/get_block_base64_encoding.json") else { return };
    let transactions = body["result"]["transactions"].as_array().unwrap();
    for transaction in transactions {
        let bytes = base64(transaction["transaction"][0].as_str().unwrap());
        let decoded = decode_transaction(&bytes).unwrap();
        for name in names(&decoded) {
            assert!(!name.starts_with('.') && name.contains('.'), "{name}");
        }
        let id = &decoded.signatures[0];
        assert_ne!(id, &[0; 64]);
    }
    let single = recorded("rpc/get_transaction_base64_encoding.json").unwrap();
    let bytes = base64(single["result"]["transaction"][0].as_str().unwrap());
    assert!(names(&decode_transaction(&bytes).unwrap())[0].starts_with("vote."));
    let create = recorded("rpc/pumpfun_create_blockSubscribe_tx_base64.json").unwrap();
    let bytes = base64(create["transaction"][0].as_str().unwrap());
    let decoded = decode_transaction(&bytes).unwrap();
    let names = names(&decoded);
    assert!(names.iter().any(|it| it.starts_with("pump.create")), "{names:?}");
}

#[test]
fn test_recorded_parsed_transaction_still_shows_what_was_not_parsed() {
    let Some(body) = recorded("rpc/pumpfun_buy_getTransaction_jsonParsed.json") else { return };
    let inner = body["result"]["meta"]["innerInstructions"][0]["instructions"].as_array().unwrap();
    let buy = &inner[0];
    let program = Key::from_base58(buy["programId"].as_str().unwrap()).unwrap();
    let data = base58(buy["data"].as_str().unwrap());
    let decoded = decode_instruction(&program, 27, &data);
    assert_eq!((decoded.program, decoded.name), (Some("pump"), Some("buy_v2")));
    assert_eq!(decoded.fields[0].value, FieldValue::Number(445_377_137_871));
    let event = base58(inner[3]["data"].as_str().unwrap());
    assert_eq!(decode_instruction(&program, 1, &event).name, Some("event"));
}

#[test]
fn test_recorded_instructions_are_named() {
    for (file, expected, malformed) in [
        ("orca-whirlpool/swap_ix", "whirlpool.swap", false),
        ("orca-whirlpool/swap_v2_ix", "whirlpool.swap_v2", false),
        ("orca-whirlpool/two_hop_swap_ix", "whirlpool.two_hop_swap", false),
        ("raydium-clmm/swap_ix", "raydium_clmm.swap", false),
        ("raydium-clmm/swap_v2_ix", "raydium_clmm.swap_v2", false),
        ("raydium-clmm/create_pool_ix", "raydium_clmm.create_pool", false),
        ("meteora-dlmm/swap_ix", "meteora_dlmm.swap", false),
        ("meteora-dlmm/swap2_ix", "meteora_dlmm.swap2", false),
        ("meteora-dlmm/initialize_lb_pair_ix", "meteora_dlmm.initialize_lb_pair", false),
        ("jupiter-dca/open_dca_ix", "jupiter_dca.open_dca", false),
        (
            "lifinity-amm-v2/deposit_all_token_types_ix",
            "lifinity_amm_v2.deposit_all_token_types",
            false,
        ),
        ("moonshot/token_mint_ix", "moonshot.token_mint", false),
    ] {
        let Some(recording) = recorded(&format!("accounts/{file}.json")) else { return };
        let program = Key::from_base58(recording["program_id"].as_str().unwrap()).unwrap();
        let data = support::hex(recording["data"].as_str().unwrap());
        let accounts = recording["accounts"].as_array().unwrap();
        let decoded = decode_instruction(&program, accounts.len(), &data);
        let name = format!("{}.{}", decoded.program.unwrap(), decoded.name.unwrap());
        assert_eq!((name.as_str(), decoded.malformed), (expected, malformed), "{file}");
    }
}

/// The recording names the accounts as the program's own description does.
#[test]
fn test_recorded_whirlpool_swap_v2_has_the_roles_of_its_accounts() {
    let Some(recording) = recorded("accounts/orca-whirlpool/swap_v2_ix.json") else { return };
    let data = support::hex(recording["data"].as_str().unwrap());
    let decoded = decode_instruction(&program::WHIRLPOOL, 15, &data);
    let expected = &recording["data_decoded"];
    assert_eq!(expected["amount"]["data"], "367897999");
    assert_eq!(decoded.fields[0].value, FieldValue::Number(367_897_999));
    assert_eq!(decoded.fields[2].value, FieldValue::Number(4_295_048_016));
    assert_eq!(decoded.fields[4].value, FieldValue::Flag(true));
    let label = |it: &Value| it["label"].as_str().unwrap().to_lowercase();
    let labels: Vec<String> = recording["accounts"].as_array().unwrap().iter().map(label).collect();
    assert_eq!(labels.len(), decoded.accounts.len());
    for (role, label) in [(4, "whirlpool"), (5, "tokenminta"), (11, "tickarray0"), (14, "oracle")] {
        assert_eq!(labels[role], label);
        assert!(["pool", "mint_a", "tick_array_0", "oracle"].contains(&decoded.accounts[role]));
    }
}

#[test]
fn test_other_versions_are_refused_by_number() {
    let mut bytes = vec![1];
    bytes.extend([0; 64]);
    bytes.push(0x81);
    bytes.extend([0; 64]);
    assert_eq!(decode_transaction(&bytes), Err(SolanaError::UnsupportedVersion { version: 1 }));
}

#[test]
fn test_instructions_we_do_not_know_are_not_guessed() {
    let stranger = Key([9; 32]);
    let decoded = decode_instruction(&stranger, 0, &[1, 2, 3]);
    assert_eq!((decoded.program, decoded.name), (None, None));
    let decoded = decode_instruction(&program::RAYDIUM_CPMM, 0, &[0; 24]);
    assert_eq!((decoded.program, decoded.name), (Some("raydium_cpmm"), None));
    let short = decode_instruction(&program::SYSTEM, 2, &[2, 0, 0, 0, 1]);
    assert_eq!((short.name, short.malformed), (Some("transfer"), true));
    let text = decode_instruction(&program::MEMO, 0, &[0xff]);
    assert!(text.malformed);
    assert_eq!(decode_instruction(&program::JUPITER, 0, &[]).name, None);
}

#[test]
fn test_errors_are_told_by_program_and_number() {
    let name = |program, code| program_error(program, code).map(|it| it.name);
    assert_eq!(name(&program::RAYDIUM_AMM, 30), Some("ExceededSlippage"));
    assert_eq!(name(&program::RAYDIUM_CPMM, 6005), Some("ExceededSlippage"));
    assert_eq!(name(&program::PUMPSWAP, 6040), Some("BuySlippageBelowMinBaseAmountOut"));
    assert_eq!(name(&program::WHIRLPOOL, 6036), Some("AmountOutBelowMinimum"));
    assert_eq!(name(&program::JUPITER, 6001), Some("SlippageToleranceExceeded"));
    assert_eq!(name(&program::SYSTEM, 0), Some("AccountAlreadyInUse"));
    assert_eq!(name(&program::TOKEN, 11), Some("NonNativeHasBalance"));
    assert_eq!(name(&program::TOKEN_2022, 35), Some("AccountHasWithheldTransferFees"));
    assert_eq!(name(&program::PUMPSWAP, 2006), Some("ConstraintSeeds"));
    assert_eq!(name(&program::RAYDIUM_AMM, 2006), None);
    assert_eq!(name(&Key([9; 32]), 6001), None);
}
