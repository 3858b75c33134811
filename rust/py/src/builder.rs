//! `TransactionBuilder`.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use utb_core::{LegRequest, OrderRequest, read_tables};

use crate::error::refused;
use crate::keys::key;
use crate::pools::Pools;

/// Messages of one wallet from templates.
#[pyclass(module = "utb._core")]
pub(crate) struct TransactionBuilder {
    inner: utb_core::TransactionBuilder,
    pools: Py<Pools>,
}

#[pymethods]
impl TransactionBuilder {
    #[new]
    fn new(wallet: &[u8], pools: Py<Pools>, tables: &[u8]) -> PyResult<Self> {
        let wallet = key("wallet", wallet)?;
        let tables = read_tables(tables).map_err(refused)?;
        Ok(Self { inner: utb_core::TransactionBuilder::new(wallet, tables), pools })
    }

    #[pyo3(signature = (order, blockhash, /))]
    fn build<'py>(
        &mut self,
        py: Python<'py>,
        order: &[u8],
        blockhash: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let blockhash = key("blockhash", blockhash)?;
        let request = OrderRequest::read(order).map_err(refused)?;
        let pools = self.pools.try_borrow(py)?;
        let resolve = |leg: &LegRequest<'_>| pools.swap_pool(leg);
        let built = self.inner.build_request(&request, &blockhash, resolve).map_err(refused)?;
        Ok(PyBytes::new(py, built.message()))
    }
}
