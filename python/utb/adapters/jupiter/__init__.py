"""The aggregator: its quotes, and its swap as an instruction that is judged before it is used."""
