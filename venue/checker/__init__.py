"""Reads the journal and the clients' logs and says whether every promise was kept.

It uses neither the kernel nor the reference engine nor the feed decoder: what it knows of the
rules it computes itself from the contract, so that a fault of theirs cannot hide here.
"""
