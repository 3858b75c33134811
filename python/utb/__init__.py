"""Ultimate Trading Bot: a Python-first trading system on Solana with a compiled hot path."""
