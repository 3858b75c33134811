//! Frames: bytes of a source to prices.

use utb_feeds::{
    AccountData, AccountUpdate, HistoryBar, Item, Pair, PriceBar, SpotQuote, Trade, address_bytes,
    decode,
};
use utb_types::{PoolRole, Source, Value};

use crate::instrument::hash;
use crate::market::Tick;
use crate::pipeline::Pipeline;
use crate::pool::{Owed, PoolUpdate};
use crate::records::{RecordedBar, events_of};
use crate::stages::Watch;

/// The pair of a frame that counts for an instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DeepestPair {
    instrument: usize,
    depth_usd: f64,
    price: f64,
    liquidity: Value,
    volume_m5_base: Value,
}

impl Pipeline {
    /// Takes one frame of a source, received at `ts_recv_ns`. What is wrong with it is counted.
    pub fn ingest(&mut self, source: Source, payload: &[u8], ts_recv_ns: i64) {
        let watch = self.stages.start();
        self.take_frame(source, payload, ts_recv_ns, watch);
    }

    /// Lets time pass up to `ts_recv_ns`, then takes a frame, in one call.
    ///
    /// Returns false, and does not take the frame, if the timers told something: that comes
    /// first. Once it is read and cleared, the same call takes the frame.
    pub fn ingest_at(&mut self, source: Source, payload: &[u8], ts_recv_ns: i64) -> bool {
        let watch = self.stages.start();
        self.clock_to(ts_recv_ns);
        if !self.events.is_empty() {
            return false;
        }
        self.take_frame(source, payload, ts_recv_ns, watch);
        true
    }

    #[inline]
    fn take_frame(
        &mut self,
        source: Source,
        payload: &[u8],
        ts_recv_ns: i64,
        mut watch: Option<Watch>,
    ) {
        self.counts(source).frames += 1;
        let mut scratch = std::mem::take(&mut self.scratch);
        self.pairs.clear();
        let outcome = decode(source, payload, &mut scratch, |item| {
            if let Some(watch) = &mut watch {
                watch.decoded();
            }
            self.on_item(source, item, ts_recv_ns);
        });
        self.scratch = scratch;
        if let Err(error) = outcome {
            self.counts(source).reject(error.reason());
        }
        for place in 0..self.pairs.len() {
            self.on_deepest_pair(place, ts_recv_ns);
        }
        if let Some(watch) = watch {
            self.stages.finish(watch, source as u8, ts_recv_ns);
        }
    }

    fn on_item(&mut self, source: Source, item: &Item<'_>, ts_recv_ns: i64) {
        match item {
            Item::Pair(pair) => self.on_pair(pair),
            Item::Price(bar) => self.on_price_bar(bar, ts_recv_ns),
            Item::Bar(bar) => self.on_history_bar(bar, ts_recv_ns),
            Item::Quote(quote) => self.on_quote(quote, ts_recv_ns),
            Item::Trade(trade) => self.on_trade(trade, ts_recv_ns),
            Item::Account(update) => self.on_account(update, ts_recv_ns),
            Item::Control(_) => self.counts(source).control += 1,
            Item::Rejected(rejected) => self.counts(source).reject(rejected.reason.reason()),
        }
    }

    /// Finds an instrument by an address of a Birdeye item: the base mint, or the bound pair.
    #[inline]
    fn birdeye_instrument(&mut self, address: &[u8]) -> Option<usize> {
        let found = self.registry.by_mint(address).or_else(|| self.registry.by_pair(address));
        if found.is_none() {
            self.counts(Source::Birdeye).reject("unknown_instrument");
        }
        found
    }

    /// The source's forming bar: its close is the price, the growth of its volume the volume.
    #[inline]
    fn on_price_bar(&mut self, bar: &PriceBar<'_>, ts_recv_ns: i64) {
        let Some(instrument) = self.birdeye_instrument(bar.address.as_bytes()) else { return };
        let Some(cold) = self.state.cold.get_mut(instrument) else { return };
        let before = cold.feed.forming;
        let volume = cold.feed.forming.since(bar.open_ns, bar.timeframe, bar.volume);
        let last_ns = bar.open_ns + bar.timeframe.span_ns() - 1;
        let tick = Tick {
            ts_ns: ts_recv_ns.clamp(bar.open_ns, last_ns),
            ts_recv_ns,
            price: bar.close,
            volume,
            liquidity: Value::ABSENT,
        };
        let counted = self.on_price(instrument, Source::Birdeye, &tick);
        // A volume that did not count stays to be seen with the next update.
        if !counted && let Some(cold) = self.state.cold.get_mut(instrument) {
            cold.feed.forming = before;
        }
    }

