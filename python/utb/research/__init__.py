"""Figures, reports and oracles over finished runs; the trading path never imports this."""
