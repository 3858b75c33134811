"""Protocols between the trading node and the outside: at most five methods each."""
