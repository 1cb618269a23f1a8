"""Rebuilds and signs transactions of Ethereum."""
