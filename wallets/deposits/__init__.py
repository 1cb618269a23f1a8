"""Deposits: addresses that are given out, and what becomes of money that arrives on them."""
