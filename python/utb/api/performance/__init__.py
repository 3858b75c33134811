"""Performance figures, equity, strategies."""
