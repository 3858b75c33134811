//! `utb._core`: the compiled core as Python sees it. `python/utb/_core.pyi` documents it.

mod columns;
mod error;
mod pipeline;
mod replay;

/// The compiled core. `utb.engine` is the only module that imports it.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::columns::{explode, indicators, indicators_peek, merge, patterns, resample};
    #[pymodule_export]
    use crate::pipeline::Pipeline;
    #[pymodule_export]
    use crate::replay::Replay;
}
