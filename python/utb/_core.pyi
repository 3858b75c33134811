# ruff: noqa: PYI021 - the extension has no other place for its documentation
"""The compiled core (`rust/py`). `utb.engine` is the only module that imports it.

Every refusal is a `ValueError` whose text names the field, its value and what it must be.
"""

from pathlib import Path
from typing import TypeAlias, final

import numpy as np
from _typeshed import ReadableBuffer as Buffer
from numpy.typing import NDArray

__all__ = [
    "Pipeline",
    "Pools",
    "RecordFlusher",
    "Replay",
    "Signer",
    "TransactionBuilder",
    "associated_token_address",
    "compile_legacy",
    "compile_v0",
    "create_with_seed",
    "decode_instruction",
    "decode_transaction",
    "explode",
    "find_program_address",
    "indicators",
    "indicators_peek",
    "instruction",
    "key_bytes",
    "key_text",
    "keystore_import",
    "keystore_new",
    "keystore_show",
    "merge",
    "patterns",
    "policy_probe",
    "program_error",
    "program_name",
    "refusal_codes",
    "resample",
    "runtime_error",
    "signature_bytes",
    "transaction",
]

_Floats: TypeAlias = Buffer | NDArray[np.float64]
_Times: TypeAlias = Buffer | NDArray[np.int64]

