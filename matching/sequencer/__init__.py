"""Puts commands in order: inbox, clock, batches, commit. One task of the primary."""
