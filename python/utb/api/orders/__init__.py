"""Orders, decisions, refusals and alerts: what was wanted and what was said to it."""
