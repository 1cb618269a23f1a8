"""Decodes and signs transactions of TRON."""
