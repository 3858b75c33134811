"""What the conditions say of the cases between: each half of an `or`, windows, damping, ages."""

import mean_reversion_tapes
import pattern_recognition_tapes
import pytest
import trend_following_tapes
import whale_tracking_tapes
from tape import GRACE_NS, MINUTE_NS, Tape, ballot


def test_mean_reversion_by_rsi_without_leaving_its_band_votes_buy() -> None:
    tape = mean_reversion_tapes.buy_by_rsi()
    vote = ballot("mean_reversion", tape)
    assert vote.side == "BUY"
    assert vote.close == 87.5
    # SMA20 = 87.5 + 9.5 x 0.5; a straight line deviates by 0.5 x sqrt((20^2 - 1)/12) = 2.883.
    assert vote.target == pytest.approx(92.25, rel=1e-12)
    assert vote.close > 92.25 - 2 * 2.883


@pytest.mark.parametrize(("later", "side"), [(0, "BUY"), (1, "BUY"), (2, "BUY"), (3, "HOLD")])
def test_trend_following_with_a_cross_counts_it_for_three_bars(later: int, side: str) -> None:
    tape = trend_following_tapes.buy().bars_of(*(0.5,) * later)
    assert ballot("trend_following", tape).side == side


def test_whale_tracking_with_one_wallet_damps_the_accumulation() -> None:
    vote = ballot("whale_tracking", whale_tracking_tapes.with_one_wallet())
    assert vote.buy == {"buy_sell_ratio": True, "accumulation": False, "outflow": True}


def test_whale_tracking_with_aging_input_loses_confidence_to_zero() -> None:
    # Strength: ratio (3 - 1.5)/1.5 = 1, score (0.75 - 0.7)/0.3 = 1/6, outflow 0.5: mean 5/9;
    # 0.5 + 0.5 x 5/9 = 7/9. At half of the 60 minutes half of it, at all of them nothing.
    for age_ns, share in ((0, 1.0), (30 * MINUTE_NS, 0.5), (60 * MINUTE_NS, 0.0)):
        made = max(age_ns - GRACE_NS, 0)
        vote = ballot("whale_tracking", _whales_of(made))
        assert vote.side == "BUY"
        assert vote.strength == pytest.approx(7 / 9, rel=1e-12)
        # The newest one can be is the grace of the close, 0.5 s of 3600.
        least = GRACE_NS / (60 * MINUTE_NS) if age_ns == 0 else 0.0
        assert vote.confidence == pytest.approx(7 / 9 * (share - least), abs=1e-12)


def _whales_of(age_ns: int) -> Tape:
    whales = whale_tracking_tapes.buy()
    return Tape(bars=whales.bars, contexts=tuple((json, age_ns) for json, _ in whales.contexts))


def test_pattern_recognition_at_the_hammer_itself_waits_for_a_later_close() -> None:
    vote = ballot("pattern_recognition", pattern_recognition_tapes.hammer_just_made())
    assert vote.side == "HOLD"
    assert vote.buy == {"pattern": True, "near_support": True, "confirmed": False}


def test_pattern_recognition_of_a_hammer_three_bars_old_knows_no_pattern() -> None:
    vote = ballot("pattern_recognition", pattern_recognition_tapes.hammer_of_three_bars_ago())
    assert vote.side == "HOLD"
    assert vote.buy == {"pattern": False, "near_support": True, "confirmed": False}
