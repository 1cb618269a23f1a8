"""Questions and read-only streams: orders, balances, drop copy, reference data, limits."""
