"""Custody beside a venue on this machine: keys, policies and its four processes."""
