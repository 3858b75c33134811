"""Commands to the trading process: what an operator may ask of it."""
