//! From a frame to a signed transaction, against one bare signature of the fastest library here.
//!
//! `cargo bench -p utb-core --bench order -- [--json FILE] [--smoke]`. The approval is made before;
//! timed are the frame's ingestion, the build from the template and the signature. The bare
//! signature signs messages that the same builder made, in turn with the whole path.

#[path = "../tests/support/pools.rs"]
mod pools;
#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::io::{Error, Write as _};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::Ed25519KeyPair;
use pools::{key, mint, pools};
use serde_json::{Value, json};
use support::{MINUTE_NS, SECOND_NS, SOL, START_NS, params, price_frame};
use utb_core::{ChainOrder, Guard, OrderLeg, Pipeline, Tip, TransactionBuilder};
use utb_solana::Key;
use utb_solana::instruction::swap::{Amounts, SwapPool};
use utb_solana::sign::{Library, Seed, WalletKey};
use utb_types::{Source, Timeframe};

/// Distinct frames and messages: repeated ones would be learned by heart, many more would be read
/// from memory, where a frame that was just received is not.
const FRAMES: usize = 4_096;
/// Times that they are gone through.
const ROUNDS: usize = 8;
/// Frames before the first timed one: past the longest warm-up.
const WARM_UP: usize = 700;
/// Calls per timed batch of signatures: its first ones are as cold as the batch before left them.
const SIGNED: usize = 128;
/// Calls per timed batch of patches.
const BATCH: usize = 64;
const PATCHES: usize = 100_000;
/// Single shots of a block.
const SHOTS: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(1);

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let smoke = arguments.iter().any(|argument| argument == "--smoke");
    let mut path = Path::new(FRAMES)?;
    let mut rows = path.batched();
    rows.extend(path.single(if smoke { 3 } else { 9 }));
    rows.extend(patch_rows());
    for row in &rows {
        writeln!(std::io::stdout(), "{row}")?;
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--json")
        && let Some(file) = arguments.get(at + 1)
    {
        std::fs::write(file, Value::from(rows).to_string())?;
    }
    Ok(())
}

/// The whole path and what it is measured against.
struct Path {
    pipeline: Pipeline,
    frames: Vec<(Vec<u8>, i64)>,
    next_frame: usize,
    pool: SwapPool,
    builder: TransactionBuilder,
    wallet_key: WalletKey,
    bare_key: Ed25519KeyPair,
    messages: Vec<Vec<u8>>,
    next_message: usize,
}

