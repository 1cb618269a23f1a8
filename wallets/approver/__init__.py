"""Approves payouts from the engine's journal and policy; knows no key of any chain."""
