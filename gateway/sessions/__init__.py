"""Order sessions: establish, batches, heartbeats, resume, ends."""