impl Path {
    fn new(count: usize) -> std::io::Result<Self> {
        let secret: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap_or_default());
        let wallet_key =
            WalletKey::new(&Seed::new(secret.into()), Library::AwsLc).map_err(Error::other)?;
        let bare_key = Ed25519KeyPair::from_seed_unchecked(&secret).map_err(Error::other)?;
        let [.., pool] = pools();
        let wallet = Key(*wallet_key.public_key());
        let mut path = Self {
            pipeline: pipeline().ok_or_else(|| Error::other("the pipeline's parameters"))?,
            frames: frames(WARM_UP + count),
            next_frame: 0,
            pool,
            builder: TransactionBuilder::new(wallet, vec![]),
            wallet_key,
            bare_key,
            messages: Vec::new(),
            next_message: 0,
        };
        for step in 0..FRAMES {
            let message = path.message(step);
            path.messages.push(message.ok_or_else(|| Error::other("an order"))?);
        }
        for _ in 0..WARM_UP {
            path.whole();
            path.bare();
        }
        Ok(path)
    }

    /// Returns the message of a step's order.
    fn message(&mut self, step: usize) -> Option<Vec<u8>> {
        let order = Entry::new(&self.pool, step);
        let legs = [order.leg];
        let built = self.builder.build(&order.whole(&legs), &order.blockhash).ok()?;
        Some(built.message().to_vec())
    }

    /// Ingests the next frame, builds and signs.
    fn whole(&mut self) {
        let step = self.ingest();
        let order = Entry::new(&self.pool, step);
        let legs = [order.leg];
        if let Ok(built) = self.builder.build(&order.whole(&legs), &order.blockhash)
            && let Ok(signature) = self.wallet_key.sign(built.message())
        {
            black_box(built.signed(&signature).is_ok());
        }
    }

    fn bare(&mut self) {
        let step = self.next_message;
        self.next_message = (step + 1) % self.messages.len();
        if let Some(message) = self.messages.get(step) {
            black_box(self.bare_key.sign(message));
        }
    }

    /// Signs the next message by the wallet's key.
    fn sign(&mut self) {
        let step = self.next_message;
        self.next_message = (step + 1) % self.messages.len();
        if let Some(message) = self.messages.get(step) {
            black_box(self.wallet_key.sign(message).is_ok());
        }
    }

    /// Ingests the next frame.
    fn ingest(&mut self) -> usize {
        let step = self.next_frame;
        self.next_frame = (step + 1) % self.frames.len();
        if let Some((payload, ts_ns)) = self.frames.get(step) {
            self.pipeline.ingest(Source::Birdeye, payload, *ts_ns);
        }
        self.pipeline.clear_events();
        step
    }

    /// Times batches of a bare signature and of another call in turn; returns both medians.
    fn against_bare(&mut self, call: impl Fn(&mut Self)) -> (f64, f64) {
        let (mut bare, mut other) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            self.restart();
            for _ in 0..(self.frames.len() - WARM_UP) / SIGNED - 1 {
                bare.push(timed_ns(|| (0..SIGNED).for_each(|_| self.bare())));
                other.push(timed_ns(|| (0..SIGNED).for_each(|_| call(self))));
            }
        }
        let each = f64::from(u32::try_from(SIGNED).unwrap_or(1));
        (percentile(&mut bare, 50) / each, percentile(&mut other, 50) / each)
    }

    fn batched(&mut self) -> Vec<Value> {
        let (bare, whole) = self.against_bare(Self::whole);
        let (sign_bare, sign) = self.against_bare(Self::sign);
        let (_, ingest) = self.against_bare(|path| {
            path.ingest();
        });
        vec![
            ratio("ingest + build + sign, batched p50, of a bare signature", whole / bare, 1.05),
            json!({"name": "ingest + build + sign, batched", "value": whole / 1e3, "unit": "us p50"}),
            json!({"name": "bare signature, batched", "value": bare / 1e3, "unit": "us p50"}),
            json!({"name": "ingest of that, batched", "value": ingest / 1e3, "unit": "us p50"}),
            ratio("the wallet key's signature of a bare one", sign / sign_bare, 1.02),
        ]
    }

    /// Times single calls in turn, each after a pause.
    ///
    /// The system interrupts about one call in a hundred, now more, now fewer: a p99 stands on that
    /// edge. So both are taken over the same block of shots, ten of which are beyond it, and the
    /// row is the median over the blocks.
    fn single(&mut self, blocks: usize) -> Vec<Value> {
        self.restart();
        let (mut p50, mut p99, mut whole_us) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..blocks {
            let (mut bare, mut whole) = (Vec::new(), Vec::new());
            for _ in 0..SHOTS {
                std::thread::sleep(PAUSE);
                bare.push(timed_ns(|| self.bare()));
                std::thread::sleep(PAUSE);
                whole.push(timed_ns(|| self.whole()));
            }
            p50.push(percentile(&mut whole, 50) / percentile(&mut bare, 50));
            p99.push(percentile(&mut whole, 99) / percentile(&mut bare, 99));
            whole_us.push(percentile(&mut whole, 50) / 1e3);
        }
        let value = percentile(&mut whole_us, 50);
        vec![
            over_blocks("ingest + build + sign, 1 ms apart, p50, of a bare signature", p50, 1.15),
            over_blocks("ingest + build + sign, 1 ms apart, p99, of a bare signature", p99, 1.6),
            json!({"name": "ingest + build + sign, 1 ms apart", "value": value, "unit": "us p50"}),
        ]
    }

    /// Starts the frames again in a pipeline that has seen none of them.
    fn restart(&mut self) {
        self.next_frame = 0;
        self.next_message = 0;
        if let Some(fresh) = pipeline() {
            self.pipeline = fresh;
        }
        for _ in 0..WARM_UP {
            self.whole();
        }
    }
}

/// An entry of one leg with everything an entry has, different at every step.
struct Entry<'a> {
    leg: OrderLeg<'a>,
    created: [utb_solana::instruction::swap::MintOf; 1],
    memo: [u8; 16],
    blockhash: Key,
    step: u64,
}

impl<'a> Entry<'a> {
    fn new(pool: &'a SwapPool, step: usize) -> Self {
        let step = step as u64 + 1;
        let amounts = Amounts { in_raw: step * 1_000_003, min_out_raw: step * 999 };
        let mut blockhash = [7; 32];
        let mut memo = [b'0'; 16];
        for (at, byte) in step.to_le_bytes().into_iter().enumerate() {
            if let (Some(hash), Some(letter)) = (blockhash.get_mut(at), memo.get_mut(at)) {
                *hash = byte;
                *letter = b'a' + byte % 26;
            }
        }
        let leg = OrderLeg { pool, input_mint: key(2), amounts };
        Self { leg, created: [mint(1)], memo, blockhash: Key(blockhash), step }
    }

