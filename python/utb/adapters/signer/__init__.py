"""Signers: in this process, and behind the socket of `utb sign`."""
