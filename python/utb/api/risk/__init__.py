"""Portfolio risk, limits and guards."""
