//! `utb._core`: the compiled core as Python sees it. `python/utb/_core.pyi` documents it.

mod builder;
mod clock;
mod columns;
mod decode;
mod error;
mod keys;
mod messages;
mod pipeline;
mod pools;
mod replay;
mod signer;

/// The compiled core. `utb.engine` is the only module that imports it.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::builder::TransactionBuilder;
    #[pymodule_export]
    use crate::columns::{explode, indicators, indicators_peek, merge, patterns, resample};
    #[pymodule_export]
    use crate::decode::{
        decode_instruction, decode_transaction, program_error, program_name, runtime_error,
    };
    #[pymodule_export]
    use crate::keys::{
        associated_token_address, create_with_seed, find_program_address, key_bytes, key_text,
        signature_bytes,
    };
    #[pymodule_export]
    use crate::messages::{compile_legacy, compile_v0, instruction, transaction};
    #[pymodule_export]
    use crate::pipeline::Pipeline;
    #[pymodule_export]
    use crate::pools::Pools;
    #[pymodule_export]
    use crate::replay::Replay;
    #[pymodule_export]
    use crate::signer::{
        RecordFlusher, Signer, keystore_import, keystore_new, keystore_show, policy_probe,
        refusal_codes,
    };
}
