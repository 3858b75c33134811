"""The chain as trading needs it: its state, sending, confirmation, settlement, reconciliation."""
