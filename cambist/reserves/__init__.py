"""Proof of what a venue owes: anybody can check a root, and an account its own part of it.

Used by the venue to make a proof and by `cambist proof` to check one; needs the standard library
alone, so that a customer can read all that a check depends on.
"""