@final
class Pipeline:
    """Prices, contexts and positions in; decisions and fired triggers out.

    Single-threaded and deterministic: the same calls give the same bytes. Order per market event
    at `ts`: ends of UTC days and strategy bars up to `ts`; bars of all instruments whose end +
    grace is at or before `ts`, oldest first, each stamped end + grace; the own bars that end at or
    before `ts`; then the price.
    Methods that return `bytes | None` return a MessagePack list of `EngineEvent`
    (`utb.domain.engine`), None when nothing happened.
    """

    def __new__(cls, params: bytes, instruments: bytes, finest: str = "1m") -> Pipeline:
        """Start with JSON parameters and instruments; no timeframe finer than `finest` is built."""

    def set_params(self, params: bytes) -> None:
        """Swap the parameters; windows and the default timeframe cannot change in a run."""

    def set_context(self, instrument: int, context: bytes, ts_ns: int) -> None:
        """Set a slow input (JSON of `rust/types` Context), made at `ts_ns`."""

    def bind(self, source: int, key: str, instrument: int, role: str) -> None:
        """Say what subscription `key` delivers: base_vault, quote_vault or pool."""

    def ingest(self, source: int, payload: Buffer, ts_recv_ns: int) -> bytes | None:
        """Process one frame; what is wrong with it is counted."""

    def ingest_at(
        self, source: int, payload: Buffer, ts_recv_ns: int
    ) -> tuple[bool, bytes | None] | None:
        """Do `advance_to(ts_recv_ns)` and `ingest` in one call; None if nothing happened.

        (False, events): the timers told something and the frame was not taken yet; handle it and
        call again. (True, events): the frame was taken and told something.
        """

    def advance_to(self, ts_ns: int) -> bytes | None:
        """Run the timers: close bars whose end + grace is at or before `ts_ns`."""

    def next_timer_ns(self) -> int:
        """Return a time before which `advance_to` does nothing."""

    def arm(self, position: bytes) -> None:
        """Watch a position's exits (JSON of `ArmedPosition`); replaces one with the same id."""

    def disarm(self, position_id: int) -> None:
        """Forget a position."""

    def release(self, position_id: int) -> None:
        """Make a position's triggers live again: its exit order failed."""

    def tighten(self, instrument: int | None, atr_multiple: float) -> bytes | None:
        """Raise stops to at most so many ATR below the last price."""

    def set_portfolio(self, portfolio: bytes) -> None:
        """Set (JSON) cash, holdings [[instrument, quantity]], peak, max_drawdown or null."""

    def mark(self, instrument: int) -> tuple[float, int, int, float | None, float | None] | None:
        """Return the fields of `domain.market.Mark`, or None before the first price."""

    def features(
        self, instrument: int
    ) -> tuple[float | None, float | None, float | None, int | None, int, float | None] | None:
        """Return the fields of `domain.engine.DecisionFeatures` at the last closed bar."""

    def equity(self) -> tuple[float, float] | None:
        """Return (equity, peak) at the last marks; None while one is missing."""

    def correlation(self, a: int, b: int) -> float | None:
        """Return the shrunk correlation of 1h log returns over 30 days."""

    def diversity(self) -> list[float]:
        """Return the mean positive vote correlation of each strategy with the others."""

    def counters(self) -> bytes:
        """Return counters as JSON."""

    def view(self, instrument: int) -> bytes:
        """Return one instrument's state as JSON, for display; unknown numbers are null.

        `instrument`, `symbol`, `price`, `ts_ns`, `events`, `liquidity_quote`, `timeframe`,
        `forming` (bar), `features` (by timeframe), `levels`, `bullish` and `bearish` (patterns),
        `statistics`, `regime`;
        `votes`: per strategy, in order, `strategy`, what stands (`side`, `strength`,
        `confidence`), `weight` in the present regime, and of the latest evaluation `latest`
        (side), `stop`, `target` and `conditions` of the BUY side, in order: `name`, `held` (true,
        false; null: an input is missing), `op` (">", ">=", "<", "<="), `value`, `limit`; these
        three are null where the condition is not about one number;
        `evaluation` (null before the first): `ts_ns`, `bar_open_ns`, `side`, `hold` (reason),
        `lead` (if it acted), `leaning` (side of the larger mass), `consensus`, `confidence`,
        `participation`, and their limits `min_consensus`, `min_confidence`, `min_participation`.
        """

    def log(
        self,
        *,
        bars: bool = False,
        equity: bool = False,
        votes: bool = False,
        ticks: bool = False,
        stages: bool = False,
    ) -> None:
        """Switch the logs on or off; what they hold stays."""

    def drain_bars(self) -> bytes:
        """Return 64-byte records of the bars closed since the last call."""

    def drain_equity(self) -> bytes:
        """Return 16-byte records of equity at ends of strategy bars since the last call."""

    def drain_votes(self) -> bytes:
        """Return 64-byte records of the votes at closed strategy bars since the last call."""

    def drain_ticks(self) -> bytes:
        """Return 64-byte EventRecords of the prices applied since the last call."""

    def drain_stages(self) -> bytes:
        """Return 16-byte records of durations since the last call; a ring, the newest stay."""

    def log_dropped(self) -> dict[str, int]:
        """Return how many records each log lost since the start; it only grows.

        `bars`, `equity`, `votes` and `ticks` lose the newest when full; `stages` the oldest,
        counted at its drain.
        """

    def record_stage(
        self, stage: int, source: int, instrument: int, ts_ns: int, duration_ns: int
    ) -> None:
        """Add a duration to the stage log; does nothing while that is off.

        `stage` is a position in `stages`, `source` 255 and `instrument` 65535 are none;
        `duration_ns` is clamped to 0..2^32-1.
        """

    def stages(self) -> list[tuple[str, int, int, int, int, int, list[int]]]:
        """Return the fields of `domain.seam.StageHistogram` per stage."""

    def save(self) -> bytes:
        """Return the whole state, versioned."""

    def load(self, state: Buffer) -> None:
        """Replace the state; the parameters stay."""

    def __len__(self) -> int:
        """Return the number of instruments."""

@final
class Replay:
    """Recorded events (64-byte EventRecords), copied and checked once."""

    def __new__(cls, records: Buffer) -> Replay:
        """Copy and check records: size, order of ts_recv_ns, kinds, sources."""

    def __len__(self) -> int:
        """Return the number of records."""

    def advance(
        self, pipeline: Pipeline, start: int, until_ts_ns: int, stop_instrument: int = -1
    ) -> tuple[int, bytes | None]:
        """Process records with ts_recv_ns <= `until_ts_ns`; return (next index, events).

        Stops after a record that yields events, before one whose time lets a timer yield events,
        and after one of `stop_instrument`; otherwise the timers up to `until_ts_ns` run. The GIL
        is released.
        """

def explode(
    ts_ns: _Times,
    open: _Floats,  # noqa: A002
    high: _Floats,
    low: _Floats,
    close: _Floats,
    volume: _Floats,
    span_ns: int,
    instrument: int,
) -> bytes:
    """Return four EventRecords per recorded bar (int64 times, float64 columns)."""

