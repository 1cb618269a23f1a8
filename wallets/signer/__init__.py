"""The only process with private keys: rebuilds, checks, logs, then signs."""
