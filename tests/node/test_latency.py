"""Histograms of durations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utb.node.latency import Histogram, Latencies


@given(st.integers(0, 1 << 50))
def test_quantile_of_one_duration_is_that_duration(duration_ns: int) -> None:
    histogram = Histogram()
    histogram.add(duration_ns)
    # The bucket ends above it, the largest duration seen cuts it off
    assert histogram.quantile_ns(0.5) == duration_ns


@given(st.integers(0, 1 << 50))
def test_quantile_is_at_most_a_sixteenth_too_high(duration_ns: int) -> None:
    histogram = Histogram()
    histogram.add(duration_ns)
    histogram.add(1 << 51)
    assert duration_ns <= histogram.quantile_ns(0.5) <= duration_ns + duration_ns // 16


@pytest.mark.parametrize(
    ("duration_ns", "bound_ns"),
    # 31 ends the buckets of one nanosecond, 32 and 33 share the first of two
    [(0, 0), (1, 1), (15, 15), (16, 16), (31, 31), (32, 33), (33, 33), (34, 35), (64, 67)],
)
def test_bucket_ends_where_it_should(duration_ns: int, bound_ns: int) -> None:
    histogram = Histogram()
    histogram.add(duration_ns)
    histogram.add(1 << 20)
    assert histogram.quantile_ns(0.5) == bound_ns


def test_summary_names_only_stages_that_ran() -> None:
    latencies = Latencies()
    latencies.fill.add(2_000)
    latencies.fill.add(4_000)
    summary = latencies.summary()
    assert list(summary) == ["fill"]
    assert summary["fill"].count == 2
    assert summary["fill"].max == 4.0
