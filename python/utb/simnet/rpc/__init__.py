"""The simulated chain on sockets: JSON-RPC, subscriptions, relays and the aggregator."""
