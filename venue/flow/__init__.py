"""Seeded order flow: what a firm's makers and takers send next, from what they were told.

Pure: no clock, no I/O, no randomness but the given seed. `venue.trader` runs it over the SDK.
"""
