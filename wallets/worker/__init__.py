"""The worker: one process that pays withdrawals of one network and joins them to the engine."""
