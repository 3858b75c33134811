"""Manual trades, closed round trips, and fills."""
