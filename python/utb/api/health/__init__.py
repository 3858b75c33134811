"""Health, feeds, latencies, metrics."""
