"""The ledger: a pure fold of the durable records into lots, positions, profit and equity."""
