"""Rebuilds and signs transactions of Bitcoin."""
