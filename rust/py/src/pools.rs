//! `Pools`.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use utb_core::{CoreError, LegRequest, PoolFeed, price_value};
use utb_solana::instruction::swap::SwapPool;
use utb_solana::pool::{self, Applied, Venue};

use crate::error::{bytes, out_of_range};
use crate::keys::{key, unreadable};

/// Fields of `engine.chain.Quote`, or the reason why there is none.
#[derive(IntoPyObject)]
pub(crate) enum Quoted {
    Quote(u64, u64, u64, u64, u64, f64, f64),
    Reason(String),
}

/// Accounts of watched pools in, prices and quotes out.
#[pyclass(module = "utb._core")]
#[derive(Debug)]
pub(crate) struct Pools {
    inner: pool::Pools,
    feed: PoolFeed,
}

impl Pools {
    /// Returns the keys of a leg's pool.
    pub(crate) fn swap_pool(&self, leg: &LegRequest<'_>) -> Result<SwapPool, CoreError> {
        let venue = Venue::from_name(leg.program)?;
        if let Some(watched) = self.inner.venue(&leg.pool)
            && watched != venue
        {
            let expected = format!("{}, the pool's", watched.name());
            return Err(CoreError::range("program", leg.program, expected));
        }
        self.inner
            .keys(&leg.pool, &leg.input_mint)
            .map_err(|reason| CoreError::range("pool", leg.pool, format!("tradable: {reason}")))
    }
}

#[pymethods]
impl Pools {
    #[new]
    fn new() -> Self {
        Self { inner: pool::Pools::default(), feed: PoolFeed::default() }
    }

    #[pyo3(signature = (program, pool, /))]
    fn watch(&mut self, program: &str, pool: &[u8]) -> PyResult<()> {
        let venue = Venue::from_name(program).map_err(unreadable)?;
        self.inner.watch(venue, key("pool", pool)?).map_err(unreadable)
    }

    #[pyo3(signature = (address, owner, data, slot, /))]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 hands buffers over")]
    fn apply(
        &mut self,
        py: Python<'_>,
        address: &[u8],
        owner: &[u8],
        data: PyBuffer<u8>,
        slot: u64,
    ) -> PyResult<bool> {
        let (address, owner) = (key("address", address)?, key("owner", owner)?);
        let data = bytes(py, "data", &data)?;
        Ok(self.inner.apply(&address, &owner, &data, slot) == Applied::Taken)
    }

    #[pyo3(signature = (subscription, address, /))]
    fn bind(&mut self, subscription: u64, address: &[u8]) -> PyResult<()> {
        self.feed.bind(subscription, key("address", address)?);
        Ok(())
    }

    fn unbind_all(&mut self) {
        self.feed.unbind_all();
    }

    #[pyo3(signature = (frame, /))]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 hands buffers over")]
    fn ingest(&mut self, py: Python<'_>, frame: PyBuffer<u8>) -> PyResult<Option<(u64, bool)>> {
        let frame = bytes(py, "frame", &frame)?;
        let fed = self
            .feed
            .ingest(&frame, &mut self.inner)
            .map_err(|reason| out_of_range("frame", reason.reason(), "an account notification"))?;
        Ok(fed.map(|fed| (fed.slot, fed.applied == Applied::Taken)))
    }

    #[pyo3(signature = (slot, /))]
    fn rollback(&mut self, slot: u64) {
        self.inner.rollback(slot);
    }

    fn forget(&mut self) {
        self.inner.forget();
    }

    #[pyo3(signature = (slot, /))]
    fn on_slot(&mut self, slot: u64) {
        self.inner.on_slot(slot);
    }

    #[pyo3(signature = (pool, /))]
    fn needs<'py>(&self, py: Python<'py>, pool: &[u8]) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let keys = self.inner.needs(&key("pool", pool)?);
        Ok(keys.iter().map(|it| PyBytes::new(py, &it.0)).collect())
    }

    fn missing<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.inner.missing().iter().map(|it| PyBytes::new(py, &it.0)).collect()
    }

    #[pyo3(signature = (pool, base_mint, /))]
    fn price(&self, pool: &[u8], base_mint: &[u8]) -> PyResult<Option<(f64, u64)>> {
        let (pool, base_mint) = (key("pool", pool)?, key("base_mint", base_mint)?);
        let found = self.inner.price(&pool, &base_mint).ok();
        Ok(found.map(|(price, slot)| (price_value(price), slot)))
    }

    #[pyo3(signature = (pool, input_mint, amount_in_raw, /))]
    fn quote(&self, pool: &[u8], input_mint: &[u8], amount_in_raw: u64) -> PyResult<Quoted> {
        let (pool, input_mint) = (key("pool", pool)?, key("input_mint", input_mint)?);
        Ok(match self.inner.quote(&pool, &input_mint, amount_in_raw) {
            Err(reason) => Quoted::Reason(reason.to_string()),
            Ok(it) => Quoted::Quote(
                it.in_raw,
                it.out_raw,
                it.fee_in_raw,
                it.fee_out_raw,
                it.slot,
                price_value(it.price_before),
                price_value(it.price_after),
            ),
        })
    }
}
