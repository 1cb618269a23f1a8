"""Recorded order flow, played as orders: readers, a comparer with named causes, players."""