def merge(streams: list[Buffer]) -> bytes:
    """Return record streams, each sorted by time, as one by (time, instrument)."""

def indicators(
    open: _Floats,  # noqa: A002
    high: _Floats,
    low: _Floats,
    close: _Floats,
    volume: _Floats,
) -> dict[str, bytes]:
    """Return float64 columns of every indicator after each closed bar; NaN = absent."""

def indicators_peek(
    open: _Floats,  # noqa: A002
    high: _Floats,
    low: _Floats,
    close: _Floats,
    volume: _Floats,
) -> dict[str, bytes]:
    """Return what `indicators` returns, each row from a peek before its bar closed."""

def resample(records: Buffer, finest: str, timeframe: str) -> dict[str, bytes]:
    """Return the closed bars of `timeframe` from one instrument's records.

    Columns: ts (int64), open, high, low, close, volume (float64). The last bar is included if the
    last record is its last nanosecond.
    """

def patterns(
    open: _Floats,  # noqa: A002
    high: _Floats,
    low: _Floats,
    close: _Floats,
    volume: _Floats,
) -> list[tuple[int, str, float, float | None, bool]]:
    """Return (row, name, strength, target, confirmed) of the strongest pattern per side and row."""

@final
class Pools:
    """Accounts of watched pools in, prices and quotes out; keys are 32 bytes."""

    def __new__(cls) -> Pools:
        """Start with nothing watched."""

    def watch(self, program: str, pool: bytes, /) -> None:
        """Follow a pool of a program named as in `domain.chain.Program`."""

    def apply(self, address: bytes, owner: bytes, data: Buffer, slot: int, /) -> bool:
        """Take an account; False if it is older than what is held or no pool uses it."""

    def bind(self, subscription: int, address: bytes, /) -> None:
        """Note which account a connection's subscription is for."""

    def unbind_all(self) -> None:
        """Forget the subscriptions: the connection is gone."""

    def ingest(self, frame: Buffer, /) -> tuple[int, bool] | None:
        """Take an account notification; (slot, whether taken), None if its number is not bound."""

    def rollback(self, slot: int, /) -> None:
        """Forget what came after `slot`."""

    def forget(self) -> None:
        """Forget every account."""

    def on_slot(self, slot: int, /) -> None:
        """Note that the chain has reached a slot."""

    def needs(self, pool: bytes, /) -> list[bytes]:
        """Return the accounts to subscribe for a pool."""

    def missing(self) -> list[bytes]:
        """Return the accounts to read now."""

    def price(self, pool: bytes, base_mint: bytes, /) -> tuple[float, int] | None:
        """Return (whole units of the other mint per whole `base_mint`, slot)."""

    def quote(
        self, pool: bytes, input_mint: bytes, amount_in_raw: int, /
    ) -> tuple[int, int, int, int, int, float, float] | str:
        """Return the fields of `engine.chain.Quote`, or why there is none."""

@final
class TransactionBuilder:
    """Messages of one wallet from templates, one per shape of order."""

    def __new__(cls, wallet: bytes, pools: Pools, tables: bytes) -> TransactionBuilder:
        """Start without templates; `tables` is a MessagePack list of `LookupTable`."""

    def build(self, order: bytes, blockhash: bytes, /) -> bytes:
        """Return the version 0 message of a MessagePack `BuildOrder`."""

_Field: TypeAlias = tuple[str, int | bool | str]
_Named: TypeAlias = tuple[str | None, str | None, bool, list[_Field]]
_Account: TypeAlias = tuple[bytes | None, bytes | None, int, bool, bool, str | None]

def decode_transaction(
    data: bytes, is_message: bool, /
) -> tuple[list[bytes], str, bytes, bytes, list[tuple[bytes, _Named, list[_Account]]]]:
    """Return signatures, version, fee payer, blockhash and instructions by name."""

def decode_instruction(
    program: bytes, account_count: int, data: bytes, /
) -> tuple[_Named, list[str]]:
    """Return an instruction by name and the roles of its accounts."""

def program_error(program: bytes, code: int, /) -> tuple[str, str] | None:
    """Return name and meaning of a program's custom error."""

def program_name(program: bytes, /) -> str | None:
    """Return the name of a program."""

def runtime_error(name: str, is_instruction: bool, /) -> str | None:
    """Return the meaning of an error of the runtime, of a transaction or of an instruction."""