    /// A bar of the past enters as a recorded bar; one that is still forming does not.
    fn on_history_bar(&mut self, bar: &HistoryBar<'_>, ts_recv_ns: i64) {
        let Some(address) = bar.address.as_ref() else {
            self.counts(Source::Birdeye).reject("unknown_instrument");
            return;
        };
        let Some(instrument) = self.birdeye_instrument(address.as_bytes()) else { return };
        let span_ns = bar.timeframe.span_ns();
        if bar.open_ns.saturating_add(span_ns) > ts_recv_ns {
            self.counts(Source::Birdeye).reject("unfinished_bar");
            return;
        }
        // Prices at or after its open are known: a repeat, or live data was there first.
        let last_ns = self.state.hot.get(instrument).and_then(|it| it.builder.last_ts_ns());
        if last_ns.is_some_and(|last_ns| last_ns >= bar.open_ns) {
            self.counts(Source::Birdeye).late += 1;
            return;
        }
        let bar = RecordedBar {
            ts_ns: bar.open_ns,
            ohlc: [bar.open, bar.high, bar.low, bar.close],
            volume: bar.volume,
        };
        for record in events_of(&bar, span_ns, crate::market::index(instrument), Source::Birdeye) {
            self.on_record(&record);
        }
    }

    /// A spot quote: price only. Its volume is unknown, unless forming bars count it.
    fn on_quote(&mut self, quote: &SpotQuote<'_>, ts_recv_ns: i64) {
        let Some(address) = quote.address.as_ref() else {
            self.counts(Source::Birdeye).reject("unknown_instrument");
            return;
        };
        let Some(instrument) = self.birdeye_instrument(address.as_bytes()) else { return };
        let Some(cold) = self.state.cold.get_mut(instrument) else { return };
        let feed = &mut cold.feed;
        if quote.update_ns <= feed.quote_ns {
            let repeat = quote.update_ns == feed.quote_ns;
            let counts = self.counts(Source::Birdeye);
            *(if repeat { &mut counts.duplicate } else { &mut counts.late }) += 1;
            return;
        }
        feed.quote_ns = quote.update_ns;
        let ts_ns = quote.update_ns.min(ts_recv_ns);
        let covered = feed.forming.covers(ts_ns);
        let tick = Tick {
            ts_ns,
            ts_recv_ns,
            price: quote.price,
            volume: if covered { Value::new(0.0) } else { Value::ABSENT },
            liquidity: half(quote.liquidity_usd),
        };
        self.on_price(instrument, Source::Birdeye, &tick);
    }

    /// A swap at its block time, known by (transaction, instruction). Its amount counts unless
    /// forming bars count it already.
    fn on_trade(&mut self, trade: &Trade<'_>, ts_recv_ns: i64) {
        let Some(instrument) = self.birdeye_instrument(trade.token.as_bytes()) else { return };
        let place = |number: Option<u32>| number.map_or(0, |it| u64::from(it) + 1);
        let within = place(trade.instruction_index) << 32 | place(trade.inner_index);
        let transaction = hash(trade.tx_hash.as_bytes());
        if self.is_repeat(instrument, Source::Birdeye, (transaction, within)) {
            return;
        }
        let ts_ns = trade.block_ns.min(ts_recv_ns);
        let covered =
            self.state.cold.get(instrument).is_some_and(|it| it.feed.forming.covers(ts_ns));
        let tick = Tick {
            ts_ns,
            ts_recv_ns,
            price: trade.price,
            volume: Value::new(if covered { 0.0 } else { trade.base_amount }),
            liquidity: Value::ABSENT,
        };
        self.on_price(instrument, Source::Birdeye, &tick);
    }

    /// Notes a pair; of several of one instrument in a frame, the deepest counts.
    ///
    /// A pair counts by its own address where the instrument names one, else by its two mints.
    fn on_pair(&mut self, pair: &Pair<'_>) {
        let bound = self.registry.by_pair(pair.pair_address.as_bytes());
        let found = bound.or_else(|| self.registry.by_mint(pair.base_mint.as_bytes()));
        let Some((place, instrument)) = found.and_then(|it| Some((it, self.registry.get(it)?)))
        else {
            self.counts(Source::DexScreener).reject("unknown_instrument");
            return;
        };
        let other_pool = bound.is_none() && instrument.pair_address.is_some();
        let other_mints = pair.base_mint != instrument.base_mint.as_str()
            || pair.quote_mint != instrument.quote_mint.as_str();
        let Some(price) = pair.price_native.get().filter(|_| !other_pool && !other_mints) else {
            self.counts(Source::DexScreener).reject("other_pool");
            return;
        };
        let volume_m5_base = match (pair.volume_m5_usd.get(), pair.price_usd.get()) {
            (Some(volume), Some(price)) => Value::new(volume / price),
            _ => Value::ABSENT,
        };
        let liquidity = if pair.liquidity_quote.is_present() {
            pair.liquidity_quote
        } else {
            half(pair.liquidity_usd)
        };
        let depth_usd = pair.liquidity_usd.get().unwrap_or(0.0);
        let candidate =
            DeepestPair { instrument: place, depth_usd, price, liquidity, volume_m5_base };
        match self.pairs.iter_mut().find(|held| held.instrument == place) {
            Some(held) if held.depth_usd >= depth_usd => {}
            Some(held) => *held = candidate,
            None => self.pairs.push(candidate),
        }
    }

