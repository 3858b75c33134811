"""The signer's process: its socket, its hardening, and how its passphrase comes in."""
