"""Solana's JSON-RPC over several endpoints: calls, subscriptions, health, budgets."""