    fn on_deepest_pair(&mut self, place: usize, ts_recv_ns: i64) {
        let Some(&pair) = self.pairs.get(place) else { return };
        let instrument = pair.instrument;
        let primary = self.registry.get(instrument).map(|it| it.primary);
        let Some(cold) = self.state.cold.get_mut(instrument) else { return };
        let before = cold.feed.rolling;
        let volume = if primary == Some(Source::DexScreener) {
            cold.feed.rolling.since(ts_recv_ns, pair.volume_m5_base)
        } else {
            Value::ABSENT
        };
        let tick = Tick {
            ts_ns: ts_recv_ns,
            ts_recv_ns,
            price: pair.price,
            volume,
            liquidity: pair.liquidity,
        };
        let counted = self.on_price(instrument, Source::DexScreener, &tick);
        if !counted && let Some(cold) = self.state.cold.get_mut(instrument) {
            cold.feed.rolling = before;
        }
    }

    /// A pool's account or one of its vaults.
    fn on_account(&mut self, update: &AccountUpdate<'_>, ts_recv_ns: i64) {
        let Some((instrument, role)) = self.bindings.find(update.subscription) else {
            self.counts(Source::Helius).reject("unknown_subscription");
            return;
        };
        let instrument = instrument as usize;
        let outcome = self.pool_update(instrument, role, update);
        let counts = self.counts(Source::Helius);
        match outcome {
            Err(reason) => counts.reject(reason),
            Ok(PoolUpdate::Waiting) => counts.accepted += 1,
            Ok(PoolUpdate::Late) => counts.late += 1,
            Ok(PoolUpdate::Duplicate) => counts.duplicate += 1,
            Ok(PoolUpdate::Closed) => counts.reject("pool_closed"),
            Ok(PoolUpdate::Empty) => counts.reject("pool_empty"),
            Ok(PoolUpdate::Price(pool)) => {
                let tick = Tick {
                    ts_ns: ts_recv_ns,
                    ts_recv_ns,
                    price: pool.price,
                    volume: Value::new(pool.volume),
                    liquidity: pool.liquidity,
                };
                self.on_price(instrument, Source::Helius, &tick);
            }
        }
    }

    fn pool_update(
        &mut self,
        place: usize,
        role: PoolRole,
        update: &AccountUpdate<'_>,
    ) -> Result<PoolUpdate, &'static str> {
        let (Some(instrument), Some(cold)) =
            (self.registry.get(place), self.state.cold.get_mut(place))
        else {
            return Err("unknown_instrument");
        };
        let pool = cold.feed.pool.get_or_insert_default();
        let mints = || {
            let base = address_bytes(&instrument.base_mint)?;
            Some((base, address_bytes(&instrument.quote_mint)?))
        };
        match (&update.data, role) {
            (AccountData::TokenVault(vault), PoolRole::BaseVault | PoolRole::QuoteVault) => {
                let decimals = (instrument.base_decimals, instrument.quote_decimals);
                let is_base = role == PoolRole::BaseVault;
                let wanted = if is_base { &instrument.base_mint } else { &instrument.quote_mint };
                if address_bytes(wanted) != Some(vault.mint) {
                    return Err("other_mint");
                }
                Ok(pool.on_vault(is_base, update.slot, vault.amount_raw, decimals))
            }
            (AccountData::RaydiumV4(account), PoolRole::Pool) => {
                let (base, quote) = mints().ok_or("other_mint")?;
                let owed = Owed::of_v4(account, &base, &quote).ok_or("other_mint")?;
                Ok(pool.on_account(update.slot, owed))
            }
            (AccountData::RaydiumCpmm(account), PoolRole::Pool) => {
                let (base, quote) = mints().ok_or("other_mint")?;
                let owed = Owed::of_cpmm(account, &base, &quote).ok_or("other_mint")?;
                Ok(pool.on_account(update.slot, owed))
            }
            _ => Err("other_account"),
        }
    }
}

/// One side of a pool whose two sides are worth the same.
fn half(liquidity_usd: Value) -> Value {
    liquidity_usd.get().map_or(Value::ABSENT, |usd| Value::new(usd / 2.0))
}
