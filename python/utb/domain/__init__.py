"""Frozen value types shared by every layer: ids, amounts, market, engine events, orders, records.

Nothing here computes a policy, reads a clock or does I/O.
"""
