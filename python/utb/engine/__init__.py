"""The one door to the compiled core: parameters in, typed events out."""

from utb.engine.columns import indicators, indicators_peek, resample
from utb.engine.params import build_params, instruments_document, params_builder
from utb.engine.pipeline import Engine, RecordedEvents
from utb.engine.records import (
    BAR_DTYPE,
    EQUITY_DTYPE,
    EVENT_DTYPE,
    STAGE_DTYPE,
    VOTE_DTYPE,
    Bars,
    explode,
    merge,
)

__all__ = [
    "BAR_DTYPE",
    "EQUITY_DTYPE",
    "EVENT_DTYPE",
    "STAGE_DTYPE",
    "VOTE_DTYPE",
    "Bars",
    "Engine",
    "RecordedEvents",
    "build_params",
    "explode",
    "indicators",
    "indicators_peek",
    "instruments_document",
    "merge",
    "params_builder",
    "resample",
]
