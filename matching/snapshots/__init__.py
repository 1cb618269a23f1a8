"""Stored snapshots, and the process that follows the journal and takes them."""