    fn whole(&'a self, legs: &'a [OrderLeg<'a>]) -> ChainOrder<'a> {
        ChainOrder {
            unit_limit: 200_000,
            unit_price: self.step,
            guard: None,
            create_accounts: &self.created,
            legs,
            memo: Some(&self.memo),
            tip: Some(Tip { account: key(99), lamports: self.step }),
        }
    }

    fn guarded(&'a self, legs: &'a [OrderLeg<'a>]) -> ChainOrder<'a> {
        let guard = Guard { seed: &self.memo, lamports: 890_880 };
        ChainOrder { guard: Some(guard), memo: None, create_accounts: &[], ..self.whole(legs) }
    }
}

/// Builds from a template alone: the entry, then the exit whose guard's address is a hash.
fn patch_rows() -> Vec<Value> {
    let every = pools();
    let mut rows = Vec::new();
    for (name, guarded, bar_ns) in [
        ("template patch, entry, slowest of the four programs", false, 50.0),
        ("template patch, guarded exit, slowest of the four programs", true, 1_000.0),
    ] {
        let each = every.iter().map(|pool| patch_ns(pool, guarded));
        let value = each.fold(0.0, f64::max);
        let bar = format!("<= {bar_ns:.0} ns");
        let pass = value <= bar_ns;
        rows.push(json!({"name": name, "value": value, "unit": "ns", "bar": bar, "pass": pass}));
    }
    rows
}

/// Returns the median over batches of one build in nanoseconds, the orders made before.
fn patch_ns(pool: &SwapPool, guarded: bool) -> f64 {
    let mut builder = TransactionBuilder::new(key(9), vec![]);
    let entries: Vec<Entry<'_>> = (0..BATCH).map(|step| Entry::new(pool, step)).collect();
    let legs: Vec<[OrderLeg<'_>; 1]> = entries.iter().map(|it| [it.leg]).collect();
    let orders: Vec<ChainOrder<'_>> = entries
        .iter()
        .zip(&legs)
        .map(|(entry, legs)| if guarded { entry.guarded(legs) } else { entry.whole(legs) })
        .collect();
    let mut times: Vec<f64> = (0..PATCHES / BATCH)
        .map(|_| {
            timed_ns(|| {
                for (order, entry) in orders.iter().zip(&entries) {
                    let built = builder.build(black_box(order), &entry.blockhash);
                    black_box(built.is_ok());
                }
            })
        })
        .collect();
    percentile(&mut times, 50) / f64::from(u32::try_from(BATCH).unwrap_or(1))
}

fn pipeline() -> Option<Pipeline> {
    let instruments = json!([{
        "index": 0, "symbol": "SOL-USDC", "base_mint": SOL, "quote_mint": support::USDC,
        "base_decimals": 9, "quote_decimals": 6, "primary": "birdeye",
        "timeframe": "5m", "pair_address": null,
    }]);
    let instruments = instruments.to_string();
    Pipeline::new(params("close").as_bytes(), instruments.as_bytes(), Timeframe::M1).ok()
}

/// Frames of one instrument, 100 ms apart, of a price that wanders.
#[expect(clippy::cast_precision_loss, reason = "a step number")]
fn frames(count: usize) -> Vec<(Vec<u8>, i64)> {
    let mut ts_ns = START_NS;
    (0..count)
        .map(|step| {
            ts_ns += SECOND_NS / 10;
            let open_s = (ts_ns - ts_ns.rem_euclid(MINUTE_NS)) / SECOND_NS;
            let price = 100.0 + 8.0 * (step as f64 * 0.013).sin() + (step as f64 * 0.171).sin();
            let volume = 1.0 + (ts_ns.rem_euclid(MINUTE_NS) / 1_000_000) as f64 * 0.37;
            (price_frame(SOL, "1m", open_s, price, volume).into_bytes(), ts_ns)
        })
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn timed_ns(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e9
}

fn percentile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() * percent / 100).copied().unwrap_or(f64::NAN)
}

fn ratio(name: &str, value: f64, bar: f64) -> Value {
    json!({"name": name, "value": value, "unit": "x", "bar": bar, "pass": value <= bar})
}

/// The median over blocks, with the least and the most of them.
fn over_blocks(name: &str, mut ratios: Vec<f64>, bar: f64) -> Value {
    let mut row = ratio(name, percentile(&mut ratios, 50), bar);
    // Sorted now.
    if let (Some(row), Some(least), Some(most)) =
        (row.as_object_mut(), ratios.first(), ratios.last())
    {
        row.insert("least".to_owned(), json!(least));
        row.insert("most".to_owned(), json!(most));
    }
    row
}
