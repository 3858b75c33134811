"""Whole sessions around the compiled core."""

import os
from pathlib import Path

import pytest

from utb.bootstrap import RunOptions, build_backtest, build_demo, load_config
from utb.config.load import defaults
from utb.config.schema import Config
from utb.domain.names import TradingMode
from utb.errors import LiveRefused, UsageError
from utb.node.recovery import fold, view_of
from utb.node.runner import Runner
from utb.storage.readers import recompute_hash

DATA = Path(os.environ.get("UTB_DATA", "../shared/data")) / "ohlcv"
HOURS = 300
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"recorded prices are not at {DATA}: set UTB_DATA"
)


class KilledError(Exception):
    """The process dies here."""


class KillAt:
    def __init__(self, items: int) -> None:
        self._items = items

    def on_progress(self, runner: Runner) -> None:
        if runner.session.items >= self._items:
            raise KilledError


def recorded(**more: object) -> RunOptions:
    names = ("SOL", "BONK")
    prices = tuple(str(DATA / f"binance_{name}USDT_5m_2024H1.parquet") for name in names)
    return RunOptions(prices=prices, hours=HOURS, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def config() -> Config:
    return defaults()


@pytest.fixture(scope="module")
def backtest_hash(config: Config) -> str:
    return build_backtest(config, recorded()).run().journal_hash


@needs_data
def test_demo_on_frames_equals_backtest_on_records(config: Config, backtest_hash: str) -> None:
    result = build_demo(config, recorded()).run()
    assert result.journal_hash == backtest_hash
    assert sum(result.entries_by_lead.values()) > 5
    assert result.events == 2 * HOURS * 12 * 4
    assert (result.mode, result.finished, result.resumed) == (TradingMode.PAPER, True, False)


@needs_data
def test_seed_changes_the_run(config: Config, backtest_hash: str) -> None:
    assert build_backtest(config, recorded(seed=8)).run().journal_hash != backtest_hash


@needs_data
@pytest.mark.parametrize("items", [9_000, 17_001, 28_000])
def test_killed_demo_goes_on_to_the_same_journal(
    config: Config, backtest_hash: str, tmp_path: Path, items: int
) -> None:
    options = recorded(state_dir=tmp_path)
    dying = build_demo(config, options)
    dying.watch(KillAt(items))
    with pytest.raises(KilledError):
        dying.run()
    again = build_demo(config, options)
    result = again.run()
    assert result.resumed
    assert result.journal_hash == backtest_hash
    assert recompute_hash(tmp_path / "journal.sqlite") == backtest_hash
    whole = build_demo(config, recorded()).run()
    assert (result.trades, result.equity, result.fees) == (whole.trades, whole.equity, whole.fees)
    assert sorted(rows(result.bars)) == sorted(rows(whole.bars))


def rows(bars: bytes) -> list[bytes]:
    return [bars[at : at + 64] for at in range(0, len(bars), 64)]


@needs_data
def test_journal_read_from_zero_is_the_live_state(config: Config, tmp_path: Path) -> None:
    session = build_demo(config, recorded(state_dir=tmp_path))
    session.watch(KillAt(20_000))
    with pytest.raises(KilledError):
        session.run()
    from utb.storage.encoding import decode_record
    from utb.storage.schema import open_read_only

    database = open_read_only(tmp_path / "journal.sqlite")
    payloads = database.execute("SELECT payload FROM records ORDER BY seq").fetchall()
    database.close()
    folded = fold((decode_record(row[0]) for row in payloads), session.instruments)
    assert folded == view_of(session.runner.wiring.trader)


@needs_data
def test_state_of_other_options_is_refused(config: Config, tmp_path: Path) -> None:
    build_demo(config, recorded(state_dir=tmp_path)).close()
    with pytest.raises(UsageError, match="same options"):
        build_demo(config, recorded(state_dir=tmp_path, seed=9))


def test_generated_market_twice_gives_the_same_journal(config: Config) -> None:
    options = RunOptions(hours=30)
    first, second = build_demo(config, options).run(), build_demo(config, options).run()
    assert first.journal_hash == second.journal_hash
    assert first.events > 30 * 3600 // 20


def test_killed_generated_demo_goes_on_to_the_same_journal(config: Config, tmp_path: Path) -> None:
    expected = build_demo(config, RunOptions(hours=30)).run().journal_hash
    dying = build_demo(config, RunOptions(hours=30, state_dir=tmp_path))
    dying.watch(KillAt(40_000))
    with pytest.raises(KilledError):
        dying.run()
    assert build_demo(config, RunOptions(hours=30, state_dir=tmp_path)).run().journal_hash == (
        expected
    )


def test_recover_brings_back_the_stored_state_and_goes_no_further(
    config: Config, tmp_path: Path
) -> None:
    options = RunOptions(hours=40, state_dir=tmp_path)
    dying = build_demo(config, options)
    dying.watch(KillAt(75_000))
    with pytest.raises(KilledError):
        dying.run()
    expected = view_of(dying.runner.wiring.trader)
    session = build_demo(config, options)
    assert session.recover() == expected
    assert session.resumed
    # The tail ends with the last record; contexts alone make some every few hundred items.
    assert 70_000 < session.runner.session.items <= 75_000
    session.close()
    whole = build_demo(config, RunOptions(hours=40)).run()
    assert build_demo(config, options).run().journal_hash == whole.journal_hash


def test_recover_with_nothing_stored_takes_no_item(config: Config, tmp_path: Path) -> None:
    session = build_demo(config, RunOptions(hours=1, state_dir=tmp_path))
    state = session.recover()
    assert (state.positions, state.orders, state.weights) == ((), (), ())
    assert session.runner.session.items == 0
    session.close()


def test_session_replayed_from_its_input_log_gives_the_same_journal(
    config: Config, tmp_path: Path
) -> None:
    log = tmp_path / "input.log"
    recorded_run = build_demo(config, RunOptions(hours=12, record=log)).run()
    replayed = build_demo(config, RunOptions(hours=12, replay=log)).run()
    assert replayed.journal_hash == recorded_run.journal_hash


def test_state_directory_of_a_running_session_is_refused(config: Config, tmp_path: Path) -> None:
    session = build_demo(config, RunOptions(hours=1, state_dir=tmp_path))
    with pytest.raises(UsageError, match="no process trades in"):
        build_demo(config, RunOptions(hours=1, state_dir=tmp_path))
    session.close()


def test_live_switch_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "trading.toml"
    file.write_text('[environment]\ntrading_env = "live"\n')
    with pytest.raises(LiveRefused):
        load_config(file)