def key_bytes(text: str, /) -> bytes:
    """Return the 32 bytes of a base58 text."""

def key_text(key: bytes, /) -> str:
    """Return the base58 text of 32 or 64 bytes."""

def signature_bytes(text: str, /) -> bytes:
    """Return the 64 bytes of a base58 text."""

def find_program_address(seeds: list[bytes], program: bytes, /) -> tuple[bytes, int]:
    """Return the program address with the highest bump, and the bump."""

def associated_token_address(owner: bytes, mint: bytes, token_program: bytes, /) -> bytes:
    """Return an owner's associated token account."""

def create_with_seed(base: bytes, seed: bytes, owner: bytes, /) -> bytes:
    """Return the address of a seed text below a base key."""

def instruction(name: str, keys: list[bytes], numbers: list[int], data: bytes, /) -> bytes:
    """Return the MessagePack `Instruction` of a name (`engine.instructions`)."""

def compile_legacy(payer: bytes, instructions: bytes, blockhash: bytes, /) -> bytes:
    """Return a legacy message of a MessagePack list of `Instruction`."""

def compile_v0(payer: bytes, instructions: bytes, blockhash: bytes, tables: bytes, /) -> bytes:
    """Return a version 0 message; `tables` is a MessagePack list of `LookupTable`."""

def transaction(message: bytes, signatures: list[bytes], /) -> bytes:
    """Return the wire bytes of a message and its signatures of 64 bytes."""

@final
class Signer:
    """Key, policy (JSON of `utb_solana::policy::PolicyConfig`) and record in one."""

    plain: bool
    """Whether the key came from a plain file."""

    @staticmethod
    def from_seed(seed: Buffer, policy: bytes, library: str = "aws_lc") -> Signer:
        """Sign with a known key; the record is in memory. `library`: aws_lc or dalek."""

    @staticmethod
    def generate(policy: bytes) -> Signer:
        """Sign with a new key that no file holds; the record is in memory."""

    @staticmethod
    def open(
        path: Path,
        passphrase: Buffer | None,
        policy: bytes,
        directory: Path,
        uid: int,
        now_s: int,
        library: str = "aws_lc",
    ) -> Signer:
        """Sign with a key file; the record is in `directory`, which this user holds alone."""

    def public_key(self) -> bytes:
        """Return the 32 bytes of the wallet's address."""

    def address(self) -> str:
        """Return the wallet's address."""

    def sign(self, message: bytes, claim: bytes, now_s: int) -> bytes | tuple[str, str]:
        """Return the 64 bytes, or (code, message) of the refusal; claim: JSON of `SignClaim`."""

    def halt(self) -> None:
        """Switch the halt on."""

    def halted(self) -> bool:
        """Return whether the halt switch is on."""

    def reserve_ahead(self) -> None:
        """Write what the next signatures will need; it may be used after `reserved`."""

    def doubt(self) -> None:
        """Sign only exits from now on: the disk failed."""

    def reserved(self) -> None:
        """Take into use what was reserved ahead: a flusher brought it to the disk."""

    def flusher(self) -> RecordFlusher:
        """Return what brings the record to the disk, for a thread of its own."""

    def close(self) -> None:
        """End the record."""

@final
class RecordFlusher:
    """Brings a signer's record to the disk."""

    def sync(self) -> None:
        """Wait until all that was written is on the disk; the GIL is released."""

def keystore_new(path: Path, passphrase: Buffer, uid: int) -> str:
    """Make a key and its encrypted file, replacing none; return the address."""

def keystore_import(source: Path, path: Path, passphrase: Buffer, uid: int) -> str:
    """Encrypt a plain Solana key file into a new one; return the address."""

def keystore_show(path: Path, uid: int) -> tuple[bool, str]:
    """Return whether a key file is encrypted, and its address."""

def refusal_codes() -> list[tuple[str, str, bool]]:
    """Return every refusal code: name, words, whether it is a rule."""

def policy_probe(
    wallet: bytes,
    policy: bytes,
    asked: list[tuple[bytes, bytes, int]],
    off: list[str] = ...,
    halted: bool = False,
) -> list[tuple[str, str] | None]:
    """Judge (message, claim, now_s) one after the other without a key; None: would be signed."""
