"""Proof of what the venue owes, beside the coins that it has."""
