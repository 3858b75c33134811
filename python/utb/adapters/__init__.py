"""Implementations of the ports: clocks, feeds, venues."""
